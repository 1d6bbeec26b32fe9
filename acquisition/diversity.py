"""Pick items that are both informative and unlike everything that is labelled or already picked.

Axes: N items of the pool, L labelled items, D embedding dimensions, P picks, B items of one block.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy.typing import NDArray

from acquisition.control import control_order, exact_share, is_control
from acquisition.limits import Excluded, GroupCodes, Limits, OpenItems, SessionIds, Timestamps, require_budget
from acquisition.nearest import nearest_squared_distance
from acquisition.spacing import Known

_NO_LIMITS = Limits()
_BLOCK = 256  # Items whose distances are renewed together: few enough that most blocks never lead.
_READ_ROWS = 65_536


def distance_weighted(
    score_N: Float[NDArray[np.floating], " N"],
    embeddings_ND: Float[NDArray[np.floating], "N D"],
    labelled_LD: Float[NDArray[np.floating], "L D"],
    budget: int,
    *,
    limits: Limits = _NO_LIMITS,
    session_ids: SessionIds | None = None,
    timestamps_s: Timestamps | None = None,
    group_codes: GroupCodes | None = None,
    excluded: Excluded | None = None,
    seed: int = 0,
) -> tuple[Int64[NDArray[np.int64], " P"], Bool[NDArray[np.bool_], " P"]]:
    """Give (indices [P], whether each is control [P]): each time the largest score times squared distance.

    The distance is Euclid's, from the item's embedding to the nearest labelled or already picked one. Equal
    values go to the smaller index. With nothing labelled (L = 0) the first pick is by score alone. Limits and
    control picks as in `round_robin`, the minimum distance from picks alone; what control picks is picked, so others
    keep away from it. P < budget exactly where pool and limits allow no more, and the picks of a smaller
    budget are the first of a larger. Memory is O(N + L), whatever the budget, and embeddings are read in
    parts, so that a memory map will do.

    pick = argmax_f s(f) min_c |e(f) - e(c)|^2, over c labelled or picked. s = 1 gives the k-centre greedy.

    Source: Sener and Savarese 2018, Algorithm 1, weighted by the score.

    Raises:
        ValueError: budget below 1, an empty pool, a score that is negative or not finite, an embedding that
            is not finite, shapes that do not fit, or limits that cannot be kept for want of ids, clocks or groups.
    """
    require_budget(budget)
    _require_shapes(score_N, embeddings_ND, labelled_LD)
    items = OpenItems(
        score_N.size,
        limits=limits,
        session_ids=session_ids,
        timestamps_s=timestamps_s,
        group_codes=group_codes,
        excluded=excluded,
    )
    _require_scores(score_N, items.open_N)
    _require_finite_rows("embeddings", embeddings_ND)
    _require_finite_rows("labelled", labelled_LD)
    search = _GreedySearch(score_N, embeddings_ND, labelled_LD, items, Known(limits.minimum_distance))
    drawn, share = _drawn(items.open_N, limits, session_ids, seed=seed), exact_share(limits.control_share)
    picked: list[int] = []
    control: list[bool] = []
    while len(picked) < budget:
        by_chance = is_control(len(picked), share)
        item = next((each for each in drawn if search.allows(each)), None) if by_chance else search.best()
        if item is None:
            break
        search.pick(item)
        picked.append(item)
        control.append(by_chance)
    return np.array(picked, np.int64), np.array(control, np.bool_)


def _drawn(
    open_N: NDArray[np.bool_], limits: Limits, session_ids: NDArray[np.generic] | None, *, seed: int
) -> Iterator[int]:
    """The order in which control takes the items."""
    if not limits.control_share:
        return iter(())
    rows = np.flatnonzero(open_N)
    sessions = np.zeros(rows.size, np.int64)
    if session_ids is not None:
        sessions = np.unique(session_ids, return_inverse=True)[1][rows]
    return iter(rows[control_order(rows, sessions, seed=seed)].tolist())


class _GreedySearch:
    """The best open item, without renewing every item's distance after every pick.

    A distance to the nearest pick only ever falls, so an old value is an upper bound. Items of like value lie in
    one block, so that what can never win lies in blocks that never lead. A block remembers its best bound and how
    many picks it has seen; only one that leads is brought up to date, and it is picked from once it still leads.
    The result is that of renewing everything.
    """

    def __init__(
        self,
        score_N: NDArray[np.floating],
        embeddings_ND: NDArray[np.floating],
        labelled_LD: NDArray[np.floating],
        items: OpenItems,
        picks: Known,
    ) -> None:
        self._score_N = score_N.astype(np.float64)
        self._embeddings_ND = embeddings_ND
        self._items = items
        self._picks = picks
        self._by_score_alone = len(labelled_LD) == 0
        if not self._by_score_alone:
            self._arrange(nearest_squared_distance(embeddings_ND, labelled_LD))

    def best(self) -> int | None:
        """Give the open item of largest score times distance, the first of equals; None if all are closed."""
        if self._by_score_alone:  # Scores are no bounds of score times distance: blocks are made after this pick.
            return int(np.where(self._items.open_N, self._score_N, -np.inf).argmax())
        while (bound := self._bound_B.max()) > -np.inf:
            leaders = np.flatnonzero(self._bound_B == bound)
            stale = leaders[self._seen_B[leaders] < len(self._picks)]
            if stale.size == 0:
                return min(self._first_of(block, bound) for block in leaders.tolist())
            self._renew(int(stale[0]))
        return None

    def allows(self, item: int) -> bool:
        """Say whether the item is open and keeps its distance from the picks."""
        if not self._items.open_N[item] or self._picks.minimum_squared == 0.0:
            return bool(self._items.open_N[item])
        return bool(self._picks.nearest(self._embeddings_ND[item : item + 1])[0] >= self._picks.minimum_squared)

    def pick(self, item: int) -> None:
        """Count the item among those that others keep their distance from, and close what it closes."""
        closed = self._items.pick(item)
        self._picks.add(self._embeddings_ND[item])
        if self._by_score_alone:
            self._by_score_alone = False
            distance_N = self._picks.nearest(self._embeddings_ND)
            self._items.close(np.flatnonzero(distance_N < self._picks.minimum_squared))
            self._arrange(distance_N)
        else:
            self._value_N[closed] = -np.inf

    def _arrange(self, distance_N: NDArray[np.float64]) -> None:
        """Put the items into blocks by falling value."""
        self._distance_N = distance_N
        self._value_N = np.where(self._items.open_N, self._score_N * distance_N, -np.inf)
        self._order_N = np.argsort(-self._value_N, kind="stable")
        starts = np.arange(0, self._value_N.size, _BLOCK)
        self._bound_B = self._value_N[self._order_N[starts]]
        self._seen_B = np.full(starts.size, len(self._picks))

    def _renew(self, block: int) -> None:
        rows = self._rows(block)
        rows = rows[self._items.open_N[rows]]
        nearest = self._picks.nearest(self._embeddings_ND[rows], since=int(self._seen_B[block]))
        self._items.close(rows[nearest < self._picks.minimum_squared])
        self._distance_N[rows] = np.minimum(self._distance_N[rows], nearest)
        value = self._score_N[rows] * self._distance_N[rows]
        self._value_N[rows] = np.where(self._items.open_N[rows], value, -np.inf)
        self._bound_B[block] = self._value_N[rows].max(initial=-np.inf)
        self._seen_B[block] = len(self._picks)

    def _first_of(self, block: int, value: float) -> int:
        rows = self._rows(block)
        return int(rows[self._value_N[rows] == value].min())

    def _rows(self, block: int) -> NDArray[np.intp]:
        return self._order_N[block * _BLOCK : (block + 1) * _BLOCK]


def _require_shapes(
    score_N: NDArray[np.floating], embeddings_ND: NDArray[np.floating], labelled_LD: NDArray[np.floating]
) -> None:
    if len(score_N) != len(embeddings_ND):
        raise ValueError(f"{len(score_N)} scores for {len(embeddings_ND)} embeddings: must be as many")
    if labelled_LD.shape[1] != embeddings_ND.shape[1]:
        raise ValueError(
            f"labelled embeddings of {labelled_LD.shape[1]} dimensions, pool of {embeddings_ND.shape[1]}: "
            "must be the same (no labelled items: shape (0, D))"
        )


def _require_scores(score_N: NDArray[np.floating], open_N: NDArray[np.bool_]) -> None:
    bad_N = ~(np.isfinite(score_N) & (score_N >= 0.0)) & open_N
    if bad_N.any():
        row = int(bad_N.argmax())
        raise ValueError(f"score {score_N[row]} in row {row}: must be finite and at least 0")


def _require_finite_rows(name: str, rows_ND: NDArray[np.floating]) -> None:
    for start in range(0, len(rows_ND), _READ_ROWS):
        finite = np.isfinite(rows_ND[start : start + _READ_ROWS]).all(axis=1)
        if not finite.all():
            raise ValueError(f"{name} in row {start + int(finite.argmin())}: must be finite")
