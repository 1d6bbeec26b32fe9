"""Road elements: the map cut into straight pieces, the ones near the route kept."""

import numpy as np

from sim.kinds import RoadKind
from sim.preparing.lanes import LaneGraph
from sim.preparing.point_index import Float64s, PointIndex
from sim.preparing.polylines import straight_pieces, without_repeats
from sim.recording import Map
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, Roads, Sizes

_TOLERANCE_M = 0.15
_LONGEST_M = 20.0
_AREAS = (RoadKind.CROSSWALK, RoadKind.SPEED_BUMP, RoadKind.DRIVEWAY)
_FARTHEST_M = 600.0


def elements_near(map_: Map, graph: LaneGraph, path: Float64s, sizes: Sizes) -> tuple[Float64s, Roads, int]:
    """Cut lanes, lines, edges, areas and signs into pieces and keep those nearest to a path [Q, 2].

    Gives both ends of each kept piece [R', 4], the padded record, and how many found no room.
    """
    pieces, kinds = _pieces(map_, graph)
    middle = 0.5 * (pieces[:, :2] + pieces[:, 2:])
    distance = PointIndex(path).nearest(middle)[0] if len(pieces) else np.zeros(0)
    reachable = np.flatnonzero(np.abs(middle).max(axis=1, initial=0.0) < _FARTHEST_M)
    order = reachable[np.argsort(distance[reachable], kind="stable")][: sizes.roads]
    record = np.zeros((sizes.roads, 6), np.int16)
    record[:, 0] = NOWHERE
    leg = pieces[order, 2:] - pieces[order, :2]
    length = np.hypot(*leg.T)
    way = np.where(length[:, None] > 0, leg / np.maximum(length, 1e-9)[:, None], [1.0, 0.0])
    record[: len(order), :2] = np.rint(middle[order] / PLACE_M)
    record[: len(order), 2:4] = np.rint(way / DIRECTION)
    record[: len(order), 4] = np.rint(0.5 * length / PLACE_M)
    record[: len(order), 5] = kinds[order]
    return pieces[order], Roads(elements=record), len(pieces) - len(order)


def _pieces(map_: Map, graph: LaneGraph) -> tuple[Float64s, Float64s]:
    lines = [(RoadKind.LANE_CENTRE, lane.points[:, :2]) for lane in graph.lanes]
    lines += [(road.kind, _outline(road.kind, road.points[:, :2])) for road in map_.roads]
    cut = [
        (kind, straight_pieces(without_repeats(points), tolerance=_TOLERANCE_M, longest=_LONGEST_M))
        for kind, points in lines
        if len(points) > 1
    ]
    signs = [(RoadKind.STOP_SIGN, np.tile(stop.position[:2], 2)[None]) for stop in map_.stops if stop.states is None]
    every = [*cut, *signs]
    if not every:
        return np.zeros((0, 4)), np.zeros(0)
    return (
        np.concatenate([part for _, part in every]),
        np.concatenate([np.full(len(part), float(kind)) for kind, part in every]),
    )


def _outline(kind: RoadKind, points: Float64s) -> Float64s:
    return np.concatenate([points, points[:1]]) if kind in _AREAS and len(points) > 2 else points
