"""From ids to the arrays that a strategy sees."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.tasks import frames_taken
from al_platform.domain.data import Frame
from al_platform.domain.rounds import Round
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import FrameEmbeddings, frame_embeddings
from al_platform.loop.rows import PoolRows
from al_platform.loop.scores import pool_scores
from al_platform.loop.strategies import PoolView, strategy_named
from al_platform.models.records import Unreadable


def pool_view(context: LoopContext, round_: Round) -> tuple[PoolRows, PoolView, Unreadable]:
    """Give the rows of the round's pool, what its strategy may see of them, and which it cannot see, and why."""
    spec, strategy = round_.spec, strategy_named(round_.spec.strategy.name)
    with context.catalog.transaction() as tx:
        pool = dataset_catalog.pool_frames(tx, context.blobs, spec.pool_id)
        frames = frames_by_id(tx, pool)
        labelled = [item.frame_id for item in dataset_catalog.version_items(tx, context.blobs, spec.dataset_version_id)]
        taken = frames_taken(tx, spec.queue)
    rows = PoolRows(pool)
    scores = pool_scores(context, round_.score_id or "", spec.targets) if strategy.needs_scores else None
    available = ~rows.mask_of(labelled) & ~rows.mask_of(taken)
    if scores is not None:
        available &= scores.scored
    embedded = FrameEmbeddings(np.zeros((len(pool), 0)), np.zeros((0, 0)), {})
    if strategy.needs_embeddings:
        embedded = frame_embeddings(context, round_, pool, labelled)
    shown = None
    if strategy.needs_oracle and context.oracle is not None:
        shown = context.oracle.shows(pool, spec.targets, spec.model.grid)
    view = PoolView(
        available=available & ~rows.mask_of(embedded.unreadable),
        measures=scores.measures if scores else None,
        embeddings=embedded.pool,
        labelled_embeddings=embedded.labelled,
        sessions=_session_codes(pool, frames),
        timestamps_s=np.array([_clock(frames[frame_id]) for frame_id in pool]),
        shown=shown,
        seed=spec.seed,
        strategy=spec.strategy,
    )
    return rows, view, embedded.unreadable


def _session_codes(pool: list[str], frames: dict[str, Frame]) -> NDArray[Any]:
    sessions = pa.array([frames[frame_id].session_id for frame_id in pool], pa.string())
    codes: NDArray[Any] = sessions.dictionary_encode().indices.to_numpy()
    return codes


def _clock(frame: Frame) -> float:
    return float("nan") if frame.timestamp_s is None else frame.timestamp_s
