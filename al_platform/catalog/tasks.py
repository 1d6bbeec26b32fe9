"""Labelling queues: which frames wait for people, in which order, and what became of them."""

from collections.abc import Sequence

import pyarrow as pa

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, rows_of, table_of, wanted_ids
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.rounds import Selection


def add_tasks(tx: Transaction, tasks: Sequence[LabelTask], *, queue: str) -> None:
    """Put tasks into a queue; a task that is there already is left alone."""
    names = ("task_id", "round_id", "item_id", "for_class", "rank", "score", "state")
    insert_missing(
        tx,
        "tasks",
        {
            **{name: [str(getattr(t, name)) if name == "state" else getattr(t, name) for t in tasks] for name in names},
            "queue": [queue] * len(tasks),
        },
    )


def tasks_of(tx: Transaction, round_id: str) -> list[LabelTask]:
    """Give the tasks of a round in the order people should see them."""
    rows = rows_of(
        tx,
        "SELECT task_id, round_id, item_id, for_class, rank, score, state FROM tasks WHERE round_id = ? ORDER BY rank",
        [round_id],
    )
    return [LabelTask(**{**row, "state": TaskState(row["state"])}) for row in rows]


def set_task_states(tx: Transaction, task_ids: Sequence[str], state: TaskState) -> None:
    """Move tasks to a state; what was withdrawn meanwhile stays so."""
    with wanted_ids(tx, task_ids):
        tx.execute(
            "UPDATE tasks SET state = ? WHERE state <> ? AND task_id IN (SELECT id FROM wanted)",
            [state.value, TaskState.WITHDRAWN.value],
        )


def items_taken(tx: Transaction, queue: str) -> pa.ChunkedArray:
    """Give the ids of frames that may not be picked for a queue again: waiting, sent, labelled or rejected there."""
    return table_of(
        tx,
        "SELECT DISTINCT item_id FROM tasks WHERE queue = ? AND state <> ? ORDER BY item_id",
        [queue, TaskState.WITHDRAWN.value],
    )["item_id"]


def selections_of(tx: Transaction, round_id: str) -> list[Selection]:
    """Give what a round picked, best first."""
    return [Selection(task.item_id, task.for_class, task.score, task.rank) for task in tasks_of(tx, round_id)]
