"""The labels a loop begins with, and frozen test sets: bought outside of any round."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

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
    if not 1 <= frames <= len(pool):
        raise InvalidInput(f"start {frames}: must be at least 1 and at most the pool's {len(pool)} frames")
    rows = np.random.default_rng([seed, _START_STREAM]).permutation(len(pool))[:frames]
    return buy_version(context, annotator, pool.take(rows).to_pylist(), purpose=f"start {seed}")


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
