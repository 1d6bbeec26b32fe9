"""From ids to the arrays that a strategy sees."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acquisition import NO_GROUP
from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.connection import Transaction
from al_platform.domain.rounds import Round, RoundSpec
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import FrameEmbeddings, frame_embeddings
from al_platform.loop.exclusions import Exclusions
from al_platform.loop.guarding import NoiseGuard, suspected
from al_platform.loop.kinds import kind_of
from al_platform.loop.rows import PoolRows
from al_platform.loop.scores import ScoreFiles, pool_score_files, pool_scores
from al_platform.loop.strategies import PoolView, Reads, reads_of, strategy_named
from al_platform.models.records import Unreadable
from al_platform.scoring.read import DenseScores


def pool_view(
    context: LoopContext, round_: Round, pool: pa.Table, exclusions: Exclusions, *, guard: NoiseGuard | None
) -> tuple[PoolRows, PoolView, Unreadable]:
    """Give the rows of the round's pool, what its strategy may see of them, and which it cannot see, and why.

    May be picked what is not labelled, not among the exclusions, scored if scores are read, and matches the filter;
    for a target what is suited to it and not kept away by the guard.
    """
    spec, strategy = round_.spec, strategy_named(round_.spec.strategy.name)
    with context.catalog.transaction() as tx:
        labelled = dataset_catalog.version_table(tx, context.blobs, spec.dataset_version_id)["item_id"]
        matching = kind_of(spec.model).matching(tx, spec.filter)["item_id"] if spec.filter else pool["item_id"]
        groups = _groups(tx, spec, pool["item_id"])
        suited = kind_of(spec.model).suited(tx, spec.targets, pool["item_id"])
    rows = PoolRows(pool["item_id"])
    files, dense = _scores(context, round_, reads_of(spec))
    available = rows.mask_of(matching) & ~rows.mask_of(labelled)
    available &= ~rows.mask_of((*exclusions.queued, *exclusions.unreadable))
    listed = np.array(rows.rows_of(spec.listed)) if spec.listed else None
    if listed is not None:
        available &= rows.mask_of(spec.listed)
    for scores in (files, dense):
        if scores is not None:
            available &= scores.scored
    guarded = _guarded(context, guard, rows, np.flatnonzero(available))
    embedded = FrameEmbeddings(np.zeros((pool.num_rows, 0)), np.zeros((0, 0)), {})
    if strategy.needs_embeddings or spec.strategy.minimum_distance:
        beside = labelled.to_pylist() if strategy.needs_embeddings else []
        embedded = frame_embeddings(context, round_, pool, labelled=beside)
    shown = None
    if strategy.needs_oracle and context.oracle is not None:
        shown = context.oracle.shows(pool["item_id"].to_pylist(), spec.targets, spec.frame_model.grid)
    view = PoolView(
        available=available & ~rows.mask_of(embedded.unreadable),
        scores=files.paths if files else None,
        measures=dense.measures if dense else None,
        embeddings=embedded.pool,
        labelled_embeddings=embedded.labelled,
        sessions=pool["session"].to_numpy(),
        timestamps_s=pc.fill_null(pool["timestamp_s"], float("nan")).to_numpy(),
        suited=_without(suited, guarded, shape=(pool.num_rows, len(spec.targets))),
        groups=groups,
        shown=shown,
        seed=spec.seed,
        strategy=spec.strategy,
        guarded=len(guarded),
        listed=listed,
    )
    return rows, view, embedded.unreadable


def _guarded(context: LoopContext, guard: NoiseGuard | None, rows: PoolRows, available: NDArray[Any]) -> NDArray[Any]:
    """Those of the available rows that the guard keeps away."""
    if guard is None:
        return available[:0]
    found: NDArray[Any] = available[suspected(context, guard, rows.ids_of(available))]
    return found


def _without(suited: NDArray[Any] | None, rows: NDArray[Any], *, shape: tuple[int, int]) -> NDArray[Any] | None:
    """The same but that these rows are suited to no target."""
    if not rows.size:
        return suited
    remaining = np.ones(shape, np.bool_) if suited is None else suited.copy()
    remaining[rows] = False
    return remaining


def _scores(context: LoopContext, round_: Round, reads: Reads) -> tuple[ScoreFiles | None, DenseScores | None]:
    score_id, targets = round_.score_id or "", round_.spec.targets
    return (
        pool_score_files(context, score_id, targets) if reads is Reads.BEST else None,
        pool_scores(context, score_id, targets) if reads is Reads.ALL else None,
    )


def _groups(tx: Transaction, spec: RoundSpec, pool: pa.ChunkedArray) -> NDArray[Any]:
    if spec.strategy.group_quota is None:
        return np.full(len(pool), NO_GROUP)
    return kind_of(spec.model).groups(tx, spec.strategy.group_tag, pool)
