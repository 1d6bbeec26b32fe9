"""Labelling queues: what waits, and changes of what waits."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from al_platform.catalog import queues as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.queues import WAITING, QueueSummary
from al_platform.catalog.rounds import round_named
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import Conflict, InvalidInput, StaleVersion
from al_platform.labeling.base import LabelingTool
from al_platform.loop.checks import tool_named
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.platform.service import Service

_LARGEST_RANK = 2**31 - 1


def queues(platform: Platform) -> list[QueueSummary]:
    """Give every queue and how many of its tasks are in each state."""
    with platform.catalog.transaction() as tx:
        return catalog.queues(tx)


def tasks(platform: Platform, page: PageRequest, *, queue: str = "", round_id: str = "") -> Page[LabelTask]:
    """Give the tasks of a queue, of a round, or all, in the order people should see them."""
    with platform.catalog.transaction() as tx:
        return catalog.tasks_page(tx, page, queue=queue, round_id=round_id)


def task(platform: Platform, task_id: str) -> LabelTask:
    """Give a task. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return catalog.task_named(tx, task_id)


def task_version(task: LabelTask) -> str:
    """Name the contents of a task: another text whenever anything of it changed."""
    return hash_record(task)


def change_task(
    service: Service, task_id: str, *, actor: Actor, version: str, rank: int | None = None, withdraw: bool = False
) -> LabelTask:
    """Move a task to another place of its queue, or withdraw it, so that its frame may be picked again.

    The labelling tool comes first: should this die on the way, the task is sent again rather than forgotten there.

    Raises: NotFound; StaleVersion where the task is no longer this version; Conflict for one that was answered or
        withdrawn; InvalidInput for a rank below 0; LabelingUnavailable where its tool is, and nothing is changed.
    """
    if rank is not None and not 0 <= rank <= _LARGEST_RANK:
        raise InvalidInput(f"rank {rank}: must be 0 (first) or more, at most {_LARGEST_RANK}")
    with service.writing:
        with service.platform.catalog.transaction() as tx:
            before = catalog.task_named(tx, task_id)
        if task_version(before) != version:
            raise StaleVersion(f"task {task_id}: was changed since it was read; read it again")
        if before.state not in WAITING:
            raise Conflict(f"task {task_id}: is {before.state}; only what still waits can be changed")
        after = replace(before, rank=before.rank if rank is None else rank)
        if withdraw:
            if task_id not in _tool(service.platform, before).withdraw([before]):
                raise Conflict(f"task {task_id}: was answered meanwhile; the round takes its label in")
            after = replace(after, state=TaskState.WITHDRAWN)
        elif after != before:
            _tool(service.platform, before).reorder([after])
        _keep(service.platform, [after], actor=actor)
    return after


def withdraw_queue(service: Service, queue: str, *, actor: Actor) -> list[LabelTask]:
    """Withdraw every task of a queue that nobody has answered; gives those that were.

    Raises: LabelingUnavailable where a tool is; what it has given back by then is withdrawn.
    """
    with service.writing:
        with service.platform.catalog.transaction() as tx:
            waiting = catalog.waiting_tasks(tx, queue)
        done: list[LabelTask] = []
        for _, tasks in groupby(waiting, key=lambda task: task.round_id):
            mine = list(tasks)
            gone = _tool(service.platform, mine[0]).withdraw(mine)
            withdrawn = [replace(task, state=TaskState.WITHDRAWN) for task in mine if task.task_id in gone]
            _keep(service.platform, withdrawn, actor=actor)
            done += withdrawn
    return done


def _tool(platform: Platform, task: LabelTask) -> LabelingTool:
    with platform.catalog.transaction() as tx:
        annotator = round_named(tx, task.round_id).spec.annotator
    return tool_named(loop_context(platform), annotator)


def _keep(platform: Platform, tasks: Sequence[LabelTask], *, actor: Actor) -> None:
    with platform.catalog.transaction() as tx:
        now = utc_now()
        for task in tasks:
            catalog.save_task(tx, task)
            detail = {"rank": task.rank, "state": task.state.value}
            record_change(tx, actor, "task.changed", task.task_id, now=now, detail=detail)
