"""From a round and what it may not pick to its tasks: what SELECT does, and what a check of it does again."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from acquisition import CONTROL
from al_platform.catalog import scores as score_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import pool_manifest, version_named
from al_platform.domain.environment import environment
from al_platform.domain.hashing import hash_bytes, hash_record
from al_platform.domain.ids import make_id
from al_platform.domain.labels import CONTROL_CLASS, LabelTask
from al_platform.domain.rounds import Round
from al_platform.domain.selections import SelectionRecord
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.exclusions import Exclusions, write_exclusions
from al_platform.loop.guarding import NoiseGuard, write_guard
from al_platform.loop.kinds import kind_of
from al_platform.loop.rows import PoolRows
from al_platform.loop.strategies import Picks, PoolView, picks_of
from al_platform.loop.view import pool_view
from al_platform.models.records import Unreadable


@dataclass(frozen=True)
class Selected:
    """The tasks of a round, best first, and what could not be picked."""

    tasks: list[LabelTask]
    exclusions: Exclusions
    allowed_hash: str
    unreadable: Unreadable
    """Found to be so in this selection, with the reason of each."""
    score_rows: int
    """Rows of scores, each of one item and class, that were read for the picks."""
    guarded: int
    """Items that the noise guard kept away."""


def select_items(
    context: LoopContext, round_: Round, pool: pa.Table, exclusions: Exclusions, *, guard: NoiseGuard | None
) -> Selected:
    """Give the picks of the round's strategy from the rows of its pool; equal inputs give equal picks.

    Raises: InvalidInput where nothing is left to pick from.
    """
    rows, view, unreadable = pool_view(context, round_, pool, exclusions, guard=guard)
    picks, lost = _readable_picks(context, round_, rows, view)
    unreadable = Unreadable({**unreadable, **lost})
    view = replace(view, available=view.available & ~rows.mask_of(lost))
    seen = {*exclusions.unreadable, *unreadable}
    return Selected(
        tasks=_tasks(round_, rows, picks),
        exclusions=replace(exclusions, unreadable=tuple(rows.ids_of(np.flatnonzero(rows.mask_of(seen))))),
        allowed_hash=_hash_of_allowed(view),
        unreadable=unreadable,
        score_rows=picks.score_rows,
        guarded=view.guarded,
    )


def record_of(context: LoopContext, round_: Round, selected: Selected, *, guard: NoiseGuard | None) -> SelectionRecord:
    """Give the record of a selection; its exclusions and its guard are stored by content."""
    exclusions_hash = write_exclusions(context.blobs, selected.exclusions)
    with context.catalog.transaction() as tx:
        return SelectionRecord(
            **inputs_of(tx, round_),
            exclusions_hash=exclusions_hash,
            guard_hash=write_guard(context.blobs, guard) if guard else None,
            allowed_hash=selected.allowed_hash,
            environment=environment(),
            picks_hash=digest_of(selected.tasks),
        )


def inputs_of(tx: Transaction, round_: Round) -> dict[str, Any]:
    """Give the inputs of a round's selection as the catalog holds them now, by the fields of a SelectionRecord."""
    picker_id = round_.ensemble_id or ""
    scored = score_catalog.score_set_named(tx, round_.score_id) if round_.score_id else None
    shards = score_catalog.shards_of(tx, scored.score_id) if scored else []
    return {
        "round_id": round_.round_id,
        "spec": round_.spec,
        "pool_manifest_hash": pool_manifest(tx, round_.spec.pool_id),
        "dataset_manifest_hash": version_named(tx, round_.spec.dataset_version_id).manifest_hash,
        "ensemble_id": picker_id,
        "weights_hash": kind_of(round_.spec.model).weights_of(tx, picker_id),
        "score_id": round_.score_id,
        "score_hash": hash_record([shard.hash for shard in shards]) if scored else None,
        "formula": scored.formula if scored else None,
    }


def digest_of(tasks: list[LabelTask]) -> str:
    """Give the digest of item, class, rank and score of every task, in order."""
    return hash_record([(task.item_id, task.for_class, task.rank, task.score) for task in tasks])


def _readable_picks(context: LoopContext, round_: Round, rows: PoolRows, view: PoolView) -> tuple[Picks, Unreadable]:
    """The strategy's picks; a picked item that cannot be read leaves the pool, and the strategy picks anew."""
    kind, lost = kind_of(round_.spec.model), Unreadable()
    while True:
        picks = picks_of(view, _items_to_pick(round_, view))
        unreadable = kind.lost(context, round_, rows.ids_of(picks.rows))
        if not unreadable:
            return picks, lost
        lost.update(unreadable)
        view = replace(view, available=view.available & ~rows.mask_of(unreadable))


def _hash_of_allowed(view: PoolView) -> str:
    """Digest of the rows that could be picked, and for which targets where they are not suited to all."""
    suited = b"" if view.suited is None else np.packbits(view.suited).tobytes()
    return hash_bytes(np.packbits(view.available).tobytes() + suited)


def _items_to_pick(round_: Round, view: PoolView) -> int:
    wanted, there = round_.spec.budget.frames, int(view.available.sum())
    what = kind_of(round_.spec.model).what
    if there and not view.open.any():
        kept_away = f"; {view.guarded} are likely bad recordings" if view.guarded else ""
        raise InvalidInput(
            f"pool {round_.spec.pool_id}: none of the {there} {what}s that could be picked is suited to "
            f"{', '.join(round_.spec.targets)}{kept_away}; ingest such {what}s, or name other targets"
        )
    if there == 0:
        left_out = f", or left out by the filter {round_.spec.filter!r}" if round_.spec.filter else ""
        raise InvalidInput(
            f"pool {round_.spec.pool_id}: every {what} is labelled, queued or unreadable{left_out}; ingest more {what}s"
        )
    return min(wanted, there)


def _tasks(round_: Round, rows: PoolRows, picks: Picks) -> list[LabelTask]:
    names = {CONTROL: CONTROL_CLASS, **dict(enumerate(round_.spec.targets))}
    return [
        LabelTask(
            task_id=make_id("tsk", round_.round_id, item_id),
            round_id=round_.round_id,
            item_id=item_id,
            for_class=names[int(class_index)],
            rank=rank,
            score=float(score),
        )
        for rank, (item_id, class_index, score) in enumerate(
            zip(rows.ids_of(picks.rows), picks.classes, picks.scores, strict=True)
        )
    ]
