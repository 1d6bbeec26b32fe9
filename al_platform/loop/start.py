"""The labels a loop begins with, and frozen test sets: bought outside of any round."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog.annotations import add_annotations
from al_platform.catalog.datasets import add_version
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetItem
from al_platform.errors import InvalidInput
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.loop.context import LoopContext

_START_STREAM = 1
"""Keeps these draws apart from others of the same seed."""


def buy_start(
    context: LoopContext, annotator: OfflineAnnotator, pool: pa.ChunkedArray, *, frames: int, seed: int
) -> str:
    """Label a start set drawn uniformly from the frame ids of a pool and give its dataset version.

    Raises: InvalidInput when the pool is smaller, or when none of the drawn frames has a known label.
    """
    rows = _drawn(pool, frames, seed=seed, what="frames")
    return buy_version(context, annotator, pool.take(rows).to_pylist(), purpose=f"start {seed}")


def take_in_start(context: LoopContext, pool: pa.ChunkedArray, *, scenarios: int, seed: int) -> str:
    """Take in a start set drawn uniformly from the scenarios of a pool, without triage; gives its dataset version.

    Raises: InvalidInput when the pool is smaller.
    """
    rows = _drawn(pool, scenarios, seed=seed, what="scenarios")
    with context.catalog.transaction() as tx:
        version = add_version(
            tx,
            context.blobs,
            parent_id=None,
            additions=[DatasetItem(item_id, "") for item_id in pool.take(rows).to_pylist()],
            purpose=f"start {seed}",
            round_id=None,
            now=utc_now(),
        )
    return version.version_id


def _drawn(pool: pa.ChunkedArray, count: int, *, seed: int, what: str) -> NDArray[np.int64]:
    if not 1 <= count <= len(pool):
        raise InvalidInput(f"start {count}: must be at least 1 and at most the pool's {len(pool)} {what}")
    return np.random.default_rng([seed, _START_STREAM]).permutation(len(pool))[:count]


def buy_version(context: LoopContext, annotator: OfflineAnnotator, frame_ids: Sequence[str], *, purpose: str) -> str:
    """Label these frames and give the dataset version that holds them.

    Raises: InvalidInput when none of them has a known label.
    """
    labels = annotator.buy(frame_ids)
    if not labels:
        raise InvalidInput(f"{purpose}: none of its {len(frame_ids)} frames has a known label; ingest labels with them")
    with context.catalog.transaction() as tx:
        ids = add_annotations(tx, labels, task_ids=[None] * len(labels), now=utc_now())
        items = [DatasetItem(label.frame_id, id_) for label, id_ in zip(labels, ids, strict=True)]
        version = add_version(
            tx, context.blobs, parent_id=None, additions=items, purpose=purpose, round_id=None, now=utc_now()
        )
    return version.version_id
