"""Which items keep their distance from everything that is picked.

Axes: N items, L labelled items, D embedding dimensions.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from acquisition.nearest import nearest_squared_distance

Vectors = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Rows [N] to their embeddings [N, D]."""


class Apart:
    """Distances to the picks: of many items at once to the old picks, of one at a time to the new.

    What an item has seen is kept by its row, since a distance to the nearest pick only ever falls.
    """

    def __init__(self, minimum_distance: float, vectors: Vectors) -> None:
        self._minimum_squared = minimum_distance**2
        self._vectors = vectors
        self._known_LD: NDArray[np.float64] = np.empty((0, 0))
        self._count = 0
        self._seen: dict[int, tuple[int, float, NDArray[np.float64]]] = {}

    def avoid(self, vectors_LD: Float[NDArray[np.floating], "L D"]) -> None:
        """Keep the distance from these too."""
        for vector in vectors_LD.astype(np.float64):
            self._add(vector)

    def pick(self, row: int) -> None:
        """Keep the distance from this item, which has been looked at."""
        self._add(self._seen[row][2])

    def look_at(self, rows: Int64[NDArray[np.int64], " N"]) -> None:
        """Compare these items with all picks so far.

        Raises:
            ValueError: an embedding that is not finite.
        """
        vectors_ND = self._vectors(rows).astype(np.float64)
        finite_N = np.isfinite(vectors_ND).all(axis=1)
        if not finite_N.all():
            raise ValueError(f"embeddings in row {int(rows[~finite_N][0])}: must be finite")
        squared_N = self._nearest(vectors_ND)
        for row, squared, vector in zip(rows.tolist(), squared_N.tolist(), vectors_ND, strict=True):
            self._seen[row] = (self._count, squared, vector)

    def too_near(self, row: int) -> bool:
        """Say whether an item that has been looked at is nearer to a pick than the minimum distance."""
        seen, squared, vector = self._seen[row]
        if squared >= self._minimum_squared and seen < self._count:
            squared = min(squared, float(_squared(self._known_LD[seen : self._count], vector).min()))
            self._seen[row] = (self._count, squared, vector)
        return squared < self._minimum_squared

    def _nearest(self, vectors_ND: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared distances to the nearest pick, exact wherever that could decide.

        A matrix product tells which pick is nearest up to its rounding, so items that it finds far enough by no
        more than that are compared with every pick.
        """
        known_LD = self._known_LD[: self._count]
        if self._count == 0 or vectors_ND.size == 0:
            return np.full(len(vectors_ND), np.inf)
        squared_N = nearest_squared_distance(vectors_ND, known_LD)
        largest = max(float(np.square(vectors_ND).sum(axis=1).max()), float(np.square(known_LD).sum(axis=1).max()))
        rounding = 16.0 * (vectors_ND.shape[1] + 4) * np.finfo(np.float64).eps * largest
        close_N = (squared_N >= self._minimum_squared) & (squared_N <= self._minimum_squared + rounding)
        for item in np.flatnonzero(close_N).tolist():
            squared_N[item] = _squared(known_LD, vectors_ND[item]).min()
        return squared_N

    def _add(self, vector: NDArray[np.float64]) -> None:
        if self._count == len(self._known_LD):
            room = np.empty((max(64, self._count), vector.size))
            self._known_LD = np.concatenate([self._known_LD.reshape(-1, vector.size), room])
        self._known_LD[self._count] = vector
        self._count += 1


def _squared(known_LD: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    difference_LD = known_LD - vector
    squared_L: NDArray[np.float64] = np.einsum("ld,ld->l", difference_LD, difference_LD)
    return squared_L
