"""From ids to the arrays that a strategy sees."""

import numpy as np
import pyarrow.compute as pc

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.frames import frames_matching
from al_platform.domain.rounds import Round
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import FrameEmbeddings, frame_embeddings
from al_platform.loop.exclusions import Exclusions
from al_platform.loop.rows import PoolRows
from al_platform.loop.scores import pool_scores
from al_platform.loop.strategies import PoolView, strategy_named
from al_platform.models.records import Unreadable


def pool_view(context: LoopContext, round_: Round, exclusions: Exclusions) -> tuple[PoolRows, PoolView, Unreadable]:
    """Give the rows of the round's pool, what its strategy may see of them, and which it cannot see, and why.

    May be picked what is not labelled, not among the exclusions, scored if scores are read, and matches the filter.
    """
    spec, strategy = round_.spec, strategy_named(round_.spec.strategy.name)
    with context.catalog.transaction() as tx:
        pool = dataset_catalog.pool_table(tx, context.blobs, spec.pool_id)
        labelled = dataset_catalog.version_table(tx, context.blobs, spec.dataset_version_id)["frame_id"]
        matching = frames_matching(tx, spec.filter)["frame_id"] if spec.filter else pool["frame_id"]
    rows = PoolRows(pool["frame_id"])
    scores = pool_scores(context, round_.score_id or "", spec.targets) if strategy.needs_scores else None
    available = rows.mask_of(matching) & ~rows.mask_of(labelled)
    available &= ~rows.mask_of((*exclusions.queued, *exclusions.unreadable))
    if scores is not None:
        available &= scores.scored
    embedded = FrameEmbeddings(np.zeros((pool.num_rows, 0)), np.zeros((0, 0)), {})
    if strategy.needs_embeddings:
        embedded = frame_embeddings(context, round_, pool["frame_id"].to_pylist(), labelled.to_pylist())
    shown = None
    if strategy.needs_oracle and context.oracle is not None:
        shown = context.oracle.shows(pool["frame_id"].to_pylist(), spec.targets, spec.model.grid)
    view = PoolView(
        available=available & ~rows.mask_of(embedded.unreadable),
        measures=scores.measures if scores else None,
        embeddings=embedded.pool,
        labelled_embeddings=embedded.labelled,
        sessions=pool["session"].to_numpy(),
        timestamps_s=pc.fill_null(pool["timestamp_s"], float("nan")).to_numpy(),
        shown=shown,
        seed=spec.seed,
        strategy=spec.strategy,
    )
    return rows, view, embedded.unreadable
