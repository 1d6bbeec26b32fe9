"""Pick the best items of each class in turn, so that no class crowds out another.

Axes: N items of the pool, K classes, D embedding dimensions, L labelled items, P picks.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int64, Shaped
from numpy.typing import NDArray

from acquisition.control import control_order
from acquisition.limits import (
    Excluded,
    GroupCodes,
    Limits,
    SessionIds,
    Suited,
    Timestamps,
    require_budget,
    require_lengths,
    require_open,
    require_suited,
    require_told,
)
from acquisition.turns import CONTROL, Page, Turns

_NO_LIMITS = Limits()
_SMALLEST_BLOCK = 64  # Ranked items that are sorted out together at the least.


def round_robin(
    scores_NK: Float[NDArray[np.floating], "N K"],
    budget: int,
    *,
    session_ids: SessionIds | None = None,
    session_cap: int | None = None,
    limits: Limits = _NO_LIMITS,
    timestamps_s: Timestamps | None = None,
    group_codes: GroupCodes | None = None,
    embeddings_ND: Float[NDArray[np.floating], "N D"] | None = None,
    apart_from_LD: Float[NDArray[np.floating], "L D"] | None = None,
    order: Shaped[NDArray[np.generic], " N"] | None = None,
    excluded: Excluded | None = None,
    suited_NK: Suited | None = None,
    seed: int = 0,
) -> tuple[Int64[NDArray[np.int64], " P"], Int64[NDArray[np.int64], " P"]]:
    """Give (indices [P], classes [P]) in the order of picking: the items, and the class each was picked for.

    Turn t belongs to class t mod K and takes the item with the highest score of that class among those still
    open; equal scores go to the smaller `order` (frame ids, say), then to the smaller index. An item is
    closed by being picked and by the limits: a full session or group, a pick of its session too near in time
    (items whose clock is NaN take no part in that), a pick or one of `apart_from_LD` too near in its embedding.
    An item is picked only for classes that it is suited to, by `suited_NK`, or as control.
    A class without open items leaves the rotation, so P < budget exactly where pool and limits allow no more.
    The picks of a smaller budget are the first of a larger. Scores of `excluded` items are not looked at.
    Control picks have class CONTROL and follow `control_order` of the seed. `session_cap` is that of the limits,
    for those who want no other.

    Source: Haussmann et al. 2019 (round-robin over classes).

    Raises:
        ValueError: budget below 1, no class, an empty pool, a score that is not finite, or limits that cannot
            be kept for want of ids, clocks, groups or embeddings.
    """
    require_budget(budget)
    limits = limits if session_cap is None else replace(limits, session_cap=session_cap)
    open_N = np.ones(len(scores_NK), np.bool_) if excluded is None else ~excluded
    require_lengths(
        len(scores_NK),
        session_ids=session_ids,
        timestamps_s=timestamps_s,
        group_codes=group_codes,
        order=order,
        excluded=excluded,
    )
    require_told(limits, session_ids=session_ids, timestamps_s=timestamps_s, group_codes=group_codes)
    require_open(open_N)
    require_suited(scores_NK.shape, suited_NK)
    _require_finite(scores_NK, open_N)
    pool = _pool(open_N.size, session_ids, timestamps_s, group_codes)
    vectors = None if embeddings_ND is None else embeddings_ND.__getitem__
    turns = Turns(scores_NK.shape[1], limits=limits, vectors=vectors)
    if apart_from_LD is not None:
        turns.avoid(apart_from_LD)
    first_block = 2 * budget // scores_NK.shape[1] + _SMALLEST_BLOCK
    pages = {
        klass: _pages(
            turns,
            pool,
            np.ascontiguousarray(scores_NK[:, klass]),
            order=order,
            open_N=open_N if suited_NK is None else open_N & suited_NK[:, klass],
            block=first_block,
        )
        for klass in range(scores_NK.shape[1])
    }
    if limits.control_share:
        allowed = np.flatnonzero(open_N)
        drawn = allowed[control_order(allowed, pool.sessions[allowed], seed=seed)]
        pages[CONTROL] = iter([pool.only(drawn)])
    while (short := turns.run(budget)) is not None:
        turns.add_page(short, next(pages[short], None))
    return np.array(turns.rows, np.int64), np.array(turns.classes, np.int64)


def _pool(
    count: int,
    session_ids: NDArray[np.generic] | None,
    timestamps_s: NDArray[np.floating] | None,
    group_codes: NDArray[np.integer] | None,
) -> Page:
    """All items as one page, with no scores yet."""
    sessions = np.zeros(count, np.int64) if session_ids is None else np.unique(session_ids, return_inverse=True)[1]
    return Page(np.arange(count), np.zeros(count), sessions, timestamps_s, group_codes)


def _pages(
    turns: Turns,
    pool: Page,
    scores_N: NDArray[np.floating],
    *,
    order: NDArray[np.generic] | None,
    open_N: NDArray[np.bool_],
    block: int,
) -> Iterator[Page]:
    """All open items from best to worst in growing pages; equal scores are never parted by a page's end."""
    remaining = np.flatnonzero(open_N)
    while remaining.size:
        scores = scores_N[remaining]
        cut = max(0, remaining.size - block)
        best = scores >= np.partition(scores, cut)[cut]
        head = remaining[best]
        keys = (-scores[best],) if order is None else (order[head], -scores[best])
        ranked = head[np.lexsort(keys)]  # A stable sort of rising indices: what is still equal stays in their order.
        yield replace(pool.only(ranked), scores=scores_N[ranked])
        remaining = remaining[~best]
        remaining = remaining[turns.open_in(pool.only(remaining))]
        block *= 4


def _require_finite(scores_NK: NDArray[np.floating], open_N: NDArray[np.bool_]) -> None:
    bad_NK = ~np.isfinite(scores_NK) & open_N[:, None]
    if bad_NK.any():
        row, klass = np.argwhere(bad_NK)[0].tolist()
        raise ValueError(f"score {scores_NK[row, klass]} in row {row}, class {klass}: must be finite")
