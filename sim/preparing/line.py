"""The reference line of a route: the recorded path, made longer along the lanes at both ends."""

from dataclasses import dataclass

import numpy as np

from sim.preparing.following import OFF_LANES, chain_of, followed_lanes, onwards
from sim.preparing.lanes import LaneGraph, LanePoints
from sim.preparing.point_index import Float64s
from sim.preparing.polylines import at, distances_along, project, resampled, without_repeats
from sim.scenario.record import ROUTE_STEP_M

BEHIND_M = 40.0
AHEAD_M = 160.0
_PATH_STEP_M = 1.0
_BLEND_M = 25.0


@dataclass(frozen=True)
class Line:
    """The reference line and the lanes under it."""

    points: Float64s
    """[P, 2], 2 m apart."""
    chain: tuple[int, ...]
    """Lanes from the first to the last, numbers of the graph."""
    ego_along: Float64s
    """[T] metres along the line where the recorded ego was; never falls by more than it drove backwards."""


def reference_line(
    ego: Float64s, graph: LaneGraph, points: LanePoints | None, *, route: tuple[int, ...] = (), most_points: int
) -> Line:
    """Make the line from the ego's recorded poses [T, 3] (x, y, heading).

    The recorded path is the middle of it: distances are true to what was driven. In front of it and behind it
    the line bends over to the centres of the lanes that go on from where the ego was, `route` first where the
    source names it, else straightest; without lanes it goes straight on.
    """
    path = _driven(ego)
    lanes = followed_lanes(graph, points, path)
    chain = chain_of(lanes)
    onto, back = _lanes_ahead(graph, lanes[-1], route), _lanes_behind(graph, lanes[0])
    ahead = _continued(path[-1], path[-1] - path[-2], graph, onto, metres=AHEAD_M)
    behind = _continued(path[0], path[0] - path[1], graph, back, metres=BEHIND_M, backwards=True)
    whole = np.concatenate([behind.points[::-1], path, ahead.points])
    line = resampled(without_repeats(whole, nearer_than=1e-6), ROUTE_STEP_M)[:most_points]
    return Line(
        points=line,
        chain=tuple(dict.fromkeys([*behind.lanes[::-1], *chain, *ahead.lanes])),
        ego_along=_along(line, ego[:, :2]),
    )


@dataclass(frozen=True)
class _Continuation:
    points: Float64s
    """[Q, 2] away from the path, without its end point."""
    lanes: tuple[int, ...]


def _driven(ego: Float64s) -> Float64s:
    """[Q, 2] the path with points a metre apart; where the ego drove backwards the path waits. At least 1 m long."""
    forward = np.stack([np.cos(ego[0, 2]), np.sin(ego[0, 2])])
    kept = [ego[0, :2]]
    for x, y, heading in ego[1:]:
        step = np.array([x, y]) - kept[-1]
        if np.hypot(*step) >= _PATH_STEP_M and step @ np.array([np.cos(heading), np.sin(heading)]) > 0:
            kept.append(np.array([x, y]))
    if len(kept) == 1:
        kept.append(kept[0] + forward * _PATH_STEP_M)
    return resampled(np.array(kept), _PATH_STEP_M)


def _lanes_ahead(graph: LaneGraph, lane: int, route: tuple[int, ...]) -> list[int]:
    """The lane of the path's end and those that go on from it; none where no lane fits there."""
    if lane == OFF_LANES:
        return []
    named = route[route.index(lane) + 1 :] if lane in route else ()
    last = named[-1] if named else lane
    return [lane, *named, *onwards(graph, last, metres=AHEAD_M)]


def _lanes_behind(graph: LaneGraph, lane: int) -> list[int]:
    return [] if lane == OFF_LANES else [lane, *onwards(graph, lane, metres=BEHIND_M, backwards=True)]


def _continued(
    end: Float64s, way: Float64s, graph: LaneGraph, lanes: list[int], *, metres: float, backwards: bool = False
) -> _Continuation:
    """Go on from the end of the path in direction `way`, along the lanes of which the first is where the path ends."""
    straight = end + np.arange(1.0, metres + 1)[:, None] * way / np.hypot(*way)
    if not lanes:
        return _Continuation(straight, ())
    centres = [graph.lanes[row].points[:, :2] for row in lanes]
    centre = np.concatenate([part[::-1] if backwards else part for part in centres])
    centre = resampled(without_repeats(centre, nearer_than=0.2), 1.0)
    start = project(centre, end[None]).along[0]
    ahead = at(centre, distances_along(centre), start + np.arange(0.0, metres + 1))
    ahead = without_repeats(ahead)
    if len(ahead) < 2:
        return _Continuation(straight, tuple(lanes[:1]))
    blend = np.clip(1.0 - np.arange(len(ahead)) / _BLEND_M, 0.0, 1.0)[:, None] ** 2
    return _Continuation((ahead + blend * (end - ahead[0]))[1:], tuple(lanes))


def _along(line: Float64s, places: Float64s) -> Float64s:
    """[T] distance along the line, searched near the one before, so that a line that crosses itself is no trouble."""
    along = distances_along(line)
    result = np.empty(len(places))
    here = project(line, places[:1]).along[0]
    for step, place in enumerate(places):
        rows = np.flatnonzero((along > here - 12.0) & (along < here + 30.0))
        first, last = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, len(line))
        here = along[first] + project(line[first:last], place[None]).along[0]
        result[step] = here
    return result
