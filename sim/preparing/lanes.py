"""The lanes of a map as a graph: where each leads, what lies beside it, how wide it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.kinds import LaneKind
from sim.preparing.point_index import Float64s, Ints, PointIndex
from sim.preparing.polylines import headings, project, resampled, turn, without_repeats
from sim.recording import Lane

_STEP_M = 1.0
_JOINT_M = 1.5
_JOINT_TURN = np.pi / 4
_BESIDE_M = (2.0, 5.5)
_BESIDE_TURN = 0.3
_USUAL_HALF_WIDTH_M = {LaneKind.FREEWAY: 1.85, LaneKind.BICYCLE: 0.9}
_HALF_WIDTH_M = 1.8
_HALF_WIDTH_LIMITS_M = (0.7, 4.0)


@dataclass(frozen=True)
class GraphLane:
    """A lane with points a metre apart."""

    lane_id: str
    points: Float64s
    """[P, 3]"""
    heading: Float64s
    """[P]"""
    left: Float64s
    """[P] metres from the centre line to the left border."""
    right: Float64s
    speed_limit: float
    """m/s; 0 for unknown."""
    drivable: bool
    """False for bicycle lanes."""


@dataclass(frozen=True)
class LaneGraph:
    """All usable lanes. Numbers are rows of `lanes`."""

    lanes: tuple[GraphLane, ...]
    exits: tuple[tuple[int, ...], ...]
    entries: tuple[tuple[int, ...], ...]
    neighbours: tuple[tuple[int, ...], ...]
    """Lanes in the same direction that one may change into."""
    dropped: int
    """Lanes of a single place."""

    def numbers(self, lane_ids: Sequence[str]) -> tuple[int, ...]:
        """Rows of lanes by their ids; ids that the graph does not have are passed over."""
        rows = {lane.lane_id: row for row, lane in enumerate(self.lanes)}
        return tuple(rows[lane_id] for lane_id in lane_ids if lane_id in rows)


@dataclass(frozen=True)
class LanePoints:
    """The points of all lanes in one row, for searching."""

    points: Float64s
    heading: Float64s
    lane: Ints
    index: PointIndex


def lane_graph(lanes: Sequence[Lane]) -> LaneGraph:
    """Build the graph. Where the source names no lane's exits or neighbours, they are found by geometry.

    Two lanes join where the end of one lies within 1.5 m of the beginning of the other and they turn less than 45
    degrees there. Two lanes are neighbours where they run 2 to 5.5 m apart in the same direction for at least 5 m.
    """
    usable = [lane for lane in lanes if len(without_repeats(lane.centre)) > 1]
    rows = {lane.lane_id: row for row, lane in enumerate(usable)}
    made = tuple(_graph_lane(lane) for lane in usable)
    exits = _named_exits(usable, rows) or _joints(made)
    neighbours = _named_neighbours(usable, rows) or _beside(made)
    return LaneGraph(
        lanes=made,
        exits=_as_rows(exits, len(made)),
        entries=_as_rows({(after, before) for before, after in exits}, len(made)),
        neighbours=_as_rows(neighbours | {(b, a) for a, b in neighbours}, len(made)),
        dropped=len(lanes) - len(usable),
    )


def lane_points(graph: LaneGraph) -> LanePoints | None:
    """Give all points of drivable lanes; None where there are none."""
    rows = [row for row, lane in enumerate(graph.lanes) if lane.drivable]
    if not rows:
        return None
    points = np.concatenate([graph.lanes[row].points for row in rows])
    return LanePoints(
        points=points,
        heading=np.concatenate([graph.lanes[row].heading for row in rows]),
        lane=np.concatenate([np.full(len(graph.lanes[row].points), row) for row in rows]),
        index=PointIndex(points),
    )


def _graph_lane(lane: Lane) -> GraphLane:
    points = resampled(without_repeats(lane.centre), _STEP_M)
    usual = _USUAL_HALF_WIDTH_M.get(lane.kind, _HALF_WIDTH_M)
    return GraphLane(
        lane_id=lane.lane_id,
        points=points,
        heading=headings(points),
        left=_half_widths(points, lane.left, usual),
        right=_half_widths(points, lane.right, usual),
        speed_limit=lane.speed_limit_mps or 0.0,
        drivable=lane.kind != LaneKind.BICYCLE,
    )


def _half_widths(points: Float64s, border: Float64s | None, usual: float) -> Float64s:
    """[P] distance from the centre to a border, the usual one where the border is missing or implausible."""
    if border is None or len(without_repeats(border)) < 2:
        return np.full(len(points), usual)
    away = np.abs(project(resampled(without_repeats(border), _STEP_M), points[:, :2]).beside)
    lowest, highest = _HALF_WIDTH_LIMITS_M
    return np.where((away >= lowest) & (away <= highest), away, usual)


def _named_exits(lanes: Sequence[Lane], rows: dict[str, int]) -> set[tuple[int, int]]:
    named = {(rows[lane.lane_id], rows[exit_id]) for lane in lanes for exit_id in lane.exits if exit_id in rows}
    return named | {(rows[entry], rows[lane.lane_id]) for lane in lanes for entry in lane.entries if entry in rows}


def _named_neighbours(lanes: Sequence[Lane], rows: dict[str, int]) -> set[tuple[int, int]]:
    return {
        (rows[lane.lane_id], rows[other])
        for lane in lanes
        for other in (*lane.left_neighbours, *lane.right_neighbours)
        if other in rows
    }


def _joints(lanes: Sequence[GraphLane]) -> set[tuple[int, int]]:
    if not lanes:
        return set()
    ends = np.array([lane.points[-1] for lane in lanes])
    starts = np.array([lane.points[0] for lane in lanes])
    near = PointIndex(starts).within(ends, _JOINT_M)
    return {
        (row, other)
        for row, others in enumerate(near)
        for other in others
        if other != row and abs(turn(lanes[other].heading[:1], lanes[row].heading[-1])[0]) < _JOINT_TURN
    }


def _beside(lanes: Sequence[GraphLane]) -> set[tuple[int, int]]:
    rows = [row for row, lane in enumerate(lanes) if lane.drivable]
    if not rows:
        return set()
    points = np.concatenate([lanes[row].points[::2] for row in rows])
    heading = np.concatenate([lanes[row].heading[::2] for row in rows])
    lane = np.concatenate([np.full(len(lanes[row].points[::2]), row) for row in rows])
    pairs = PointIndex(points).pairs(_BESIDE_M[1])
    first, second = pairs[:, 0], pairs[:, 1]
    offset = points[second] - points[first]
    along = np.abs(offset[:, 0] * np.cos(heading[first]) + offset[:, 1] * np.sin(heading[first]))
    away = np.hypot(offset[:, 0], offset[:, 1])
    same_way = np.abs(turn(heading[second], heading[first])) < _BESIDE_TURN
    level = np.abs(offset[:, 2]) < 2.0
    kept = (lane[first] != lane[second]) & (along < 1.1) & (away > _BESIDE_M[0]) & same_way & level
    found, counts = np.unique(np.stack([lane[first], lane[second]], axis=1)[kept], axis=0, return_counts=True)
    return {(int(a), int(b)) for (a, b), count in zip(found, counts, strict=True) if count >= 3}


def _as_rows(pairs: set[tuple[int, int]], count: int) -> tuple[tuple[int, ...], ...]:
    rows: list[list[int]] = [[] for _ in range(count)]
    for first, second in sorted(pairs):
        rows[first].append(second)
    return tuple(tuple(row) for row in rows)


def candidates(points: LanePoints, place: Float64s, heading: Float64s, *, within: float) -> list[dict[int, float]]:
    """For each place [Q, 2]: the lanes near it that run its way, with the cost of being on them (0 is best).

    The cost is the squared distance in metres plus the squared turn in units of 20 degrees.
    """
    count = min(32, len(points.points))
    distance, near = points.index.several(place, count, within=within)
    found: list[dict[int, float]] = []
    for row in range(len(place)):
        usable = np.isfinite(distance[row])
        rows = near[row][usable]
        turned = np.abs(turn(points.heading[rows], heading[row]))
        costs = distance[row][usable] ** 2 + (turned / 0.35) ** 2
        best: dict[int, float] = {}
        for lane, cost, way in zip(
            points.lane[rows].tolist(), costs.tolist(), (turned < np.pi / 3).tolist(), strict=True
        ):
            if way and cost < best.get(lane, np.inf):
                best[lane] = cost
        found.append(best)
    return found
