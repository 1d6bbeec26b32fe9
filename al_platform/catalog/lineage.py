"""Lineage: from any id back to everything it came from. Read off the tables; nothing is written twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import pool_frames, version_items
from al_platform.catalog.tables import rows_of
from al_platform.errors import NotFound
from al_platform.storage.blobs import BlobStore


@dataclass(frozen=True)
class Parent:
    """One step back: how the child depends on it, and its id (a blob's hash where nothing lies behind)."""

    relation: str
    node_id: str


@dataclass(frozen=True)
class LineageNode:
    """An id, what it is in a line, and what it came from."""

    node_id: str
    kind: str
    summary: str
    parents: tuple[Parent, ...]


Question = Callable[[Transaction, BlobStore, str], LineageNode | None]


def lineage_of(tx: Transaction, blobs: BlobStore, node_id: str, *, limit: int | None = None) -> dict[str, LineageNode]:
    """Give the node and all its ancestors by id, in the order of their discovery; with a limit, the first so many.

    Raises: NotFound for an id that nothing in the catalog carries.
    """
    found: dict[str, LineageNode] = {}
    waiting = [node_id]
    while waiting and (limit is None or len(found) < limit):
        current = waiting.pop(0)
        if current in found:
            continue
        node = _node(tx, blobs, current)
        if node is None and not found:
            raise NotFound(f"id {node_id}: nothing in the catalog carries it")
        found[current] = node or LineageNode(current, "blob", "bytes in storage", ())
        waiting.extend(parent.node_id for parent in found[current].parents)
    return found


def _node(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    question = _QUESTIONS.get(node_id.split("_", 1)[0])
    return question(tx, blobs, node_id) if question else None


def _row(tx: Transaction, table: str, key: str, node_id: str) -> Mapping[str, str] | None:
    rows = rows_of(tx, f"SELECT * FROM {table} WHERE {key} = ?", [node_id])
    return rows[0] if rows else None


def _parents(**by_relation: str | None) -> tuple[Parent, ...]:
    return tuple(Parent(name.replace("_", " "), node) for name, node in by_relation.items() if node)


def _frame(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "frames", "frame_id", node_id)
    if row is None:
        return None
    summary = f"{row['dataset']}, session {row['session_id']}, number {row['frame_number']}, from {row['origin']}"
    return LineageNode(node_id, "frame", summary, _parents(pixels=row["image_hash"]))


def _annotation(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "annotations", "annotation_id", node_id)
    if row is None:
        return None
    summary = f"by {row['source']}, revision {row['revision']}, {row['created_at']}"
    return LineageNode(node_id, "label", summary, _parents(of=row["frame_id"], asked_by=row["task_id"]))


def _task(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "tasks", "task_id", node_id)
    if row is None:
        return None
    summary = f"rank {row['rank']} for {row['for_class']}, score {float(row['score']):.6g}, {row['state']}"
    return LineageNode(node_id, "task", summary, _parents(of=row["frame_id"], picked_in=row["round_id"]))


def _round(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    rows = rows_of(
        tx,
        "SELECT *, spec->>'$.strategy.name' AS strategy, spec->>'$.pool_id' AS pool, "
        "spec->>'$.dataset_version_id' AS trained_on FROM rounds WHERE round_id = ?",
        [node_id],
    )
    if not rows:
        return None
    row = rows[0]
    parents = _parents(
        trained_on=row["trained_on"], scored_by=row["ensemble_id"], scores=row["score_id"], pool=row["pool"]
    )
    return LineageNode(node_id, "round", f"{row['strategy']}, {row['state']}", parents)


def _version(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "dataset_versions", "version_id", node_id)
    if row is None:
        return None
    inherited = {item.annotation_id for item in version_items(tx, blobs, row["parent_id"])} if row["parent_id"] else ()
    added = [item.annotation_id for item in version_items(tx, blobs, node_id) if item.annotation_id not in inherited]
    parents = _parents(grown_from=row["parent_id"], appended_by=row["round_id"], manifest=row["manifest_hash"])
    summary = f"{row['purpose']}, {row['items']} labelled frames, {row['added']} added"
    return LineageNode(node_id, "dataset version", summary, parents + tuple(Parent("label", label) for label in added))


def _ensemble(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    rows = rows_of(
        tx,
        "SELECT *, ensemble->>'$.spec.family' AS family, ensemble->>'$.spec.members' AS members, "
        "ensemble->>'$.seed' AS seed FROM ensembles WHERE ensemble_id = ?",
        [node_id],
    )
    if not rows:
        return None
    row = rows[0]
    parents = _parents(trained_on=row["dataset_version_id"], encoder=row["encoder_id"], weights=row["weights_hash"])
    return LineageNode(
        node_id,
        "ensemble",
        f"{row['members']} x {row['family']}, seed {row['seed']}, {row['created_at']}",
        parents,
    )


def _encoder(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "encoders", "encoder_id", node_id)
    if row is None:
        return None
    return LineageNode(node_id, "encoder", row["family"], _parents(fitted_on=row["pool_id"], content=row["blob_hash"]))


def _pool(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "pools", "pool_id", node_id)
    if row is None:
        return None
    frames = tuple(Parent("frame", frame_id) for frame_id in pool_frames(tx, blobs, node_id))
    summary = f"{row['frames']} frames matching {row['filter']!r}"
    return LineageNode(node_id, "pool", summary, _parents(manifest=row["manifest_hash"]) + frames)


def _score_set(tx: Transaction, blobs: BlobStore, node_id: str) -> LineageNode | None:
    row = _row(tx, "score_sets", "score_id", node_id)
    if row is None:
        return None
    parents = _parents(scored_by=row["ensemble_id"], pool=row["pool_id"], content=row["blob_hash"])
    return LineageNode(node_id, "scores", f"{row['frames']} frames, {row['formula']}", parents)


_QUESTIONS: Mapping[str, Question] = {
    "frm": _frame,
    "ann": _annotation,
    "tsk": _task,
    "rnd": _round,
    "dsv": _version,
    "ens": _ensemble,
    "enc": _encoder,
    "pool": _pool,
    "scr": _score_set,
}
"""Prefix of an id to the question that answers for it."""
