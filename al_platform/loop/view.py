"""From ids to the arrays that a strategy sees."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_by_id, frames_matching
from al_platform.domain.data import Frame
from al_platform.domain.rounds import Round
from al_platform.errors import NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import FrameEmbeddings, frame_embeddings
from al_platform.loop.exclusions import Exclusions
from al_platform.loop.rows import PoolRows
from al_platform.loop.scoring import PoolMeasures, read_scores
from al_platform.loop.strategies import PoolView, strategy_named
from al_platform.training.inputs import Unreadable


def pool_view(context: LoopContext, round_: Round, exclusions: Exclusions) -> tuple[PoolRows, PoolView, Unreadable]:
    """Give the rows of the round's pool, what its strategy may see of them, and which it cannot see, and why.

    May be picked what is not labelled, not among the exclusions, scored if scores are read, and matches the filter.
    """
    spec, strategy = round_.spec, strategy_named(round_.spec.strategy.name)
    with context.catalog.transaction() as tx:
        pool = dataset_catalog.pool_frames(tx, context.blobs, spec.pool_id)
        frames = frames_by_id(tx, pool)
        labelled = [item.frame_id for item in dataset_catalog.version_items(tx, context.blobs, spec.dataset_version_id)]
        matching = frames_matching(tx, spec.filter)["frame_id"].to_pylist() if spec.filter else pool
        scored, measures = _scores(tx, context, round_) if strategy.needs_scores else (pool, None)
    rows = PoolRows(pool)
    left_out = (*labelled, *exclusions.queued, *exclusions.unreadable)
    available = ~rows.mask_of(left_out) & rows.mask_of(scored) & rows.mask_of(matching)
    embedded = FrameEmbeddings(np.zeros((len(pool), 0)), np.zeros((0, 0)), {})
    if strategy.needs_embeddings:
        embedded = frame_embeddings(context, round_, pool, labelled)
    shown = None
    if strategy.needs_oracle and context.oracle is not None:
        shown = context.oracle.shows(pool, spec.targets, spec.model.grid)
    view = PoolView(
        available=available & ~rows.mask_of(embedded.unreadable),
        measures=measures.spread_over(rows.mask_of(scored)) if measures else None,
        embeddings=embedded.pool,
        labelled_embeddings=embedded.labelled,
        sessions=_session_codes(pool, frames),
        timestamps_s=np.array([_clock(frames[frame_id]) for frame_id in pool]),
        shown=shown,
        seed=spec.seed,
        strategy=spec.strategy,
    )
    return rows, view, embedded.unreadable


def _scores(tx: Transaction, context: LoopContext, round_: Round) -> tuple[list[str], PoolMeasures]:
    blob_hash = model_catalog.score_blob(tx, round_.score_id or "")
    if blob_hash is None:
        raise NotFound(f"scores {round_.score_id} of round {round_.round_id}: not in the catalog")
    return read_scores(context.blobs, blob_hash, round_.spec.targets)


def _session_codes(pool: list[str], frames: dict[str, Frame]) -> NDArray[Any]:
    sessions = pa.array([frames[frame_id].session_id for frame_id in pool], pa.string())
    codes: NDArray[Any] = sessions.dictionary_encode().indices.to_numpy()
    return codes


def _clock(frame: Frame) -> float:
    return float("nan") if frame.timestamp_s is None else frame.timestamp_s
