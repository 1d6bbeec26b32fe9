"""Paths: the lines that movers follow, in one padded table, and what they mean to each other.

Axes: P paths, K points a metre apart, X crossings, N movers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.generator.curves import Float64s, joined, lengths, resampled
from sim.generator.network import LanePlan, Network, Way

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SIDEWAYS_MPS2 = 1.9
_BRAKING_MPS2 = 1.3
_IN_THE_WAY_M = 2.9
_WINDOW = 4


@dataclass(frozen=True)
class Paths:
    """All paths: those of vehicles first, in the order of the network's ways, then those of walkers."""

    line: Float64s
    """[P, K, 3] x, y, heading; the last point is repeated."""
    length: Float64s
    """[P] metres."""
    top_speed: Float64s
    """[P, K] m/s that the limit and the bends ahead allow."""
    gate: Float64s
    """[P] metres to the line in front of the junction; infinite without one."""
    clear: Float64s
    """[P] metres to where the junction is left."""
    crossing: Float64s
    """[P, X] metres to the middle of each crosswalk; infinite where the path does not cross it."""

    def at(self, path: Int64s, along: Float64s) -> Float64s:
        """[N, 3] x, y and heading at distances along paths; straight on beyond both ends."""
        last = np.maximum(self.length[path].astype(np.int64) - 1, 0)
        row = np.clip(np.floor(along).astype(np.int64), 0, last)
        here, there = self.line[path, row], self.line[path, row + 1]
        return np.asarray(here + (along - row)[:, None] * (there - here))

    def limit_at(self, path: Int64s, along: Float64s) -> Float64s:
        """[N] m/s."""
        row = np.clip(np.round(along).astype(np.int64), 0, self.top_speed.shape[1] - 1)
        return self.top_speed[path, row]


@dataclass(frozen=True)
class Conflicts:
    """Where the ways of vehicles cross or join in a junction."""

    begin: Float64s
    """[P, P] metres along the first to where the second comes near; infinite without conflict."""
    end: Float64s
    """[P, P] metres along the first to where the second has gone."""
    gives_way: Bools
    """[P, P] whether the first has to let the second go before."""
    exclusive: bool
    """Whether a vehicle inside keeps out all whose way conflicts."""


def paths_of(network: Network, walks: list[Float64s]) -> Paths:
    """Lay out the ways of the network, then the walks, as paths."""
    lanes = {lane.lane_id: lane for lane in network.lanes}
    lines = [resampled(joined([lanes[name].line for name in way.lane_ids]), 1.0) for way in network.ways]
    limits = [
        _limits(line, [lanes[name] for name in way.lane_ids]) for line, way in zip(lines, network.ways, strict=True)
    ]
    lines += [resampled(walk, 1.0) for walk in walks]
    most = max(map(len, lines)) + 1
    gates = [_gate(way, lanes) for way in network.ways] + [(np.inf, np.inf)] * len(walks)
    table = np.stack([_padded(line, most) for line in lines])
    top = np.full((len(lines), most), np.inf)
    for row, limit in enumerate(limits):
        top[row] = _padded(limit, most)
    return Paths(
        line=table,
        length=np.array([len(line) - 1.0 for line in lines]),
        top_speed=_anticipated(top),
        gate=np.array([gate for gate, _ in gates]),
        clear=np.array([clear for _, clear in gates]),
        crossing=_crossings(table, network),
    )


def conflicts_of(network: Network, paths: Paths) -> Conflicts:
    """Compare all ways within the junction, point by point."""
    count = len(network.ways)
    begin, end = np.full((count, count), np.inf), np.full((count, count), np.inf)
    near = [row for row in range(count) if np.isfinite(paths.gate[row])]
    spans = {row: np.arange(int(paths.gate[row]) + 1, int(paths.clear[row]) + 1) for row in near}
    for first in near:
        for second in near:
            if network.ways[first].lane_ids[0] == network.ways[second].lane_ids[0]:
                continue
            here, there = paths.line[first, spans[first], :2], paths.line[second, spans[second], :2]
            apart = ((here[:, None] - there[None]) ** 2).sum(axis=2).min(axis=1)
            touching = spans[first][apart < _IN_THE_WAY_M**2]
            if len(touching):
                begin[first, second], end[first, second] = touching[0] - 2.0, touching[-1] + 2.0
    return Conflicts(begin, end, _gives_way(network, begin, paths), exclusive=not network.circular)


