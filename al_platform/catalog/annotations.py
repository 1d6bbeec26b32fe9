"""Labels that were bought: written once per task and revision."""

from collections.abc import Sequence

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, rows_of, wanted_ids
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.hashing import canonical_json
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation, Label, TaskState, label_from_json
from al_platform.domain.triage import Triage


def add_annotations(
    tx: Transaction, annotations: Sequence[Label], *, task_ids: Sequence[str | None], now: str
) -> list[str]:
    """Keep labels, and which task each came back for; give their ids. Doing it again changes nothing.

    The same label may come back for several tasks: it is one label, first asked by the task kept with it.
    """
    ids = [annotation_id(annotation) for annotation in annotations]
    insert_missing(
        tx,
        "annotations",
        {
            "annotation_id": ids,
            "item_id": [annotation.item_id for annotation in annotations],
            "task_id": list(task_ids),
            "revision": [annotation.revision for annotation in annotations],
            "source": [annotation.source for annotation in annotations],
            "annotation": [canonical_json(annotation) for annotation in annotations],
            "created_at": [now] * len(ids),
        },
    )
    asked = [(task, label) for task, label in zip(task_ids, ids, strict=True) if task is not None]
    insert_missing(
        tx,
        "task_labels",
        {"task_id": [task for task, _ in asked], "annotation_id": [label for _, label in asked]},
    )
    return ids


def labels_by_id(tx: Transaction, ids: Sequence[str]) -> dict[str, Label]:
    """Give the labels of these ids; an unknown id is left out."""
    with wanted_ids(tx, ids):
        rows = rows_of(
            tx,
            "SELECT annotation_id, annotation FROM annotations WHERE annotation_id IN (SELECT id FROM wanted)",
        )
    return {row["annotation_id"]: label_from_json(row["annotation"]) for row in rows}


def annotations_by_id(tx: Transaction, ids: Sequence[str]) -> dict[str, Annotation]:
    """Give the labels of frames of these ids; an unknown id is left out."""
    return {name: label for name, label in labels_by_id(tx, ids).items() if isinstance(label, Annotation)}


def newest_triages(tx: Transaction, round_id: str = "") -> list[Triage]:
    """Give the newest triage of each task of a round, or of all, by round and rank; rejected ones too."""
    rows = tx.execute(
        "SELECT arg_max(annotation, annotations.revision) FROM tasks JOIN task_labels USING (task_id) "
        "JOIN annotations USING (annotation_id) WHERE annotations.item_id LIKE 'scn%' AND (? = '' OR round_id = ?) "
        "GROUP BY tasks.task_id, round_id, rank ORDER BY round_id, rank",
        [round_id, round_id],
    ).fetchall()
    labels = [label_from_json(text) for (text,) in rows]
    return [label for label in labels if isinstance(label, Triage)]


def newest_labels(tx: Transaction, task_ids: Sequence[str]) -> dict[str, Label]:
    """Give the label with the highest revision of each task; a task without one is left out."""
    with wanted_ids(tx, task_ids):
        rows = rows_of(
            tx,
            "SELECT task_id, arg_max(annotation, revision) AS annotation "
            "FROM task_labels JOIN (SELECT annotation_id, annotation, revision FROM annotations) USING (annotation_id) "
            "WHERE task_id IN (SELECT id FROM wanted) GROUP BY task_id",
        )
    return {row["task_id"]: label_from_json(row["annotation"]) for row in rows}


def all_labels_of_round(tx: Transaction, round_id: str) -> set[str]:
    """Give the ids of every label that ever came back for a round, whatever became of it."""
    rows = tx.execute(
        "SELECT annotation_id FROM tasks JOIN task_labels USING (task_id) WHERE round_id = ?", [round_id]
    ).fetchall()
    return {row[0] for row in rows}


def labels_of_round(tx: Transaction, round_id: str) -> list[DatasetItem]:
    """Give the newest label of each task of a round, less rejected ones, as items of a dataset version, by frame id."""
    rows = tx.execute(
        "SELECT a.item_id, arg_max(a.annotation_id, (a.revision, a.created_at, a.annotation_id)) "
        "FROM tasks JOIN task_labels USING (task_id) JOIN annotations a USING (annotation_id) "
        "WHERE tasks.round_id = ? AND tasks.state <> ? GROUP BY a.item_id ORDER BY a.item_id",
        [round_id, TaskState.REJECTED.value],
    ).fetchall()
    return [DatasetItem(*row) for row in rows]
