"""Points in the plane, to be searched by nearness."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Float64s = NDArray[np.float64]
Ints = NDArray[np.int64]


class PointIndex:
    """An index of points; only their first two columns count."""

    def __init__(self, points: Float64s) -> None:
        self._tree = cKDTree(points[:, :2])

    def nearest(self, places: Float64s, *, within: float = np.inf) -> tuple[Float64s, Ints]:
        """[Q] distance and number of the nearest point; infinite, and a number past the last, where none is within."""
        distance, row = self._tree.query(places[..., :2], distance_upper_bound=within)
        return np.asarray(distance, np.float64), np.asarray(row, np.int64)

    def several(self, places: Float64s, count: int, *, within: float = np.inf) -> tuple[Float64s, Ints]:
        """[Q, K] distances and numbers of the nearest points, nearest first."""
        distance, row = self._tree.query(places[..., :2], k=np.arange(1, count + 1), distance_upper_bound=within)
        return np.asarray(distance, np.float64), np.asarray(row, np.int64)

    def within(self, places: Float64s, radius: float) -> list[list[int]]:
        """For each place the numbers of all points within the radius."""
        found = np.asarray(self._tree.query_ball_point(places[:, :2], radius, return_sorted=True))
        return [[int(row) for row in rows] for rows in found]

    def pairs(self, radius: float) -> Ints:
        """[N, 2] numbers of points that lie within the radius of each other."""
        return np.asarray(self._tree.query_pairs(radius, output_type="ndarray"), np.int64).reshape(-1, 2)
