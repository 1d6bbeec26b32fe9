"""Which items keep their distance from everything that is picked.

Axes: N items, L vectors to keep away from, D embedding dimensions.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy.typing import NDArray

from acquisition.nearest import nearest_squared_distance

Vectors = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Rows [N] to their embeddings [N, D]."""


class Known:
    """Vectors that others are compared with, in the order in which they came."""

    def __init__(self, minimum_distance: float) -> None:
        self.minimum_squared = minimum_distance**2
        self._vectors_LD: NDArray[np.float64] = np.empty((0, 0))
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def add(self, vector_D: NDArray[np.floating]) -> None:
        """Compare with this one too."""
        if self._count == len(self._vectors_LD):
            room = np.empty((max(64, self._count), vector_D.size))
            self._vectors_LD = np.concatenate([self._vectors_LD.reshape(-1, vector_D.size), room])
        self._vectors_LD[self._count] = vector_D
        self._count += 1

    def nearest(
        self, vectors_ND: Float[NDArray[np.floating], "N D"], *, since: int = 0
    ) -> Float64[NDArray[np.float64], " N"]:
        """Squared distances [N] to the nearest that came after the first `since`, exact wherever that could decide.

        A matrix product tells which is nearest up to its rounding, so items that it finds far enough by no more than
        that are compared with every one.
        """
        known_LD = self._vectors_LD[since : self._count]
        if len(known_LD) == 0 or len(vectors_ND) == 0:
            return np.full(len(vectors_ND), np.inf)
        squared_N = nearest_squared_distance(vectors_ND, known_LD)
        if self.minimum_squared == 0.0 or len(known_LD) == 1:
            return squared_N
        largest = max(_largest_square(vectors_ND), _largest_square(known_LD))
        rounding = 16.0 * (vectors_ND.shape[1] + 4) * np.finfo(np.float64).eps * largest
        close_N = (squared_N >= self.minimum_squared) & (squared_N <= self.minimum_squared + rounding)
        for item in np.flatnonzero(close_N).tolist():
            squared_N[item] = self.nearest_to_one(vectors_ND[item].astype(np.float64), since=since)
        return squared_N

    def nearest_to_one(self, vector_D: NDArray[np.float64], *, since: int) -> float:
        """The same of one item, from the differences."""
        difference_LD = self._vectors_LD[since : self._count] - vector_D
        return float(np.einsum("ld,ld->l", difference_LD, difference_LD).min(initial=np.inf))


class Apart:
    """Distances to the picks: of many items at once to the old picks, of one at a time to the new.

    What an item has seen is kept by its row, since a distance to the nearest pick only ever falls.
    """

    def __init__(self, minimum_distance: float, vectors: Vectors) -> None:
        self._known = Known(minimum_distance)
        self._vectors = vectors
        self._seen: dict[int, tuple[int, float, NDArray[np.float64]]] = {}

    def avoid(self, vectors_LD: Float[NDArray[np.floating], "L D"]) -> None:
        """Keep the distance from these too."""
        for vector in vectors_LD:
            self._known.add(vector)

    def pick(self, row: int) -> None:
        """Keep the distance from this item, which has been looked at."""
        self._known.add(self._seen[row][2])

    def look_at(self, rows: Int64[NDArray[np.int64], " N"]) -> None:
        """Compare these items with all picks so far.

        Raises:
            ValueError: an embedding that is not finite.
        """
        vectors_ND = self._vectors(rows).astype(np.float64)
        finite_N = np.isfinite(vectors_ND).all(axis=1)
        if not finite_N.all():
            raise ValueError(f"embeddings in row {int(rows[~finite_N][0])}: must be finite")
        squared_N = self._known.nearest(vectors_ND)
        for row, squared, vector in zip(rows.tolist(), squared_N.tolist(), vectors_ND, strict=True):
            self._seen[row] = (len(self._known), squared, vector)

    def too_near(self, row: int) -> bool:
        """Say whether an item that has been looked at is nearer to a pick than the minimum distance."""
        seen, squared, vector = self._seen[row]
        if squared >= self._known.minimum_squared and seen < len(self._known):
            squared = min(squared, self._known.nearest_to_one(vector, since=seen))
            self._seen[row] = (len(self._known), squared, vector)
        return squared < self._known.minimum_squared


def _largest_square(vectors_ND: NDArray[np.floating]) -> float:
    return float(np.einsum("nd,nd->n", vectors_ND, vectors_ND, dtype=np.float64).max())
