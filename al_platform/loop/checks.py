"""What has to hold before anything of a round is kept: the cheapest checks first, before labels are bought."""

import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import pool_table, version_named
from al_platform.domain.rounds import RoundSpec
from al_platform.errors import InvalidInput
from al_platform.labeling.base import LabelingTool
from al_platform.loop.context import LoopContext
from al_platform.loop.kinds import FRAME_ITEMS, kind_of
from al_platform.loop.strategies import require_kept


def require_possible(context: LoopContext, spec: RoundSpec) -> None:
    """Check what the specification alone decides.

    Raises: InvalidInput for a strategy, annotator or family that nobody knows, a limit that the strategy cannot keep,
        an image that the family cannot take, or what items of this kind do not have.
    """
    require_kept(spec.strategy)
    tool_named(context, spec.annotator)
    kind_of(spec.model).require_possible(spec)


def require_present(context: LoopContext, spec: RoundSpec) -> None:
    """Check what the round begins with.

    Raises: NotFound for a pool, dataset version or policy that the catalog lacks; InvalidInput for a class of which
        the labels say nothing, a pool of another kind, a time gap in a pool without clocks, a quota of a tag that no
        item carries, or a filter that leaves nothing of the pool.
    """
    kind_of(spec.model).require_present(context, spec)
    with context.catalog.transaction() as tx:
        require_pickable(tx, spec, pool_table(tx, context.blobs, spec.pool_id), described=spec.pool_id)
        if spec.test_version_id is not None:
            version_named(tx, spec.test_version_id)


def require_pickable(tx: Transaction, spec: RoundSpec, pool: pa.Table, *, described: str) -> None:
    """Check that the round's limits leave something of a pool, which is given by its rows.

    Raises: InvalidInput for a time gap in a pool without clocks, a filter that leaves nothing of it, an item
        picked by hand that is not in it, or a pool of items of another kind.
    """
    kind = kind_of(spec.model)
    if ("image_hash" in pool.column_names) != (kind is FRAME_ITEMS):
        raise InvalidInput(f"pool {described}: does not hold {kind.what}s, which this round is of; freeze another pool")
    if spec.strategy.group_tag:
        kind.require_tag(tx, spec.strategy.group_tag)
    outside = sorted(set(spec.listed).difference(pool["item_id"].to_pylist())) if spec.listed else []
    if outside:
        raise InvalidInput(
            f"{kind.what} {outside[0]}: not in pool {described}; name {kind.what}s of it, or another round"
        )
    matching = kind.matching(tx, spec.filter)["item_id"] if spec.filter else pool["item_id"]
    if not pc.any(pc.is_in(pool["item_id"], value_set=matching)).as_py():
        raise InvalidInput(
            f"filter {spec.filter!r}: matches no {kind.what} of pool {described}; leave it out or widen it"
        )
    gap_s, clocks = spec.strategy.minimum_gap_s, pool["timestamp_s"]
    if gap_s and clocks.null_count == len(clocks):
        raise InvalidInput(f"gap {gap_s:g} s: no {kind.what} of the pool has a timestamp; use a session cap instead")


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
