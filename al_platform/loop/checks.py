"""What has to hold before anything of a round is kept: the cheapest checks first, before labels are bought."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import jax
import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import pool_table, version_named
from al_platform.catalog.frames import frames_matching
from al_platform.catalog.tags import require_known_tag
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import RoundSpec
from al_platform.errors import InvalidInput
from al_platform.labeling.base import LabelingTool
from al_platform.loop.context import LoopContext
from al_platform.loop.models import labelled_frames
from al_platform.loop.strategies import require_kept
from al_platform.models.base import ModelFamily
from al_platform.models.families import family_named


def require_possible(context: LoopContext, spec: RoundSpec) -> None:
    """Check what the specification alone decides.

    Raises: InvalidInput for a strategy, annotator or family that nobody knows, a limit that the strategy cannot keep,
        or an image that the family cannot take.
    """
    require_kept(spec.strategy)
    tool_named(context, spec.annotator)
    require_trainable(spec.model)


def require_trainable(model: ModelSpec) -> None:
    """Check that the family has members of this specification; shapes alone are computed.

    Raises: InvalidInput for an unknown family, a size below 1, or an image that the family cannot take.
    """
    family = family_named(model.family)
    for name, size in model.options.items():
        if size < 1:
            raise InvalidInput(f"{name} {size}: must be at least 1")
    _shapes(family, model)


@lru_cache(maxsize=256)
def _shapes(family: ModelFamily, model: ModelSpec) -> None:
    """Compute the shapes of a member, once for a specification: it takes as long as many requests."""
    jax.eval_shape(lambda: family.init(model, jax.random.key(0)))


def require_present(context: LoopContext, spec: RoundSpec) -> None:
    """Check what the round begins with.

    Raises: NotFound for a pool or dataset version that the catalog lacks; InvalidInput for a class of which the
        labels say nothing, a time gap in a pool without clocks, a quota of a tag that no frame carries, or a filter
        that leaves nothing of the pool.
    """
    _require_known_classes(context, spec)
    with context.catalog.transaction() as tx:
        require_pickable(tx, spec, pool_table(tx, context.blobs, spec.pool_id), described=spec.pool_id)
        if spec.test_version_id is not None:
            version_named(tx, spec.test_version_id)


def require_pickable(tx: Transaction, spec: RoundSpec, pool: pa.Table, *, described: str) -> None:
    """Check that the round's limits leave something of a pool, which is given by its rows.

    Raises: InvalidInput for a time gap in a pool without clocks, a filter that leaves nothing of it, or a frame
        picked by hand that is not in it.
    """
    if spec.strategy.group_tag:
        require_known_tag(tx, spec.strategy.group_tag)
    outside = sorted(set(spec.listed).difference(pool["item_id"].to_pylist())) if spec.listed else []
    if outside:
        raise InvalidInput(f"frame {outside[0]}: not in pool {described}; name frames of the pool, or another round")
    matching = frames_matching(tx, spec.filter)["item_id"] if spec.filter else pool["item_id"]
    if not pc.any(pc.is_in(pool["item_id"], value_set=matching)).as_py():
        raise InvalidInput(f"filter {spec.filter!r}: matches no frame of pool {described}; leave it out or widen it")
    gap_s, clocks = spec.strategy.minimum_gap_s, pool["timestamp_s"]
    if gap_s and clocks.null_count == len(clocks):
        raise InvalidInput(f"gap {gap_s:g} s: no frame of the pool has a timestamp; use a session cap instead")


def require_labelled_classes(classes: Sequence[str], known: Collection[str], *, described: str) -> None:
    """Check that labels say of every class whether it is there.

    Raises: InvalidInput naming the classes that they do not speak of.
    """
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise InvalidInput(
            f"class {', '.join(unknown)}: no label of {described} says whether it is there; known are "
            f"{', '.join(sorted(known)) or 'none'}"
        )


def require_apart(pool: pa.ChunkedArray, test: pa.ChunkedArray) -> None:
    """Check that pool and test frames, given by the session ids of each, are of different sessions.

    Raises: InvalidInput naming one session that is in both.
    """
    shared = sorted(set(pool.unique().to_pylist()) & set(test.unique().to_pylist()))
    if shared:
        raise InvalidInput(
            f"pool and test set share {len(shared)} sessions, for example {shared[0]}: neighbouring frames look "
            "alike, so the test would not be neutral; split by session_id"
        )


def tool_named(context: LoopContext, name: str) -> LabelingTool:
    """Give a labelling tool.

    Raises: InvalidInput listing the known names.
    """
    if name not in context.tools:
        raise InvalidInput(
            f"annotator {name!r}: known are {', '.join(context.tools)}; label-studio is where ALP_LABEL_STUDIO_URL and "
            "ALP_LABEL_STUDIO_TOKEN are set"
        )
    return context.tools[name]


def _require_known_classes(context: LoopContext, spec: RoundSpec) -> None:
    _, _, annotations = labelled_frames(context, spec.dataset_version_id)
    known = {name for annotation in annotations.values() for name in annotation.classes}
    described = f"dataset version {spec.dataset_version_id}"
    require_labelled_classes(spec.model.classes, known, described=described)
