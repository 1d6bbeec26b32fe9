"""From a recording to a scenario: everything that a step would otherwise compute again and again."""

from dataclasses import dataclass, replace

import numpy as np

from sim.kinds import RoadKind
from sim.preparing.edges import Edges, edges_of, lane_borders, oriented_by_lanes
from sim.preparing.elements import elements_near
from sim.preparing.ground import Tiles, ground_of, tiles_near
from sim.preparing.lanes import LaneGraph, LanePoints, lane_graph, lane_points
from sim.preparing.level import without_other_levels
from sim.preparing.line import Line, reference_line
from sim.preparing.log import kept_agents, log_of
from sim.preparing.point_index import Float64s
from sim.preparing.polylines import without_repeats
from sim.preparing.resample import Tracks, resample
from sim.preparing.route import route_of
from sim.preparing.stops import runs_red, stops_along
from sim.preparing.tracks import tracks_along
from sim.recording import Map, Recording
from sim.scenario.record import ROUTE_STEP_M, STEP_S, TILE_M, Scenario, Sizes

FORMULA = "scenario-3"
"""Names what the arrays of a scenario mean; raised whenever they are filled differently."""

_DEFAULT = Sizes()


@dataclass(frozen=True)
class Report:
    """What was dropped, repaired or noticed on the way. All zero and False for a recording that fits."""

    agents_dropped: int = 0
    """Seen agents beyond the room for agents: those that stay farthest from the ego's path."""
    steps_dropped: int = 0
    """Steps of 0.2 s behind the room for steps."""
    states_out_of_reach: int = 0
    """States of agents more than 655 m from the scene's centre."""
    pieces_on_other_levels: int = 0
    lanes_dropped: int = 0
    """Lanes of a single place."""
    bands_dropped: int = 0
    """Lanes beside the route beyond the room for tracks."""
    stops_dropped: int = 0
    elements_dropped: int = 0
    edges_turned: int = 0
    """Road edges whose drivable side was on the right."""
    edges_from_lanes: bool = False
    """The map has no road edges: they were made half a metre beside the lanes."""
    route_missing: bool = False
    """No lane fits what the ego drove: the route is the recorded path alone."""
    route_uncovered_m: float = 0.0
    """Metres of the driven path outside the rasters."""
    expert_runs_red: bool = False


@dataclass(frozen=True)
class Prepared:
    """A scenario of numpy arrays, what was lost on the way, and where it lies."""

    scenario: Scenario
    report: Report
    centre: tuple[float, float]
    """Where the scene's centre lies in the recording's frame, metres."""
    agent_ids: tuple[str, ...]
    """Names of the kept agents in their order."""


def prepare(recording: Recording, sizes: Sizes = _DEFAULT) -> Prepared:
    """Make a scenario of static shapes.

    Raises: ValueError that names the recording and what is wrong: an ego that is never seen, values that are not
        finite, a map without lanes and without road edges.
    """
    tracks, map_, other_levels = without_other_levels(resample(recording, steps=sizes.steps), recording.map)
    tracks, map_, centre = _centred(tracks, map_)
    tracks, agents_dropped = kept_agents(tracks, sizes.agents)
    driven = tracks.states[0, :, :2]
    graph = lane_graph(map_.lanes)
    points = lane_points(graph)
    named = graph.numbers(recording.route or ())
    line = reference_line(tracks.states[0][:, [0, 1, 3]], graph, points, route=named, most_points=sizes.route_points)
    rows, bands_dropped = tracks_along(line, graph, most=sizes.lanes)
    source_steps = np.floor(tracks.times_s / recording.step_s + 1e-6).astype(int)
    stops = stops_along(map_, line, graph, points, steps=source_steps, sizes=sizes)
    log, out_of_reach = log_of(tracks, line.ego_along, sizes)
    tiles = tiles_near(driven, line.points, sizes)
    edges, turned, from_lanes = _edges(map_, graph, points, name=recording.name)
    pieces, roads, elements_dropped = elements_near(map_, graph, driven, sizes)
    ground = ground_of(tiles, edges, rows, pieces, sizes)
    report = Report(
        agents_dropped=agents_dropped,
        steps_dropped=_steps_dropped(recording, tracks, sizes),
        states_out_of_reach=out_of_reach,
        pieces_on_other_levels=other_levels,
        lanes_dropped=graph.dropped,
        bands_dropped=bands_dropped,
        stops_dropped=stops.dropped,
        elements_dropped=elements_dropped,
        edges_turned=turned,
        edges_from_lanes=from_lanes,
        route_missing=not line.chain,
        route_uncovered_m=_uncovered(tiles, line),
        expert_runs_red=runs_red(stops, line.ego_along, front_m=float(tracks.size[0, 0]) / 2),
    )
    scenario = Scenario(log=log, route=route_of(line, rows, stops, sizes), ground=ground, roads=roads)
    return Prepared(scenario, report, centre, tracks.ids)


def _centred(tracks: Tracks, map_: Map) -> tuple[Tracks, Map, tuple[float, float]]:
    """Move everything so that the middle of the ego's path is the origin, to whole metres."""
    path = tracks.states[0, :, :2]
    centre = np.rint((path.min(axis=0) + path.max(axis=0)) / 2)
    states = tracks.states.copy()
    states[:, :, :2] -= centre
    lanes = tuple(
        replace(
            lane,
            centre=_moved(lane.centre, centre),
            left=None if lane.left is None else _moved(lane.left, centre),
            right=None if lane.right is None else _moved(lane.right, centre),
        )
        for lane in map_.lanes
    )
    roads = tuple(replace(road, points=_moved(road.points, centre)) for road in map_.roads)
    stops = tuple(replace(stop, position=_moved(stop.position[None], centre)[0]) for stop in map_.stops)
    return replace(tracks, states=states), Map(lanes, roads, stops), (float(centre[0]), float(centre[1]))


def _moved(points: Float64s, centre: Float64s) -> Float64s:
    return np.concatenate([points[:, :2] - centre, points[:, 2:]], axis=1)


def _edges(map_: Map, graph: LaneGraph, points: LanePoints | None, *, name: str) -> tuple[Edges, int, bool]:
    """The edges of the road, how many were turned round, and whether they had to be made from the lanes."""
    drawn = [road.points for road in map_.roads if road.kind == RoadKind.ROAD_EDGE]
    drawn = [line for line in drawn if len(without_repeats(line[:, :2])) > 1]
    if drawn:
        edges, turned = oriented_by_lanes(edges_of(drawn), points)
        return edges, turned, False
    made = lane_borders(graph)
    if not made:
        raise ValueError(f"{name}: the map has neither a road edge nor a drivable lane: nothing could be on the road")
    return edges_of(made), 0, True


def _steps_dropped(recording: Recording, tracks: Tracks, sizes: Sizes) -> int:
    if len(tracks.times_s) < sizes.steps:
        return 0
    last_seen = int(np.flatnonzero(recording.agents.valid[recording.ego])[-1]) * recording.step_s
    return max(0, int((last_seen - tracks.times_s[-1]) / STEP_S + 1e-6))


def _uncovered(tiles: Tiles, line: Line) -> float:
    """Metres of the driven part of the line that lie in no tile."""
    along = ROUTE_STEP_M * np.arange(len(line.points))
    driven = line.points[(along >= line.ego_along.min()) & (along <= line.ego_along.max())]
    cells = np.floor((driven - tiles.origin) / TILE_M).astype(int)
    covered = set(zip(tiles.rows.tolist(), tiles.columns.tolist(), strict=True))
    return ROUTE_STEP_M * sum((row, column) not in covered for column, row in cells.tolist())
