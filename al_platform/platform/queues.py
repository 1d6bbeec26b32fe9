"""Labelling queues: what waits, and changes of what waits."""

from dataclasses import replace

from al_platform.catalog import queues as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.queues import QueueSummary
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import Conflict, InvalidInput, StaleVersion
from al_platform.platform.home import Platform
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

    Raises: NotFound; StaleVersion where the task is no longer this version; Conflict for one that was answered or
        withdrawn; InvalidInput for a rank below 0.
    """
    if rank is not None and not 0 <= rank <= _LARGEST_RANK:
        raise InvalidInput(f"rank {rank}: must be 0 (first) or more, at most {_LARGEST_RANK}")
    with service.writing, service.platform.catalog.transaction() as tx:
        before = catalog.task_named(tx, task_id)
        if task_version(before) != version:
            raise StaleVersion(f"task {task_id}: was changed since it was read; read it again")
        if before.state not in (TaskState.QUEUED, TaskState.SENT):
            raise Conflict(f"task {task_id}: is {before.state}; only what still waits can be changed")
        after = replace(
            before,
            rank=before.rank if rank is None else rank,
            state=TaskState.WITHDRAWN if withdraw else before.state,
        )
        catalog.save_task(tx, after)
        detail = {"rank": after.rank, "state": after.state.value}
        record_change(tx, actor, "task.changed", task_id, now=utc_now(), detail=detail)
    return after
