"""Taking in what people said: answers, labels in their newest revision, and the states of tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from al_platform.catalog import tasks as task_catalog
from al_platform.catalog.annotations import add_annotations, newest_labels
from al_platform.catalog.answers import add_answers
from al_platform.catalog.connection import Transaction
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Label, LabelTask, TaskState
from al_platform.domain.rounds import Round
from al_platform.labeling.base import TaskResult
from al_platform.loop.checks import tool_named
from al_platform.loop.context import LoopContext
from al_platform.loop.kinds import kind_of

_DONE = (TaskState.LABELED, TaskState.REJECTED, TaskState.WITHDRAWN)
_SHOWN = 5
"""Reasons that a message repeats."""


@dataclass(frozen=True)
class Collected:
    """Results that were taken, and tasks that are not needed any more."""

    results: tuple[TaskResult, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, TaskState]:
        """New state of each task that has one."""
        states = dict.fromkeys(self.withdrawn, TaskState.WITHDRAWN)
        states.update({result.task_id: TaskState.LABELED for result in self.results if result.annotation})
        states.update({result.task_id: TaskState.REJECTED for result in self.results if result.rejected})
        return states


def collect_until_paid(context: LoopContext, round_: Round, tasks: Sequence[LabelTask], *, since: str) -> Collected:
    """Take results in the order of ranks; with an object budget, until it is spent, and the rest is withdrawn."""
    tool, limit = tool_named(context, round_.spec.annotator), round_.spec.budget.objects
    tool.send(tasks)  # a tool that lost them is asked again; others pass over it
    if limit is None:
        return Collected(tuple(tool.collect(tasks, since=since)))
    positives, taken, spent = kind_of(round_.spec.model).positives, list[TaskResult](), 0
    for result in tool.collect(tasks):
        taken.append(result)
        spent += positives(context, round_, [result.annotation]) if result.annotation else 0
        if spent >= limit:
            kept = {result.task_id for result in taken}
            rest = (task.task_id for task in tasks if task.task_id not in kept and task.state not in _DONE)
            return Collected(tuple(taken), tuple(rest))
    return Collected(tuple(taken))


def keep_collected(tx: Transaction, collected: Collected) -> None:
    """Write what was collected. Doing it again changes nothing; a changed label becomes the task's next revision."""
    add_answers(tx, [answer for result in collected.results for answer in result.answers])
    labelled = {result.task_id: result.annotation for result in collected.results if result.annotation}
    revised = _revised(labelled, newest_labels(tx, list(labelled)))
    add_annotations(tx, list(revised.values()), task_ids=list(revised), now=utc_now())
    states = collected.states
    for state in sorted(set(states.values())):
        task_catalog.set_task_states(tx, [task_id for task_id, its in states.items() if its is state], state)


def take_back(context: LoopContext, round_: Round, tasks: Sequence[LabelTask]) -> frozenset[str]:
    """Take tasks back from the labelling tool; gives the ids of those that nobody had answered.

    Raises: LabelingUnavailable.
    """
    return tool_named(context, round_.spec.annotator).withdraw(tasks) if tasks else frozenset()


def still_out(tasks: Sequence[LabelTask], collected: Collected) -> list[str]:
    """Give the tasks that have neither a label nor a rejection yet and were not withdrawn, in their order."""
    states = collected.states
    return [task.task_id for task in tasks if task.state not in _DONE and task.task_id not in states]


def waiting_message(collected: Collected, *, out: int, of: int) -> str:
    """Say how many labels are still out, and why those that people answered are no labels yet."""
    reasons = [f"task {result.task_id}: {result.waits}" for result in collected.results if result.waits]
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    shown = f" ({'; '.join(reasons[:_SHOWN] + more)})" if reasons else ""
    return f"{out} of {of} labels are still out; run the round again when they are in{shown}"


def _revised(labelled: dict[str, Label], newest: dict[str, Label]) -> dict[str, Label]:
    """Labels that say something new, each with the revision after the one that is known."""
    revised: dict[str, Label] = {}
    for task_id, annotation in labelled.items():
        known = newest.get(task_id)
        if known is None:
            revised[task_id] = annotation
        elif annotation_id(replace(annotation, revision=known.revision)) != annotation_id(known):
            revised[task_id] = replace(annotation, revision=known.revision + 1)
    return revised
