"""Lineage: from any id back to everything it came from. Read off the tables; nothing is written twice.

Asked step by step: all ids of one kind that one step found are one question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import pool_table, version_table
from al_platform.catalog.tables import rows_of, wanted_ids
from al_platform.domain.judging import EXPERT
from al_platform.domain.lineage import LineageNode, Parent
from al_platform.errors import NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.suites import read_scenarios

LISTED = 20_000
"""A pool or version of more frames is traced to its manifest, which lists them, and not frame by frame."""


@dataclass(frozen=True)
class Kind:
    """Where nodes of one kind lie, and how a row becomes a node."""

    table: str
    key: str
    node: Callable[[Transaction, BlobStore, Mapping[str, Any]], LineageNode]
    more: str = ""
    """Further columns, out of JSON."""


def lineage_of(tx: Transaction, blobs: BlobStore, node_id: str, *, limit: int | None = None) -> dict[str, LineageNode]:
    """Give the node and all its ancestors by id, in the order of their discovery; with a limit, the first so many.

    Raises: NotFound for an id that nothing in the catalog carries.
    """
    found: dict[str, LineageNode] = {}
    step = [node_id]
    while step and (limit is None or len(found) < limit):
        step = step if limit is None else step[: limit - len(found)]
        nodes = _nodes(tx, blobs, step)
        if not nodes and not found:
            raise NotFound(f"id {node_id}: nothing in the catalog carries it")
        for name in step:
            found[name] = nodes.get(name) or LineageNode(name, "blob", "bytes in storage", ())
        parents = (parent.node_id for name in step for parent in found[name].parents)
        step = [name for name in dict.fromkeys(parents) if name not in found]
    return found


def _nodes(tx: Transaction, blobs: BlobStore, ids: Sequence[str]) -> dict[str, LineageNode]:
    by_kind: dict[str, list[str]] = {}
    for name in ids:
        by_kind.setdefault(name.split("_", 1)[0], []).append(name)
    return {
        str(row[kind.key]): kind.node(tx, blobs, row)
        for prefix, names in by_kind.items()
        if (kind := _KINDS.get(prefix))
        for row in _rows(tx, kind, names)
    }


def _rows(tx: Transaction, kind: Kind, names: Sequence[str]) -> list[dict[str, Any]]:
    with wanted_ids(tx, names):
        return rows_of(tx, f"SELECT *{kind.more} FROM {kind.table} WHERE {kind.key} IN (SELECT id FROM wanted)")


def _parents(**by_relation: str | None) -> tuple[Parent, ...]:
    return tuple(Parent(name.replace("_", " "), node) for name, node in by_relation.items() if node)


def _frame(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"{row['dataset']}, session {row['session_id']}, number {row['frame_number']}, from {row['origin']}"
    return LineageNode(row["frame_id"], "frame", summary, (Parent("pixels", row["image_hash"]),))


def _annotation(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"by {row['source']}, revision {row['revision']}, {row['created_at']}"
    parents = _parents(of=row["item_id"], asked_by=row["task_id"])
    return LineageNode(row["annotation_id"], "label", summary, parents)


def _task(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"rank {row['rank']} for {row['for_class']}, score {float(row['score']):.6g}, {row['state']}"
    return LineageNode(row["task_id"], "task", summary, _parents(of=row["item_id"], picked_in=row["round_id"]))


def _round(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    parents = _parents(
        trained_on=row["trained_on"],
        scored_by=row["ensemble_id"],
        scores=row["score_id"],
        pool=row["pool"],
        guarded_by=row["guard"],
    )
    return LineageNode(row["round_id"], "round", f"{row['strategy']}, {row['state']}", parents)


def _version(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    parents = _parents(grown_from=row["parent_id"], appended_by=row["round_id"], manifest=row["manifest_hash"])
    added = _added(tx, blobs, row) if row["added"] <= LISTED else ()
    summary = f"{row['purpose']}, {row['items']} items, {row['added']} added"
    return LineageNode(row["version_id"], "dataset version", summary, parents + added)


def _added(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> tuple[Parent, ...]:
    """Labels that a version added, and items that it took in without one."""
    items = version_table(tx, blobs, row["version_id"])
    if row["parent_id"]:
        inherited = version_table(tx, blobs, row["parent_id"])
        same = pc.is_in(items["annotation_id"], value_set=pc.filter(inherited["annotation_id"], _labelled(inherited)))
        items = items.filter(pc.invert(pc.or_(same, pc.is_in(items["item_id"], value_set=_bare(inherited)))))
    labels: list[str] = items["annotation_id"].filter(_labelled(items)).to_pylist()
    bare: list[str] = _bare(items).to_pylist()
    return tuple(Parent("label", label) for label in labels) + tuple(Parent("item", item) for item in bare)


def _labelled(items: pa.Table) -> pa.ChunkedArray:
    return pc.not_equal(items["annotation_id"], "")


def _bare(items: pa.Table) -> pa.ChunkedArray:
    return items["item_id"].filter(pc.invert(_labelled(items)))


def _ensemble(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    parents = _parents(trained_on=row["dataset_version_id"], encoder=row["encoder_id"], weights=row["weights_hash"])
    summary = f"{row['members']} x {row['family']}, seed {row['seed']}, {row['created_at']}"
    return LineageNode(row["ensemble_id"], "ensemble", summary, parents)


def _encoder(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    parents = _parents(fitted_on=row["pool_id"], content=row["blob_hash"])
    return LineageNode(row["encoder_id"], "encoder", row["family"], parents)


def _pool(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    items: list[str] = []
    if row["frames"] <= LISTED:
        items = pool_table(tx, blobs, row["pool_id"])["item_id"].to_pylist()
    summary = f"{row['frames']} items matching {row['filter']!r}"
    parents = _parents(manifest=row["manifest_hash"]) + tuple(Parent("item", item_id) for item_id in items)
    return LineageNode(row["pool_id"], "pool", summary, parents)


def _score_set(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    parents = _parents(scored_by=row["ensemble_id"], pool=row["pool_id"])
    return LineageNode(row["score_id"], "scores", f"{row['frames']} items, {row['formula']}", parents)


def _policy(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    how = "cloned" if row["cloned"] else "practised"
    summary = f"{row['members']} x {row['network']}, {how}, seed {row['seed']}, {row['created_at']}"
    parents = _parents(went_on_from=row["parent_id"], trained_on=row["dataset_version_id"], weights=row["weights_hash"])
    return LineageNode(row["policy_id"], "policy", summary, parents)


def _suite(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    listed = read_scenarios(blobs, row["scenarios_hash"]) if row["scenarios"] <= LISTED else ()
    summary = f"{row['name']!r}, {row['scenarios']} scenarios that matched {row['filter']!r}"
    parents = _parents(content=row["scenarios_hash"])
    return LineageNode(
        row["suite_id"], "suite", summary, parents + tuple(Parent("scenario", each.scenario_id) for each in listed)
    )


def _evaluation(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"failure rate {row['failure']:.4g}, {row['created_at']}"
    policy = row["policy_id"] if row["policy_id"] != EXPERT else None
    parents = _parents(of=policy, on=row["suite_id"], results=row["results_hash"])
    summary = summary if policy else f"of the expert, {summary}"
    return LineageNode(row["evaluation_id"], "evaluation", summary, parents)


def _licence(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"{row['name']!r} {'issued' if row['issued'] else 'refused'}, {row['created_at']}"
    return LineageNode(row["licence_id"], "licence", summary, _parents(decided_by=row["evaluation_id"]))


def _scenario(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    summary = f"{row['dataset']}, session {row['session_id']}, {row['name']}, shard {row['shard']} {row['shard_row']}"
    return LineageNode(row["scenario_id"], "scenario", summary, _parents(read_from=row["source_id"]))


def _source(tx: Transaction, blobs: BlobStore, row: Mapping[str, Any]) -> LineageNode:
    return LineageNode(row["source_id"], "file", f"{row['format']}, {row['origin']}", ())


_KINDS: Mapping[str, Kind] = {
    "frm": Kind("frames", "frame_id", _frame),
    "scn": Kind("scenarios", "scenario_id", _scenario),
    "ann": Kind("annotations", "annotation_id", _annotation),
    "tsk": Kind("tasks", "task_id", _task),
    "rnd": Kind(
        "rounds",
        "round_id",
        _round,
        ", spec->>'$.strategy.name' AS strategy, spec->>'$.pool_id' AS pool, "
        "spec->>'$.dataset_version_id' AS trained_on, "
        "(SELECT record->>'$.guard_hash' FROM selections WHERE selections.round_id = rounds.round_id) AS guard",
    ),
    "dsv": Kind("dataset_versions", "version_id", _version),
    "ens": Kind(
        "ensembles",
        "ensemble_id",
        _ensemble,
        ", ensemble->>'$.spec.family' AS family, ensemble->>'$.spec.members' AS members, ensemble->>'$.seed' AS seed",
    ),
    "enc": Kind("encoders", "encoder_id", _encoder),
    "pool": Kind("pools", "pool_id", _pool),
    "scr": Kind("score_sets", "score_id", _score_set),
    "pol": Kind(
        "policies",
        "policy_id",
        _policy,
        ", policy->>'$.spec.network' AS network, policy->>'$.spec.members' AS members, policy->>'$.seed' AS seed, "
        "json_type(policy, '$.spec.cloning') <> 'NULL' AS cloned",
    ),
    "sui": Kind("suites", "suite_id", _suite),
    "evl": Kind("evaluations", "evaluation_id", _evaluation, ", evaluation->>'$.results_hash' AS results_hash"),
    "lic": Kind("licences", "licence_id", _licence),
    "src": Kind(
        "scenario_sources", "source_id", _source, ", record->>'$.format' AS format, record->>'$.origin' AS origin"
    ),
}
"""Prefix of an id to where it lies."""
