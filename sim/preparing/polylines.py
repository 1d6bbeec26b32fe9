"""Polylines in the plane: lengths, directions, resampling, projection. All [P, 2] float64, metres and radians."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.preparing.point_index import Float64s, Ints, PointIndex


def without_repeats(points: Float64s, *, nearer_than: float = 1e-3) -> Float64s:
    """Drop points that lie nearer than this to the one before (any number of columns; the first two count)."""
    if len(points) < 2:
        return points
    steps = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
    kept: Float64s = points[np.concatenate([[True], steps > nearer_than])]
    return kept


def distances_along(points: Float64s) -> Float64s:
    """[P] metres from the first point."""
    steps = np.diff(points[:, :2], axis=0)
    return np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])


def resampled(points: Float64s, step: float) -> Float64s:
    """Give points a step apart, the last one included, with all columns interpolated."""
    along = distances_along(points)
    wanted = np.arange(0.0, along[-1], step)
    if along[-1] - wanted[-1] > 1e-6:
        wanted = np.append(wanted, along[-1])
    return at(points, along, wanted)


def at(points: Float64s, along: Float64s, wanted: Float64s) -> Float64s:
    """Interpolate every column at distances along the line; beyond its ends the end points."""
    return np.stack([np.interp(wanted, along, column) for column in points.T], axis=1)


def headings(points: Float64s) -> Float64s:
    """[P] direction at each point, from its two neighbours."""
    ahead = np.empty_like(points[:, :2])
    ahead[1:-1] = points[2:, :2] - points[:-2, :2]
    ahead[0], ahead[-1] = points[1, :2] - points[0, :2], points[-1, :2] - points[-2, :2]
    return np.arctan2(ahead[:, 1], ahead[:, 0])


def turn(of: Float64s, against: Float64s | float) -> Float64s:
    """Difference of two headings in (-pi, pi]."""
    return -((np.asarray(against) - of + np.pi) % (2 * np.pi) - np.pi)


@dataclass(frozen=True)
class Projection:
    """Where points lie relative to a polyline."""

    along: Float64s
    """[Q] metres along the line of the nearest place on it."""
    beside: Float64s
    """[Q] signed distance from the line, positive on its left."""
    row: Ints
    """[Q] number of the nearest point of the line."""


def project(points: Float64s, queries: Float64s) -> Projection:
    """Find the nearest place on a polyline of at least two points, exact where points are closer than its bends."""
    nearest = PointIndex(points).nearest(queries)[1]
    along = distances_along(points)
    best: Float64s = np.full(len(queries), np.inf)
    result = Projection(np.zeros(len(queries)), np.zeros(len(queries)), nearest)
    for shift in (-1, 0):
        first = np.clip(nearest + shift, 0, len(points) - 2)
        start, leg = points[first, :2], points[first + 1, :2] - points[first, :2]
        length = np.maximum(np.linalg.norm(leg, axis=1), 1e-9)
        offset = queries - start
        share = np.clip((offset * leg).sum(1) / length**2, 0.0, 1.0)
        distance = np.linalg.norm(offset - share[:, None] * leg, axis=1)
        side = np.where(leg[:, 0] * offset[:, 1] - leg[:, 1] * offset[:, 0] >= 0, 1.0, -1.0)
        better = distance < best
        best = np.where(better, distance, best)
        result.along[better] = (along[first] + share * length)[better]
        result.beside[better] = (side * distance)[better]
    return result


def straight_pieces(points: Float64s, *, tolerance: float, longest: float) -> Float64s:
    """[Q, 4] x, y of both ends of straight pieces that follow a polyline within the tolerance (Douglas-Peucker)."""
    if len(points) < 2:
        return np.zeros((0, 4))
    kept = np.flatnonzero(_corners(points[:, :2], tolerance))
    ends = []
    for first, last in itertools.pairwise(kept):
        start, end = points[first, :2], points[last, :2]
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / longest)))
        cuts = start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start)
        ends.append(np.concatenate([cuts[:-1], cuts[1:]], axis=1))
    return np.concatenate(ends)


def _corners(points: Float64s, tolerance: float) -> NDArray[np.bool_]:
    """[P] the points to keep."""
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    open_parts = [(0, len(points) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        start, leg = points[first], points[last] - points[first]
        inner = points[first + 1 : last] - start
        length = np.hypot(*leg)
        off = np.hypot(*inner.T) if length < 1e-9 else np.abs(leg[0] * inner[:, 1] - leg[1] * inner[:, 0]) / length
        farthest = int(off.argmax())
        if off[farthest] > tolerance:
            corner = first + 1 + farthest
            kept[corner] = True
            open_parts += [(first, corner), (corner, last)]
    return kept
