"""What may still be picked: caps, quotas and spacing in time, kept by every selection alike.

Axes: N items of the pool, K classes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from numpy.typing import NDArray

SessionIds = Shaped[NDArray[np.generic], " N"]
Timestamps = Float[NDArray[np.floating], " N"]
GroupCodes = Integer[NDArray[np.integer], " N"]
Excluded = Bool[NDArray[np.bool_], " N"]
Suited = Bool[NDArray[np.bool_], "N K"]
"""For which classes an item may be picked; control takes no heed of it."""

NO_GROUP = -1
"""The group of items that no quota counts."""


@dataclass(frozen=True)
class Limits:
    """What a selection keeps besides the ranking; the defaults keep nothing.

    Raises:
        ValueError: a limit that no selection can keep.
    """

    session_cap: int | None = None
    """At most this many picks of a session."""
    minimum_gap_s: float = 0.0
    """At least this many seconds between two picks of a session; items without a clock take no part."""
    group_quota: int | None = None
    """At most this many picks of a group."""
    minimum_distance: float = 0.0
    """At least this far, Euclid's distance of embeddings, from every other pick."""
    control_share: float = 0.0
    """Share of the picks that is control, in [0, 1), at ranks that follow from the share alone."""

    def __post_init__(self) -> None:
        """Refuse limits out of range."""
        for name in ("session_cap", "group_quota"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} {value}: must be at least 1, or None for no limit")
        for name, unit in (("minimum_gap_s", " seconds"), ("minimum_distance", "")):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} {getattr(self, name)}: must be 0 or more{unit}")
        if not 0.0 <= self.control_share < 1.0:
            raise ValueError(f"control_share {self.control_share}: must be at least 0 and below 1")


class OpenItems:
    """The items that may still be picked. Items only ever close, which is what lets selections be lazy.

    `open_N` is the one thing that changes, by `pick` and `close`. The minimum distance and the control share of the
    limits are left to those who rank.

    Raises:
        ValueError: no item to pick from, a limit without the ids, clocks or groups it needs, or an argument of
            another length than the pool.
    """

    def __init__(
        self,
        count: int,
        *,
        limits: Limits,
        session_ids: SessionIds | None = None,
        timestamps_s: Timestamps | None = None,
        group_codes: GroupCodes | None = None,
        excluded: Excluded | None = None,
    ) -> None:
        require_lengths(
            count, session_ids=session_ids, timestamps_s=timestamps_s, group_codes=group_codes, excluded=excluded
        )
        require_told(limits, session_ids=session_ids, timestamps_s=timestamps_s, group_codes=group_codes)
        self.open_N: NDArray[np.bool_] = np.ones(count, np.bool_) if excluded is None else ~excluded
        require_open(self.open_N)
        self._gap_s = limits.minimum_gap_s
        self._group_of_N = None if limits.group_quota is None else group_codes
        if self._group_of_N is not None:
            self._room_G = np.full(int(self._group_of_N.max()) + 1, limits.group_quota)
        self._room_S: NDArray[np.int64] | None = None
        if session_ids is None or (limits.session_cap is None and limits.minimum_gap_s == 0.0):
            return
        sessions, self._session_of_N = np.unique(session_ids, return_inverse=True)
        self._room_S = np.full(sessions.size, count if limits.session_cap is None else limits.session_cap)
        clocks_s = np.full(count, np.nan) if timestamps_s is None else timestamps_s.astype(np.float64)
        # Items of one session lie together, in the order of its clock; those without a clock come last.
        self._film: NDArray[np.int64] = np.lexsort((clocks_s, self._session_of_N))
        self._clock_of_N, self._clocks_s = clocks_s, clocks_s[self._film]
        self._starts = np.searchsorted(self._session_of_N[self._film], np.arange(sessions.size + 1))

    def pick(self, item: int) -> NDArray[np.int64]:
        """Close the item and all that may not follow it; give the items that this closed, itself included."""
        if self._room_S is not None:
            self._room_S[self._session_of_N[item]] -= 1
        closing = np.concatenate([self._closing(item), self._closing_group(item)])
        closed: NDArray[np.int64] = np.unique(closing[self.open_N[closing]])
        self.close(closed)
        return closed

    def close(self, items: NDArray[np.integer]) -> None:
        """Leave these items out from now on."""
        self.open_N[items] = False

    def _closing_group(self, item: int) -> NDArray[np.int64]:
        """The whole group when the item fills it."""
        if self._group_of_N is None or self._group_of_N[item] < 0:
            return np.zeros(0, np.int64)
        group = int(self._group_of_N[item])
        self._room_G[group] -= 1
        return np.flatnonzero(self._group_of_N == group) if self._room_G[group] == 0 else np.zeros(0, np.int64)

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


def require_open(open_N: Bool[NDArray[np.bool_], " N"]) -> None:
    """Refuse pools of which nothing may be picked.

    Raises:
        ValueError: as said.
    """
    if not open_N.any():
        raise ValueError(f"empty pool: {open_N.size} items, none of them open to selection")


def require_suited(shape: tuple[int, ...], suited_NK: Suited | None) -> None:
    """Refuse a table of other items and classes than the scores'.

    Raises:
        ValueError: as said.
    """
    if suited_NK is not None and suited_NK.shape != shape:
        raise ValueError(f"suited_NK of shape {suited_NK.shape}: must be one for each item and class, {shape}")


def require_told(
    limits: Limits,
    *,
    session_ids: NDArray[np.generic] | None,
    timestamps_s: NDArray[np.floating] | None,
    group_codes: NDArray[np.integer] | None,
) -> None:
    """Refuse limits that cannot be kept for want of what they count, and clocks that are infinite.

    Raises:
        ValueError: as said.
    """
    if limits.session_cap is not None and session_ids is None:
        raise ValueError(f"session_cap {limits.session_cap}: needs session_ids")
    if limits.group_quota is not None and group_codes is None:
        raise ValueError(f"group_quota {limits.group_quota}: needs group_codes")
    if limits.minimum_gap_s > 0.0 and (session_ids is None or timestamps_s is None):
        raise ValueError(f"minimum_gap_s {limits.minimum_gap_s}: needs session_ids and timestamps_s")
    if timestamps_s is not None and np.isinf(timestamps_s).any():
        raise ValueError("timestamps_s holds an infinite time: use NaN for items without a clock")
