"""Lines that a car can drive: arrays [P, 3] of x, y (metres) and heading (radians, without jumps).

Turns begin and end with zero curvature, so that the steering angle never has to jump.
"""

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

STEP_M = 1.0
"""Points of a line lie about this far apart."""
_RAMP_SHARE = 0.25


def wrapped(angle: Float64s | float) -> Float64s:
    """Put an angle into [-pi, pi)."""
    return np.asarray((np.asarray(angle) + np.pi) % (2.0 * np.pi) - np.pi)


def drawn(start: Float64s, curvature: Float64s, *, step: float = STEP_M) -> Float64s:
    """Follow a curvature [P - 1] (1/m) from a pose [3], one step per value."""
    turned = step * curvature
    heading = start[2] + np.concatenate([[0.0], np.cumsum(turned)])
    middle = heading[:-1] + 0.5 * turned
    x = start[0] + np.concatenate([[0.0], np.cumsum(step * np.cos(middle))])
    y = start[1] + np.concatenate([[0.0], np.cumsum(step * np.sin(middle))])
    return np.stack([x, y, heading], axis=1)


def straight(start: Float64s, length: float) -> Float64s:
    """Go straight on from a pose [3] by at least one step."""
    steps = max(1, round(length / STEP_M))
    return drawn(start, np.zeros(steps), step=length / steps)


def beside(line: Float64s, left: Float64s | float) -> Float64s:
    """Shift a line to its left by metres (or by a metre count per point, changing slowly)."""
    normal = np.stack([-np.sin(line[:, 2]), np.cos(line[:, 2])], axis=1)
    shift = np.broadcast_to(np.asarray(left, dtype=np.float64), (len(line),))
    return np.concatenate([line[:, :2] + shift[:, None] * normal, line[:, 2:]], axis=1)


def backwards(line: Float64s) -> Float64s:
    """Drive the same line the other way."""
    return np.asarray(line[::-1] + np.array([0.0, 0.0, np.pi]))


def joined(lines: list[Float64s]) -> Float64s:
    """Put lines one after the other; each begins where the one before it ends. The heading stays without jumps."""
    points = [lines[0], *(line[1:] for line in lines[1:])]
    whole = np.concatenate(points)
    whole[:, 2] = np.unwrap(whole[:, 2])
    return whole


def lengths(line: Float64s) -> Float64s:
    """[P] metres along a line from its first point."""
    pieces = np.hypot(*np.diff(line[:, :2], axis=0).T)
    return np.concatenate([[0.0], np.cumsum(pieces)])


def resampled(line: Float64s, step: float) -> Float64s:
    """Points exactly `step` metres apart; the rest at the end falls away."""
    along = lengths(line)
    marks = np.arange(0.0, along[-1], step)
    return np.stack([np.interp(marks, along, line[:, axis]) for axis in range(3)], axis=1)


def turn_between(start: Float64s, end: Float64s) -> Float64s:
    """Lead from one pose to another: straight on, one turn with gentle beginning and end, straight on.

    Poses whose directions differ by less than 9 degrees are joined by a curve of fifth degree instead.
    """
    angle = float(wrapped(end[2] - start[2]))
    if abs(angle) < 0.16:
        return quintic(start, end)
    before, after = _distances_to_corner(start, end)
    reach = min(before, after)
    turned = _unit_turn(angle)
    scale = reach / (turned[-1, 1] / np.sin(angle))
    first = straight(start, before - reach) if before - reach > 1e-6 else start[None]
    steps = max(8, round(scale / STEP_M))
    curve = drawn(first[-1], _turn_profile(angle, steps) / scale, step=scale / steps)
    pieces = [first, curve]
    if after - reach > 1e-6:
        pieces.append(straight(curve[-1], after - reach))
    whole = joined(pieces)
    whole[:, :2] += np.linspace(0.0, 1.0, len(whole))[:, None] * (end[:2] - whole[-1, :2])
    return whole


def quintic(start: Float64s, end: Float64s, *, start_curvature: float = 0.0, end_curvature: float = 0.0) -> Float64s:
    """Lead from one pose to another by a curve of fifth degree with given curvatures (1/m) at its ends."""
    chord = float(np.hypot(*(end[:2] - start[:2])))
    t = np.linspace(0.0, 1.0, max(8, round(chord / STEP_M)) * 4 + 1)
    forward = [np.array([np.cos(pose[2]), np.sin(pose[2])]) for pose in (start, end)]
    left = [np.array([-unit[1], unit[0]]) for unit in forward]
    v0, v1 = chord * forward[0], chord * forward[1]
    a0, a1 = chord**2 * start_curvature * left[0], chord**2 * end_curvature * left[1]
    gap = end[:2] - start[:2]
    c3 = 10 * gap - 6 * v0 - 4 * v1 - 1.5 * a0 + 0.5 * a1
    c4 = -15 * gap + 8 * v0 + 7 * v1 + 1.5 * a0 - a1
    c5 = 6 * gap - 3 * v0 - 3 * v1 - 0.5 * a0 + 0.5 * a1
    powers = t[:, None] ** np.arange(6)
    coefficients = np.stack([start[:2], v0, 0.5 * a0, c3, c4, c5])
    points = powers @ coefficients
    slope = (powers[:, :5] * np.arange(1, 6)) @ coefficients[1:]
    heading = np.unwrap(np.arctan2(slope[:, 1], slope[:, 0]))
    heading += 2.0 * np.pi * np.round((start[2] - heading[0]) / (2.0 * np.pi))
    return np.asarray(np.concatenate([points, heading[:, None]], axis=1)[::4])


def _distances_to_corner(start: Float64s, end: Float64s) -> tuple[float, float]:
    """How far the corner where both straights meet lies ahead of the start and behind the end."""
    forward = np.array([[np.cos(start[2]), np.cos(end[2])], [np.sin(start[2]), np.sin(end[2])]])
    before, after = np.linalg.solve(forward, end[:2] - start[:2])
    return float(before), float(after)


def _turn_profile(angle: float, steps: int) -> Float64s:
    """[steps] curvature of a turn of length 1: rising, constant, falling."""
    middle = (np.arange(steps) + 0.5) / steps
    shape = np.minimum(1.0, np.minimum(middle, 1.0 - middle) / _RAMP_SHARE)
    return np.asarray(shape * (angle * steps / shape.sum()))


def _unit_turn(angle: float) -> Float64s:
    return drawn(np.zeros(3), _turn_profile(angle, 64), step=1.0 / 64)
