"""Pick the best items of each class in turn, so that no class crowds out another.

Axes: N items of the pool, K classes, P picks, W a window of ranked items.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int64, Shaped
from numpy.typing import NDArray

from acquisition.limits import Excluded, OpenItems, SessionIds, Timestamps, require_budget

_WINDOW = 64  # Ranked items looked at together when the next open one is searched.


def round_robin(
    scores_NK: Float[NDArray[np.floating], "N K"],
    budget: int,
    *,
    session_ids: SessionIds | None = None,
    session_cap: int | None = None,
    timestamps_s: Timestamps | None = None,
    minimum_gap_s: float = 0.0,
    order: Shaped[NDArray[np.generic], " N"] | None = None,
    excluded: Excluded | None = None,
) -> tuple[Int64[NDArray[np.int64], " P"], Int64[NDArray[np.int64], " P"]]:
    """Give (indices [P], classes [P]) in the order of picking: the items, and the class each was picked for.

    Turn t belongs to class t mod K and takes the item with the highest score of that class among those still
    open; equal scores go to the smaller `order` (frame ids, say), then to the smaller index. An item is
    closed by being picked, by its session holding `session_cap` picks, or by a pick of its session less than
    `minimum_gap_s` away (items whose clock is NaN take no part in that). A class without open items leaves
    the rotation, so P < budget exactly where pool, caps and gaps allow no more. The picks of a smaller budget
    are the first of a larger. Scores of `excluded` items are not looked at.

    Source: Haussmann et al. 2019 (round-robin over classes).

    Raises:
        ValueError: budget below 1, no class, an empty pool, a score that is not finite, or limits that cannot
            be kept for want of ids or clocks.
    """
    require_budget(budget)
    count, classes = scores_NK.shape
    if classes == 0:
        raise ValueError(f"scores of shape {scores_NK.shape}: no class to pick for")
    items = OpenItems(
        count,
        session_ids=session_ids,
        session_cap=session_cap,
        timestamps_s=timestamps_s,
        minimum_gap_s=minimum_gap_s,
        excluded=excluded,
    )
    _require_finite(scores_NK, items.open_N)
    if order is not None and order.shape != (count,):
        raise ValueError(f"order of shape {order.shape}: must be one key for each of the {count} items")
    first_block = 2 * budget // classes + _WINDOW
    queues = [
        _open_by_rank(np.ascontiguousarray(scores_NK[:, k]), order, items.open_N, first_block) for k in range(classes)
    ]
    return _take_turns(queues, items, budget)


def _take_turns(
    queues: list[Iterator[int]], items: OpenItems, budget: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rotation = deque(enumerate(queues))
    indices: list[int] = []
    classes: list[int] = []
    while rotation and len(indices) < budget:
        klass, queue = rotation.popleft()
        item = next(queue, None)
        if item is None:
            continue
        items.pick(item)
        indices.append(item)
        classes.append(klass)
        rotation.append((klass, queue))
    return np.array(indices, np.int64), np.array(classes, np.int64)


def _open_by_rank(
    scores_N: NDArray[np.floating], order: NDArray[np.generic] | None, open_N: NDArray[np.bool_], block: int
) -> Iterator[int]:
    """Items from best to worst, each given only if it is open when it is asked for."""
    for ranked in _blocks_by_rank(scores_N, order, open_N, block):
        position = 0
        while position < ranked.size:
            window_W = ranked[position : position + _WINDOW]
            first = int(open_N[window_W].argmax())
            if open_N[window_W[first]]:
                yield int(window_W[first])
                position += first + 1
            else:
                position += window_W.size


def _blocks_by_rank(
    scores_N: NDArray[np.floating], order: NDArray[np.generic] | None, open_N: NDArray[np.bool_], block: int
) -> Iterator[NDArray[np.intp]]:
    """All open items from best to worst in growing blocks; equal scores are never parted by a block's end."""
    remaining = np.flatnonzero(open_N)
    while remaining.size:
        scores = scores_N[remaining]
        cut = max(0, remaining.size - block)
        best = scores >= np.partition(scores, cut)[cut]
        head = remaining[best]
        keys = (-scores[best],) if order is None else (order[head], -scores[best])
        yield head[np.lexsort(keys)]  # A stable sort of rising indices: what is still equal stays in their order.
        remaining = remaining[~best]
        remaining = remaining[open_N[remaining]]
        block *= 4


def _require_finite(scores_NK: NDArray[np.floating], open_N: NDArray[np.bool_]) -> None:
    bad_NK = ~np.isfinite(scores_NK) & open_N[:, None]
    if bad_NK.any():
        row, klass = np.argwhere(bad_NK)[0].tolist()
        raise ValueError(f"score {scores_NK[row, klass]} in row {row}, class {klass}: must be finite")
