"""Road edges from drivable areas: the outline of their union, drivable side left."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.recording import Float64s

_PIECE_M = 1.0
"""Outlines are told apart in pieces of this length."""
_BESIDE_M = 0.1
"""How far outside of its area a piece is asked whether another area goes on there."""


def edges_of(areas: Sequence[Float64s]) -> list[Float64s]:
    """Give lines [P, 3] with drivable ground on their left, from polygons [P, 3] whose last point joins the first.

    Where areas touch or overlap, what lies between them is no edge. Areas of fewer than three points, or with
    points that are not finite, have none.
    """
    rings = [_anticlockwise(area) for area in areas if len(area) > 2 and np.isfinite(area).all()]
    edges: list[Float64s] = []
    for number, ring in enumerate(rings):
        points = _in_pieces(np.concatenate([ring, ring[:1]]))
        steps = np.diff(points[:, :2], axis=0)
        outward = np.column_stack([steps[:, 1], -steps[:, 0]]) / np.linalg.norm(steps, axis=1, keepdims=True)
        outside = (points[:-1, :2] + points[1:, :2]) / 2.0 + _BESIDE_M * outward
        others = (other for place, other in enumerate(rings) if place != number)
        inner = np.zeros(len(outside), np.bool_)
        for other in others:
            inner |= within(outside, other[:, :2])
        edges.extend(_runs(points, ~inner))
    return edges


def within(points: Float64s, polygon: Float64s) -> NDArray[np.bool_]:
    """Say of points [N, 2] whether they lie in a polygon [P, 2], by the crossings of a ray in the direction of x."""
    x, y = points[:, :1], points[:, 1:]
    start, end = polygon, np.roll(polygon, -1, axis=0)
    spans = (start[:, 1] > y) != (end[:, 1] > y)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])  # level sides span nothing
    crossing_x = start[:, 0] + (y - start[:, 1]) / rise * (end[:, 0] - start[:, 0])
    return np.asarray((spans & (x < crossing_x)).sum(axis=1) % 2 == 1)


def _anticlockwise(area: Float64s) -> Float64s:
    keep = np.linalg.norm(np.diff(area[:, :2], axis=0, append=area[:1, :2]), axis=1) > 1e-6
    ring = area[keep]
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    doubled = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    return ring if doubled >= 0.0 else ring[::-1]


def _in_pieces(line: Float64s) -> Float64s:
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1))])
    counts = np.maximum(np.ceil(np.diff(along_m) / _PIECE_M).astype(int), 1)
    at_m = [np.linspace(along_m[row], along_m[row + 1], counts[row], endpoint=False) for row in range(len(counts))]
    places_m = np.concatenate([*at_m, along_m[-1:]])
    return np.column_stack([np.interp(places_m, along_m, line[:, axis]) for axis in range(3)])


def _runs(points: Float64s, edge: NDArray[np.bool_]) -> list[Float64s]:
    """The stretches of a closed line whose pieces are edges."""
    if edge.all():
        return [points]
    first = int(np.flatnonzero(~edge)[0])
    turned = np.concatenate([points[first:-1], points[: first + 1]])
    flags = np.roll(edge, -first)
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [turned[start : end + 1] for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
