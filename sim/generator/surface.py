"""The map of a network: lanes with borders, painted lines, road edges, crosswalks, stop points."""

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.generator.curves import Float64s
from sim.generator.network import Crossing, LanePlan, Network, strip_of
from sim.kinds import RoadKind, StopKind
from sim.recording import Lane, Map, Road, StopPoint

_CLOSING_M = 0.4
_SMALLEST_ISLAND_M2 = 60.0


def map_of(network: Network, states: NDArray[np.int8]) -> Map:
    """Everything that does not move; `states` [T, groups] are the lights at the recorded steps."""
    entries: dict[str, list[str]] = {}
    for lane in network.lanes:
        for after in lane.exits:
            entries.setdefault(after, []).append(lane.lane_id)
    lanes = tuple(_lane(lane, tuple(entries.get(lane.lane_id, ()))) for lane in network.lanes)
    roads = [Road(kind, _flat(line[::2] if len(line) > 8 else line)) for kind, line in network.paint]
    roads += [Road(RoadKind.ROAD_EDGE, _flat(edge)) for edge in edges_of(network)]
    roads += [Road(RoadKind.CROSSWALK, _flat(area_of(crossing))) for crossing in network.crossings]
    return Map(lanes=lanes, roads=tuple(roads), stops=_stops(network, states))


def edges_of(network: Network) -> list[Float64s]:
    """Closed lines [P, 2] around the union of all lanes and strips, with what is drivable on their left."""
    areas = [shapely.Polygon(np.concatenate([lane.left, lane.right[::-1]])) for lane in network.lanes]
    areas += [shapely.Polygon(strip_of(verge)) for verge in network.verges if verge.strip > 0.0]
    union = shapely.union_all(shapely.make_valid(np.array(areas)))
    with np.errstate(divide="ignore", invalid="ignore"):  # where two sides are in line, their mitre is at infinity
        whole = union.buffer(_CLOSING_M, join_style="mitre").buffer(-_CLOSING_M, join_style="mitre").simplify(0.03)
    edges = []
    for part in getattr(whole, "geoms", [whole]):
        drivable = shapely.geometry.polygon.orient(part)
        edges.append(np.asarray(drivable.exterior.coords)[:, :2])
        edges += [
            np.asarray(ring.coords)[:, :2]
            for ring in drivable.interiors
            if shapely.Polygon(ring).area > _SMALLEST_ISLAND_M2
        ]
    return edges


def area_of(crossing: Crossing) -> Float64s:
    """[4, 2] corners of a crosswalk."""
    along = crossing.ends[1] - crossing.ends[0]
    normal = 0.5 * crossing.width * np.array([-along[1], along[0]]) / np.hypot(*along)
    return np.stack(
        [crossing.ends[0] - normal, crossing.ends[1] - normal, crossing.ends[1] + normal, crossing.ends[0] + normal]
    )


def _lane(lane: LanePlan, entries: tuple[str, ...]) -> Lane:
    return Lane(
        lane_id=lane.lane_id,
        centre=_flat(lane.line[:, :2]),
        kind=lane.kind,
        left=lane.left,
        right=lane.right,
        speed_limit_mps=lane.speed_limit_mps,
        entries=entries,
        exits=lane.exits,
        left_neighbours=lane.left_neighbours,
        right_neighbours=lane.right_neighbours,
    )


def _stops(network: Network, states: NDArray[np.int8]) -> tuple[StopPoint, ...]:
    """One at the end of each lane that leads into a junction with a light or a stop sign."""
    made = {}
    for way in network.ways:
        if way.gate_after and (way.light >= 0 or way.stop_sign):
            lane = network.lane(way.lane_ids[way.gate_after - 1])
            made[lane.lane_id] = StopPoint(
                kind=StopKind.LIGHT if way.light >= 0 else StopKind.STOP_SIGN,
                lane_ids=(lane.lane_id,),
                position=_flat(lane.line[-1:, :2])[0],
                states=states[:, way.light].copy() if way.light >= 0 else None,
            )
    return tuple(made.values())


def _flat(points: Float64s) -> Float64s:
    """Give points [P, 2] the height 0."""
    return np.concatenate([points, np.zeros((len(points), 1))], axis=1)
