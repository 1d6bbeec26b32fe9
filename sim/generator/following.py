"""Keeping one's distance: the intelligent driver model towards whoever is in the way.

Source: Treiber, Hennecke, Helbing 2000, "Congested traffic states in empirical observations and simulations".

Axes: V vehicles, N movers, P paths of vehicles.
"""

from dataclasses import dataclass

import numpy as np

from sim.generator.curves import Float64s
from sim.generator.movers import Movers
from sim.generator.network import Network
from sim.generator.paths import Int64s, Paths, nearest

HARDEST_MPS2 = -3.9
_SOFT_MPS2 = 1.7
_BRAKING_MPS2 = 2.2
_STANDING_M = 2.2
_BESIDE_M = 0.3
_REFRESH = 10
_ZIP_M = 90.0


@dataclass(frozen=True)
class Ahead:
    """The obstacle that each vehicle minds."""

    gap: Float64s
    """[V, N] metres; infinite for who is not in the way."""
    speed: Float64s
    """[V, N] m/s along the vehicle's path."""


class Sight:
    """Where every mover is along the path of every vehicle, followed from step to step."""

    def __init__(self, paths: Paths, vehicles: int) -> None:
        """Begin without knowing anything."""
        self._paths = paths
        self._vehicles = vehicles
        self._rows: Int64s | None = None

    def look(self, movers: Movers, pose: Float64s, *, count: int, tick: int) -> Ahead:
        """Who is in the way of whom; `count` paths belong to vehicles."""
        before = self._rows if tick % _REFRESH else None
        self._rows = nearest(self._paths, pose[:, :2], before=before, count=count)
        path = movers.path[: self._vehicles]
        row = self._rows[path]
        on_path = self._paths.line[path[:, None], row]
        return _in_the_way(movers, pose, on_path, row)


def _in_the_way(movers: Movers, pose: Float64s, on_path: Float64s, row: Int64s) -> Ahead:
    count = len(row)
    cosine, sine = np.cos(on_path[:, :, 2]), np.sin(on_path[:, :, 2])
    dx, dy = pose[None, :, 0] - on_path[:, :, 0], pose[None, :, 1] - on_path[:, :, 1]
    along, left = row + dx * cosine + dy * sine, dy * cosine - dx * sine
    turned = pose[None, :, 2] - on_path[:, :, 2]
    c, s = np.cos(turned), np.sin(turned)
    forward, sideways = movers.speed * c, movers.speed * s
    half_length = 0.5 * (np.abs(c) * movers.length + np.abs(s) * movers.width)
    half_width = 0.5 * (np.abs(s) * movers.length + np.abs(c) * movers.width)
    later = left + sideways * movers.foresight
    reach = half_width + 0.5 * movers.width[:count, None] + _BESIDE_M
    mine = _own_offset(movers, pose, on_path, count)
    low, high = np.minimum(left, later) - mine[:, None], np.maximum(left, later) - mine[:, None]
    ahead = along - movers.along[:count, None]
    blocks = (low < reach) & (high > -reach) & (ahead > 0.0) & (ahead < movers.sight) & (np.abs(left) < 30.0)
    blocks &= movers.here & movers.here[:count, None] & ~movers.reckless[:count, None]
    blocks[np.arange(count), np.arange(count)] = False
    gap = ahead - half_length - 0.5 * movers.length[:count, None]
    return Ahead(np.where(blocks, np.maximum(gap, 0.05), np.inf), forward)


def _own_offset(movers: Movers, pose: Float64s, on_path: Float64s, count: int) -> Float64s:
    """[V] metres that each vehicle itself is left of its path."""
    own = on_path[np.arange(count), np.arange(count)]
    dx, dy = pose[:count, 0] - own[:, 0], pose[:count, 1] - own[:, 1]
    return np.asarray(dy * np.cos(own[:, 2]) - dx * np.sin(own[:, 2]))


def zipped(ahead: Ahead, movers: Movers, network: Network, paths: Paths) -> Ahead:
    """Where two ways merge, count who is nearer to the joint on the other way as driving ahead on one's own."""
    count = len(ahead.gap)
    gap, path = ahead.gap.copy(), movers.path[:count]
    for first, second in network.merging:
        joint = {way: _length_before_last(network, way) for way in (first, second)}
        for mine, theirs in ((first, second), (second, first)):
            rows, others = np.flatnonzero(path == mine), np.flatnonzero(path == theirs)
            here, there = joint[mine] - movers.along[rows], joint[theirs] - movers.along[others]
            lead = here[:, None] - there[None]
            sees = (lead > 0) & (here[:, None] < _ZIP_M) & (here[:, None] > -5.0) & movers.here[others]
            room = lead - 0.5 * (movers.length[rows][:, None] + movers.length[others])
            cell = np.ix_(rows, others)
            gap[cell] = np.minimum(gap[cell], np.where(sees, np.maximum(room, 1.0), np.inf))
    return Ahead(gap, np.where(np.isfinite(gap) & ~np.isfinite(ahead.gap), movers.speed, ahead.speed))


def _length_before_last(network: Network, way: int) -> float:
    ids = network.ways[way].lane_ids[:-1]
    return float(sum(np.hypot(*np.diff(network.lane(name).line[:, :2], axis=0).T).sum() for name in ids))


def wanted(movers: Movers, ahead: Ahead, limit: Float64s, line: Float64s) -> Float64s:
    """[V] acceleration, m/s2: towards the wished speed, but no nearer than is safe to who or what is ahead.

    `limit` [V] is the speed that the road allows, `line` [V] metres to the line at which to stop.
    """
    count = len(limit)
    speed = movers.speed[:count]
    wish = np.maximum(limit * np.minimum(movers.wish[:count], 1.0), 0.01)
    ratio = speed / wish
    free = np.where(ratio <= 1.0, _SOFT_MPS2 * (1.0 - ratio**4), -1.6 * (speed - wish))
    squeeze = _squeeze(speed[:, None], ahead.speed, ahead.gap, movers.headway[:count, None]).max(axis=1, initial=0.0)
    squeeze = np.maximum(squeeze, _squeeze(speed, np.zeros(count), line + 1.3, 0.4))
    return np.asarray(np.maximum(np.minimum(free, _SOFT_MPS2 * (1.0 - squeeze)), HARDEST_MPS2))


def _squeeze(speed: Float64s, other: Float64s, gap: Float64s, headway: Float64s | float) -> Float64s:
    """Square of the wished distance over the distance."""
    closing = speed * (speed - other) / (2.0 * np.sqrt(_SOFT_MPS2 * _BRAKING_MPS2))
    desired = _STANDING_M + np.maximum(0.0, speed * headway + closing)
    return np.asarray((desired / np.maximum(gap, 0.05)) ** 2)
