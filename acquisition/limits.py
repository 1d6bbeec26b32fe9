"""What may still be picked: caps per session and spacing in time, kept by every selection alike.

Axes: N items of the pool, P picks.
"""

import numpy as np
from jaxtyping import Bool, Float, Int64, Shaped
from numpy.typing import NDArray

SessionIds = Shaped[NDArray[np.generic], " N"]
Timestamps = Float[NDArray[np.floating], " N"]
Excluded = Bool[NDArray[np.bool_], " N"]


class OpenItems:
    """The items that may still be picked. Items only ever close, which is what lets selections be lazy.

    `open_N` is the one thing that changes, and `pick` the one that changes it.

    Raises:
        ValueError: no item to pick from, a cap or gap out of range or without the ids and clocks it needs, or
            an argument of another length than the pool.
    """

    def __init__(
        self,
        count: int,
        *,
        session_ids: SessionIds | None = None,
        session_cap: int | None = None,
        timestamps_s: Timestamps | None = None,
        minimum_gap_s: float = 0.0,
        excluded: Excluded | None = None,
    ) -> None:
        require_lengths(count, session_ids=session_ids, timestamps_s=timestamps_s, excluded=excluded)
        _require_cap(session_ids, session_cap)
        require_clocks(session_ids, timestamps_s, minimum_gap_s)
        self.open_N: NDArray[np.bool_] = np.ones(count, np.bool_) if excluded is None else ~excluded
        if not self.open_N.any():
            raise ValueError(f"empty pool: {count} items, none of them open to selection")
        self._gap_s = minimum_gap_s
        self._room_S: NDArray[np.int64] | None = None
        if session_ids is None or (session_cap is None and minimum_gap_s == 0.0):
            return
        sessions, self._session_of_N = np.unique(session_ids, return_inverse=True)
        self._room_S = np.full(sessions.size, count if session_cap is None else session_cap)
        clocks_s = np.full(count, np.nan) if timestamps_s is None else timestamps_s.astype(np.float64)
        # Items of one session lie together, in the order of its clock; those without a clock come last.
        self._film: NDArray[np.int64] = np.lexsort((clocks_s, self._session_of_N))
        self._clock_of_N, self._clocks_s = clocks_s, clocks_s[self._film]
        self._starts = np.searchsorted(self._session_of_N[self._film], np.arange(sessions.size + 1))

    def pick(self, item: int) -> NDArray[np.int64]:
        """Close the item and all that may not follow it; give the items that this closed, itself included."""
        if self._room_S is not None:
            self._room_S[self._session_of_N[item]] -= 1
        closing = self._closing(item)
        closed = closing[self.open_N[closing]]
        self.open_N[closed] = False
        return closed

    def _closing(self, item: int) -> NDArray[np.int64]:
        """The rest of the session when the item fills it, and the item's neighbours in time until then."""
        if self._room_S is None:
            return np.array([item])
        session = int(self._session_of_N[item])
        film = slice(int(self._starts[session]), int(self._starts[session + 1]))
        if self._room_S[session] == 0:
            return self._film[film]
        items, clocks_s = self._film[film], self._clocks_s[film]
        now_s = float(self._clock_of_N[item])
        if self._gap_s == 0.0 or np.isnan(now_s):
            return np.array([item])
        first = int(np.searchsorted(clocks_s, now_s - self._gap_s))
        last = int(np.searchsorted(clocks_s, now_s + self._gap_s, side="right"))
        near: NDArray[np.int64] = items[first:last][np.abs(clocks_s[first:last] - now_s) < self._gap_s]
        return near


def first_allowed(
    ranking_P: Int64[NDArray[np.int64], " P"],
    budget: int,
    *,
    session_ids: SessionIds,
    session_cap: int | None = None,
    timestamps_s: Timestamps | None = None,
    minimum_gap_s: float = 0.0,
    excluded: Excluded | None = None,
) -> Int64[NDArray[np.int64], "P2"]:
    """Give the first `budget` items of a ranking that the limits allow, in its order; fewer if it runs out.

    Lays caps and gaps on any order, for example on `uniform_random(count, count, seed=seed)`. The ranking
    holds indices into the pool that `session_ids` describes; None for the limits that are not wanted.

    Raises:
        ValueError: budget below 1, or limits that OpenItems refuses.
    """
    require_budget(budget)
    items = OpenItems(
        session_ids.size,
        session_ids=session_ids,
        session_cap=session_cap,
        timestamps_s=timestamps_s,
        minimum_gap_s=minimum_gap_s,
        excluded=excluded,
    )
    picked: list[int] = []
    for item in ranking_P.tolist():
        if len(picked) == budget:
            break
        if items.open_N[item]:
            items.pick(item)
            picked.append(item)
    return np.array(picked, np.int64)


def require_budget(budget: int) -> None:
    """Refuse budgets that pick nothing.

    Raises:
        ValueError: budget below 1.
    """
    if budget < 1:
        raise ValueError(f"budget {budget}: must be at least 1")


def require_lengths(count: int, **arguments: NDArray[np.generic] | None) -> None:
    """Refuse arguments of another length than the pool.

    Raises:
        ValueError: naming the argument.
    """
    for name, values in arguments.items():
        if values is not None and values.shape != (count,):
            raise ValueError(f"{name} of shape {values.shape}: must be one for each of the {count} items")


def _require_cap(session_ids: NDArray[np.generic] | None, session_cap: int | None) -> None:
    if session_cap is None:
        return
    if session_cap < 1:
        raise ValueError(f"session_cap {session_cap}: must be at least 1, or None for no cap")
    if session_ids is None:
        raise ValueError(f"session_cap {session_cap}: needs session_ids")


def require_clocks(
    session_ids: NDArray[np.generic] | None, timestamps_s: NDArray[np.floating] | None, minimum_gap_s: float
) -> None:
    """Refuse gaps that cannot be kept, and clocks that are infinite.

    Raises:
        ValueError: as said.
    """
    if not 0.0 <= minimum_gap_s < np.inf:
        raise ValueError(f"minimum_gap_s {minimum_gap_s}: must be 0 or more seconds")
    if minimum_gap_s > 0.0 and (session_ids is None or timestamps_s is None):
        raise ValueError(f"minimum_gap_s {minimum_gap_s}: needs session_ids and timestamps_s")
    if timestamps_s is not None and np.isinf(timestamps_s).any():
        raise ValueError("timestamps_s holds an infinite time: use NaN for items without a clock")
