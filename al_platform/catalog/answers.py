"""What each person said about each task, every state of it that was ever read."""

from collections.abc import Sequence

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, rows_of, wanted_ids
from al_platform.domain.hashing import canonical_json
from al_platform.domain.labels import Answer, TaskState
from al_platform.domain.records import record_from_json


def add_answers(tx: Transaction, answers: Sequence[Answer]) -> None:
    """Keep answers as they are now; one that was changed since joins its former states."""
    insert_missing(
        tx,
        "answers",
        {
            **{name: [getattr(answer, name) for answer in answers] for name in ("task_id", "answer_id", "changed_at")},
            "annotator": [answer.annotator for answer in answers],
            "seconds": [answer.seconds for answer in answers],
            "answer": [canonical_json(answer) for answer in answers],
        },
    )


def answers_of_round(tx: Transaction, round_id: str) -> list[Answer]:
    """Give every person's answers to the tasks of a round as they are now, in the order of tasks and answers."""
    rows = rows_of(
        tx,
        "SELECT arg_max(answer, changed_at) AS answer FROM answers JOIN tasks USING (task_id) WHERE round_id = ? "
        "GROUP BY task_id, answer_id, rank ORDER BY rank, answer_id",
        [round_id],
    )
    return [record_from_json(Answer, row["answer"]) for row in rows]


def answers_behind(tx: Transaction, annotation_ids: Sequence[str]) -> dict[str, list[Answer]]:
    """Give what people said, as it is now, about the tasks that these labels came back for, by label.

    A label that no person gave is left out.
    """
    with wanted_ids(tx, annotation_ids):
        rows = rows_of(
            tx,
            "SELECT annotation_id, arg_max(answer, changed_at) AS answer FROM task_labels JOIN answers USING (task_id) "
            "WHERE annotation_id IN (SELECT id FROM wanted) "
            "GROUP BY annotation_id, task_id, answer_id ORDER BY annotation_id, task_id, answer_id",
        )
    found: dict[str, list[Answer]] = {}
    for row in rows:
        found.setdefault(row["annotation_id"], []).append(record_from_json(Answer, row["answer"]))
    return found


def answer_seconds(tx: Transaction, *, limit: int = 200) -> list[float]:
    """Give the working time that people spent on each of the tasks answered last, all answers of a task together."""
    rows = tx.execute(
        "SELECT sum(seconds) FROM (SELECT task_id, answer_id, arg_max(seconds, changed_at) AS seconds, "
        "max(changed_at) AS changed_at FROM answers WHERE seconds IS NOT NULL GROUP BY ALL) "
        "GROUP BY task_id ORDER BY max(changed_at) DESC, task_id LIMIT ?",
        [limit],
    ).fetchall()
    return [float(seconds) for (seconds,) in rows]


def read_until(tx: Transaction, round_id: str) -> str:
    """Give the moment up to which a round's answers are known and settled, on the tool's clock; empty for none.

    It never passes an answer of a task that still waits, so that such a task is read again each time.
    """
    rows = tx.execute(
        "SELECT coalesce(min(changed_at) FILTER (state NOT IN (?, ?, ?)), max(changed_at), '') "
        "FROM answers JOIN tasks USING (task_id) WHERE round_id = ?",
        [TaskState.LABELED.value, TaskState.REJECTED.value, TaskState.WITHDRAWN.value, round_id],
    ).fetchall()
    return str(rows[0][0])
