"""Pick items that are both informative and unlike everything that is labelled or already picked.

Axes: N items of the pool, L labelled items, D embedding dimensions, P picks, B items of one block.
"""

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from acquisition.limits import Excluded, OpenItems, SessionIds, Timestamps, require_budget
from acquisition.nearest import nearest_squared_distance

_BLOCK = 256  # Items whose distances are renewed together: few enough that most blocks never lead.


def distance_weighted(
    score_N: Float[NDArray[np.floating], " N"],
    embeddings_ND: Float[NDArray[np.floating], "N D"],
    labelled_LD: Float[NDArray[np.floating], "L D"],
    budget: int,
    *,
    session_ids: SessionIds | None = None,
    session_cap: int | None = None,
    timestamps_s: Timestamps | None = None,
    minimum_gap_s: float = 0.0,
    excluded: Excluded | None = None,
) -> Int64[NDArray[np.int64], " P"]:
    """Give indices [P] in the order of picking: each time the largest score times squared distance.

    The distance is Euclid's, from the item's embedding to the nearest labelled or already picked one. Equal
    values go to the smaller index. With nothing labelled (L = 0) the first pick is by score alone. Limits as
    in `round_robin`; P < budget exactly where pool, caps and gaps allow no more, and the picks of a smaller
    budget are the first of a larger. Memory is O(N + L), whatever the budget.

    pick = argmax_f s(f) min_c |e(f) - e(c)|^2, over c labelled or picked. s = 1 gives the k-centre greedy.

    Source: Sener and Savarese 2018, Algorithm 1, weighted by the score.

    Raises:
        ValueError: budget below 1, an empty pool, a score that is negative or not finite, an embedding that
            is not finite, shapes that do not fit, or limits that cannot be kept for want of ids or clocks.
    """
    require_budget(budget)
    _require_shapes(score_N, embeddings_ND, labelled_LD)
    items = OpenItems(
        score_N.size,
        session_ids=session_ids,
        session_cap=session_cap,
        timestamps_s=timestamps_s,
        minimum_gap_s=minimum_gap_s,
        excluded=excluded,
    )
    _require_scores(score_N, items.open_N)
    _require_finite_rows("embeddings", embeddings_ND)
    _require_finite_rows("labelled", labelled_LD)
    search = _GreedySearch(score_N, embeddings_ND, labelled_LD, items)
    picked: list[int] = []
    while len(picked) < budget and (item := search.best()) is not None:
        search.pick(item)
        picked.append(item)
    return np.array(picked, np.int64)


def core_set(
    embeddings_ND: Float[NDArray[np.floating], "N D"],
    labelled_LD: Float[NDArray[np.floating], "L D"],
    budget: int,
    *,
    session_ids: SessionIds | None = None,
    session_cap: int | None = None,
    timestamps_s: Timestamps | None = None,
    minimum_gap_s: float = 0.0,
    excluded: Excluded | None = None,
) -> Int64[NDArray[np.int64], " P"]:
    """Give indices [P] in the order of picking: each time the item farthest from all labelled or picked.

    Diversity alone, no model's opinion; with nothing labelled it starts from the first open item.

    Source: Sener and Savarese 2018, Algorithm 1 (k-centre greedy).

    Raises:
        ValueError: as `distance_weighted`.
    """
    return distance_weighted(
        np.ones(len(embeddings_ND)),
        embeddings_ND,
        labelled_LD,
        budget,
        session_ids=session_ids,
        session_cap=session_cap,
        timestamps_s=timestamps_s,
        minimum_gap_s=minimum_gap_s,
        excluded=excluded,
    )


class _GreedySearch:
    """The best open item, without renewing every item's distance after every pick.

    A distance to the nearest pick only ever falls, so an old value is an upper bound. Items lie in blocks
    that remember their best bound and how many picks they have seen; only a block that leads is brought up to
    date, and it is picked from once it still leads. The result is that of renewing everything.
    """

    def __init__(
        self,
        score_N: NDArray[np.floating],
        embeddings_ND: NDArray[np.floating],
        labelled_LD: NDArray[np.floating],
        items: OpenItems,
    ) -> None:
        self._score_N = score_N.astype(np.float64)
        self._embeddings_ND = embeddings_ND
        self._items = items
        self._distance_N = nearest_squared_distance(embeddings_ND, labelled_LD)
        by_score_alone = len(labelled_LD) == 0
        self._value_N = self._score_N.copy() if by_score_alone else self._score_N * self._distance_N
        self._value_N[~items.open_N] = -np.inf
        self._picks: list[NDArray[np.float64]] = []
        blocks = -(-score_N.size // _BLOCK)
        self._seen_B = np.zeros(blocks, np.int64)
        self._bound_B = np.maximum.reduceat(self._value_N, np.arange(0, score_N.size, _BLOCK))
        self._by_score_alone = by_score_alone

    def best(self) -> int | None:
        """Give the open item of largest score times distance, the first of equals; None if all are closed."""
        while True:
            leader = int(self._bound_B.argmax())
            if self._bound_B[leader] == -np.inf:
                return None
            if self._seen_B[leader] == len(self._picks):
                return leader * _BLOCK + int(self._value_N[self._rows(leader)].argmax())
            self._renew(leader)

    def pick(self, item: int) -> None:
        """Count the item among those that others keep their distance from, and close what it closes."""
        closed = self._items.pick(item)
        self._value_N[closed] = -np.inf
        self._picks.append(self._embeddings_ND[item].astype(np.float64))
        if self._by_score_alone:  # Scores are no bounds of score times distance: everything is renewed once.
            self._by_score_alone = False
            blocks = range(self._seen_B.size)
        else:
            blocks = np.unique(closed // _BLOCK).tolist()
        for block in blocks:
            self._renew(block)

    def _renew(self, block: int) -> None:
        rows = self._rows(block)
        unseen = np.array(self._picks[self._seen_B[block] :]).reshape(-1, self._embeddings_ND.shape[1])
        distance = self._distance_N[rows]
        np.minimum(distance, nearest_squared_distance(self._embeddings_ND[rows], unseen), out=distance)
        value_B = self._score_N[rows] * self._distance_N[rows]
        value_B[~self._items.open_N[rows]] = -np.inf
        self._value_N[rows] = value_B
        self._bound_B[block] = value_B.max()
        self._seen_B[block] = len(self._picks)

    def _rows(self, block: int) -> slice:
        return slice(block * _BLOCK, (block + 1) * _BLOCK)


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
    finite = np.isfinite(rows_ND).all(axis=1)
    if not finite.all():
        raise ValueError(f"{name} in row {int(finite.argmin())}: must be finite")
