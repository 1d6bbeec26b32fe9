"""The fixed parts of an experiment: its pool and its frozen test set."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.frames import frames_matching
from al_platform.domain.clock import utc_now
from al_platform.errors import InvalidInput
from al_platform.experiments.records import ExperimentSpec, Thinning
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.loop.checks import require_apart
from al_platform.loop.context import LoopContext
from al_platform.loop.start import buy_version

_THINNING_STREAM = 2


@dataclass(frozen=True)
class Design:
    """What all arms share."""

    pool_id: str
    pool: tuple[str, ...]
    pool_sessions: int
    test_version_id: str
    test_frames: int
    test_sessions: int


def make_design(context: LoopContext, spec: ExperimentSpec, *, annotator: OfflineAnnotator, oracle: Oracle) -> Design:
    """Freeze pool and test set, before the first round.

    Raises: InvalidInput when either is empty, when a session has frames in both, or when the pool is too small for
        the rounds.
    """
    with context.catalog.transaction() as tx:
        pool = _known(frames_matching(tx, spec.pool_filter), oracle)
        test = _known(frames_matching(tx, spec.test_filter), oracle)
    _require_found(pool, test, spec)
    require_apart(pool["session_id"], test["session_id"])
    frame_ids: list[str] = pool["item_id"].to_pylist()
    if spec.thinning is not None:
        frame_ids = _thinned(frame_ids, spec, spec.thinning, oracle)
    _require_enough(frame_ids, spec)
    kept = pool.filter(pc.is_in(pool["item_id"], value_set=pa.array(frame_ids, pa.string())))
    described = spec.pool_filter if spec.thinning is None else f"{spec.pool_filter} thinned {spec.thinning}"
    test_version = buy_version(context, annotator, test["item_id"].to_pylist(), purpose="test")
    with context.catalog.transaction() as tx:
        pool_id = dataset_catalog.add_pool(tx, context.blobs, frame_ids, described=described, now=utc_now())
    return Design(
        pool_id=pool_id,
        pool=tuple(frame_ids),
        pool_sessions=len(kept["session_id"].unique()),
        test_version_id=test_version,
        test_frames=test.num_rows,
        test_sessions=len(test["session_id"].unique()),
    )


def _known(frames: pa.Table, oracle: Oracle) -> pa.Table:
    return frames.filter(pa.array(oracle.knows(frames["item_id"].to_pylist()), pa.bool_()))


def _require_found(pool: pa.Table, test: pa.Table, spec: ExperimentSpec) -> None:
    for frames, text, part in ((pool, spec.pool_filter, "pool"), (test, spec.test_filter, "test set")):
        if not frames.num_rows:
            raise InvalidInput(f"{part} {text!r}: no frame with a known label matches; ingest some, or widen it")


def _require_enough(frame_ids: list[str], spec: ExperimentSpec) -> None:
    """A last round may find less than its budget, but something."""
    needed = spec.start + (spec.rounds - 1) * spec.budget.frames + 1
    if spec.budget.objects is None and len(frame_ids) < needed:
        raise InvalidInput(
            f"start {spec.start}, {spec.rounds} rounds of {spec.budget.frames} frames: need {needed} frames, the pool "
            f"has {len(frame_ids)}; take fewer rounds, a smaller budget or a wider pool"
        )
    if not spec.start <= len(frame_ids):
        raise InvalidInput(f"start {spec.start}: the pool has {len(frame_ids)} frames")


def _thinned(frame_ids: list[str], spec: ExperimentSpec, thinning: Thinning, oracle: Oracle) -> list[str]:
    shows = oracle.shows(frame_ids, (thinning.class_name,), spec.model.grid)[:, 0]
    if not shows.any():
        raise InvalidInput(f"thinning {thinning.class_name!r}: no frame of the pool shows it; check its spelling")
    draws = np.random.default_rng([thinning.seed, _THINNING_STREAM]).random(len(frame_ids))
    keep = ~shows | (draws < 1.0 / thinning.keep_one_in)
    return [frame_id for frame_id, kept in zip(frame_ids, keep, strict=True) if kept]
