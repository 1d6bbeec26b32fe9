"""Borders of a lane, cut out of the lines and edges that the source says lie beside it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sim.recording import Float64s

_WIDEST_M = 15.0
"""What is farther from the centre line than this does not border it."""
_COVERED = 0.9
"""A border of less than this share of the lane is none: the rest of it would have to be guessed."""


class BorderPart(NamedTuple):
    """From which to which point of the centre line a line or edge lies beside it."""

    first: int
    last: int
    feature: str


def border_of(centre: Float64s, parts: Sequence[BorderPart], lines: Mapping[str, Float64s]) -> Float64s | None:
    """Give the border of a lane [P, 2] in its direction, None where its source names none for nearly all of it."""
    pieces: list[Float64s] = []
    covered = 0
    for part in sorted(parts):
        line = lines.get(part.feature)
        if line is None or not 0 <= part.first < part.last < len(centre):
            continue
        piece = _between(line[:, :2], centre[part.first, :2], centre[part.last, :2])
        if piece is not None:
            pieces.append(piece)
            covered += part.last - part.first
    return np.concatenate(pieces) if pieces and covered >= _COVERED * (len(centre) - 1) else None


def _between(line: Float64s, start: Float64s, end: Float64s) -> Float64s | None:
    """The part of a line that runs from beside one point to beside another."""
    if len(line) < 2 or not (np.isfinite(line).all() and np.isfinite(start).all() and np.isfinite(end).all()):
        return None
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    (first_m, off_start_m), (last_m, off_end_m) = (_beside(line, along_m, point) for point in (start, end))
    if max(off_start_m, off_end_m) > _WIDEST_M or first_m == last_m:
        return None
    low_m, high_m = sorted((first_m, last_m))
    inside_m = along_m[(along_m > low_m) & (along_m < high_m)]
    at_m = np.concatenate([[low_m], inside_m, [high_m]])
    piece = np.column_stack([np.interp(at_m, along_m, line[:, axis]) for axis in range(2)])
    return piece if first_m < last_m else piece[::-1]


def _beside(line: Float64s, along_m: Float64s, point: Float64s) -> tuple[float, float]:
    """Where along a line it comes closest to a point, and how close."""
    steps = np.diff(line, axis=0)
    squared = np.maximum((steps**2).sum(axis=1), 1e-12)  # a repeated point has no length to divide by
    share = np.clip(((point - line[:-1]) * steps).sum(axis=1) / squared, 0.0, 1.0)
    off_m = np.linalg.norm(line[:-1] + share[:, None] * steps - point, axis=1)
    best = int(off_m.argmin())
    return float(along_m[best] + share[best] * (along_m[best + 1] - along_m[best])), float(off_m[best])