def nearest(paths: Paths, places: Float64s, *, before: Int64s | None = None, count: int) -> Int64s:
    """[P, N] the point of each of the first `count` paths nearest to each place, searched near the one before."""
    lines = paths.line[:count, :, :2]
    if before is None:
        squares = (lines**2).sum(axis=2)[:, :, None] - 2.0 * lines @ places.T
        return np.asarray(squares.argmin(axis=1))
    window = np.clip(before[:, :, None] + np.arange(-_WINDOW, _WINDOW + 1), 0, lines.shape[1] - 1)
    found = lines[np.arange(count)[:, None, None], window] - places[None, :, None]
    best = (found**2).sum(axis=3).argmin(axis=2)
    return np.take_along_axis(window, best[:, :, None], axis=2)[:, :, 0]


def _limits(line: Float64s, lanes: list[LanePlan]) -> Float64s:
    ends = np.cumsum([lengths(lane.line)[-1] for lane in lanes])
    row = np.minimum(np.searchsorted(ends, np.arange(len(line))), len(lanes) - 1)
    limit = np.array([lane.speed_limit_mps for lane in lanes])[row]
    curvature = np.abs(np.gradient(line[:, 2]))
    return np.asarray(np.minimum(limit, np.sqrt(_SIDEWAYS_MPS2 / np.maximum(curvature, 1e-4))))


def _anticipated(top: Float64s) -> Float64s:
    """Slow down before what is slow, gently."""
    squares = top**2
    for column in range(top.shape[1] - 2, -1, -1):
        squares[:, column] = np.minimum(squares[:, column], squares[:, column + 1] + 2.0 * _BRAKING_MPS2)
    return np.sqrt(squares)


def _padded(values: Float64s, count: int) -> Float64s:
    return np.concatenate([values, np.repeat(values[-1:], count - len(values), axis=0)])


def _gate(way: Way, lanes: dict[str, LanePlan]) -> tuple[float, float]:
    if not way.gate_after:
        return np.inf, np.inf
    along = [float(lengths(lanes[name].line)[-1]) for name in way.lane_ids]
    inside = way.gate_after + way.inside
    return sum(along[: way.gate_after]), sum(along[:inside])


def _crossings(table: Float64s, network: Network) -> Float64s:
    found = np.full((len(table), len(network.crossings)), np.inf)
    for column, crossing in enumerate(network.crossings):
        middle, reach = crossing.ends.mean(axis=0), 0.5 * np.hypot(*(crossing.ends[1] - crossing.ends[0]))
        along = (crossing.ends[1] - crossing.ends[0]) / (2.0 * reach)
        ahead = (table[:, :, 0] - middle[0]) * -along[1] + (table[:, :, 1] - middle[1]) * along[0]
        aside = (table[:, :, 0] - middle[0]) * along[0] + (table[:, :, 1] - middle[1]) * along[1]
        on_it = (np.abs(aside) < reach) & (np.abs(ahead) < 0.75)
        row = np.where(on_it, np.abs(ahead), np.inf).argmin(axis=1)
        found[:, column] = np.where(on_it.any(axis=1), row, np.inf)
    return found


def _gives_way(network: Network, begin: Float64s, paths: Paths) -> Bools:
    """By rank; in a circle who has come further along it goes first."""
    conflict = np.isfinite(begin)
    rank = np.array([way.rank for way in network.ways])
    if not network.circular:
        same_phase = np.array([way.light for way in network.ways])
        return np.asarray(conflict & (rank[:, None] < rank[None]) & (same_phase[:, None] == same_phase[None]))
    inside = np.where(conflict, begin - paths.gate[: len(rank), None], 0.0)
    return np.asarray(conflict & (inside + 1.0 < inside.T))
