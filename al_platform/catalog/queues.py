"""Labelling queues as those who look after them see them: what waits, in which order, and changes of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import NotFound

WAITING = (TaskState.QUEUED, TaskState.SENT)
"""What nobody has answered yet, as far as it is known here."""
_TASK = "task_id, round_id, item_id, for_class, rank, score, state"


@dataclass(frozen=True)
class QueueSummary:
    """A queue and how many of its tasks are in each state."""

    queue: str
    tasks: Mapping[str, int]


def queues(tx: Transaction) -> list[QueueSummary]:
    """Give every queue, by name."""
    rows = tx.execute("SELECT queue, state, count(*) FROM tasks GROUP BY ALL ORDER BY ALL").fetchall()
    found: dict[str, dict[str, int]] = {}
    for queue, state, count in rows:
        found.setdefault(queue, {})[state] = count
    return [QueueSummary(queue, states) for queue, states in found.items()]


def tasks_page(tx: Transaction, page: PageRequest, *, queue: str = "", round_id: str = "") -> Page[LabelTask]:
    """Give the tasks of a queue, a round, or all, by rank; within a rank by id."""
    where = Condition("(? = '' OR queue = ?) AND (? = '' OR round_id = ?)", (queue, queue, round_id, round_id))
    source = f"(SELECT {_TASK}, queue FROM tasks)"
    return page_of(tx, source, page=page, order={"rank": int, "task_id": str}, make=_task, where=where)


def task_named(tx: Transaction, task_id: str) -> LabelTask:
    """Give a task.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, f"SELECT {_TASK} FROM tasks WHERE task_id = ?", [task_id])
    if not rows:
        raise NotFound(f"task {task_id}: not in the catalog")
    return _task(rows[0])


def save_task(tx: Transaction, task: LabelTask) -> None:
    """Write rank and state of a task."""
    tx.execute("UPDATE tasks SET rank = ?, state = ? WHERE task_id = ?", [task.rank, task.state.value, task.task_id])


def waiting_tasks(tx: Transaction, queue: str) -> list[LabelTask]:
    """Give what waits for people in a queue, by round and rank."""
    rows = rows_of(
        tx,
        f"SELECT {_TASK} FROM tasks WHERE queue = ? AND state IN (?, ?) ORDER BY round_id, rank, task_id",
        [queue, *(state.value for state in WAITING)],
    )
    return [_task(row) for row in rows]


def withdraw_waiting(tx: Transaction, round_id: str) -> int:
    """Withdraw the tasks of a round that nobody answered, so that their frames may be picked again; says how many."""
    done = tx.execute(
        "UPDATE tasks SET state = ? WHERE round_id = ? AND state IN (?, ?)",
        [TaskState.WITHDRAWN.value, round_id, *(state.value for state in WAITING)],
    ).fetchall()
    return int(done[0][0])


def _task(row: Mapping[str, Any]) -> LabelTask:
    known = {name: value for name, value in row.items() if name != "queue"}
    return LabelTask(**{**known, "state": TaskState(row["state"])})
