"""A prepared scenario as a recording again, to be drawn: what the simulator knows of it, and nothing more."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from sim.kinds import RoadKind, StopKind
from sim.pictures.birdseye import ASPHALT, GROUND, SUPERSAMPLING, View
from sim.recording import Agents, Lane, Map, Recording, Road, StopPoint
from sim.scenario.record import (
    CELL_M,
    DIRECTION,
    NOWHERE,
    PLACE_M,
    ROUTE_STEP_M,
    SPEED_MPS,
    STEP_S,
    TILE_CELLS,
    TILE_M,
    Ground,
    Log,
    Roads,
    Route,
    Scenario,
)

Float64s = NDArray[np.float64]

_JOINT_M = 0.1
"""Pieces whose ends are nearer than this were one line: each is rounded to 2 cm."""
_RECTANGULAR = 0.95
"""Share of its smallest rectangle that an area fills to be taken for one."""


def recording_of(scenario: Scenario, *, name: str, tags: Sequence[str] = ()) -> Recording:
    """Give the agents, tracks of the route, road elements and stop lines of one scenario, relative to its centre.

    Lanes are pieces of tracks, and each road element is a line of two points, except for crosswalks: those are areas.
    """
    steps = int(scenario.log.steps)
    lanes = _lanes(scenario.route)
    map_ = Map(lanes=lanes, roads=_roads(scenario.roads), stops=_stops(scenario.route, steps))
    route = tuple(lane.lane_id for lane in lanes)
    return Recording(name, STEP_S, _agents(scenario.log, steps), 0, map_, route=route, tags=tuple(tags))


def ground_picture(ground: Ground, view: View) -> Image.Image:
    """Give the area of a view in the large image's pixels: what counts as on the road, and what does not."""
    side = view.pixels * SUPERSAMPLING
    shifts = (np.arange(side) + 0.5) * view.span_m / side - 0.5 * view.span_m
    x, y = np.meshgrid(view.centre[0] + shifts, view.centre[1] - shifts)
    origin, tiles = np.asarray(ground.origin, np.float64), np.asarray(ground.tiles)
    column, row = (np.floor((place - start) / TILE_M).astype(int) for place, start in ((x, origin[0]), (y, origin[1])))
    inside = (column >= 0) & (row >= 0) & (column < tiles.shape[1]) & (row < tiles.shape[0])
    column, row = np.where(inside, column, 0), np.where(inside, row, 0)
    number = np.where(inside, tiles[row, column], -1)
    across = np.rint((x - origin[0] - column * TILE_M) / CELL_M).astype(int).clip(0, TILE_CELLS - 1)
    along = np.rint((y - origin[1] - row * TILE_M) / CELL_M).astype(int).clip(0, TILE_CELLS - 1)
    road = (number >= 0) & (np.asarray(ground.distances)[number, along, across] > 0)
    return Image.fromarray(np.where(road[..., None], ASPHALT, GROUND).astype(np.uint8))


def _agents(log: Log, steps: int) -> Agents:
    """Every agent that has a size; the recorded ego as precisely as it is kept."""
    count = int((np.asarray(log.sizes)[:, 0] > 0.0).sum())
    states = np.asarray(log.states)[:steps, :, :count].transpose(2, 1, 0).astype(np.float64)
    heights = np.asarray(log.heights, np.float64)[:count]
    position = np.stack([PLACE_M * states[:, 0], PLACE_M * states[:, 1], np.zeros(states[:, 0].shape)], axis=2)
    return Agents(
        position=position + 0.5 * heights[:, None, None] * [0.0, 0.0, 1.0],
        heading=np.arctan2(DIRECTION * states[:, 3], DIRECTION * states[:, 2]),
        velocity=SPEED_MPS * states[:, 4:].transpose(0, 2, 1),
        size=np.column_stack([np.asarray(log.sizes, np.float64)[:count], heights]),
        kind=np.asarray(log.kinds)[:count],
        valid=states[:, 0] != NOWHERE,
        ids=tuple(str(row) for row in range(count)),
    )


def _lanes(route: Route) -> tuple[Lane, ...]:
    """The stretches of the tracks of a route, each between its borders."""
    found = []
    borders = np.asarray(route.borders)
    points = int(float(route.length) / ROUTE_STEP_M) + 1
    for number, track in enumerate(borders[:, :points]):
        there = np.flatnonzero(track[:, 0] != NOWHERE)
        for part in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if len(part) > 1:
                sides = PLACE_M * track[part].astype(np.float64)
                left, right = sides[:, :2], sides[:, 2:]
                centre = np.column_stack([0.5 * (left + right), np.zeros(len(part))])
                found.append(Lane(f"{number}.{part[0]}", centre, left=left, right=right))
    return tuple(found)


def _roads(roads: Roads) -> tuple[Road, ...]:
    """Lines of two points, and crosswalks as the areas that their pieces go round."""
    elements = np.asarray(roads.elements).astype(np.float64)
    elements = elements[(elements[:, 0] != NOWHERE) & (elements[:, 5] != RoadKind.STOP_SIGN)]
    middle, half = PLACE_M * elements[:, :2], (PLACE_M * elements[:, 4:5]) * (DIRECTION * elements[:, 2:4])
    ends = np.stack([middle - half, middle + half], axis=1)
    crossing = elements[:, 5] == RoadKind.CROSSWALK
    lines = [(RoadKind(int(kind)), line) for kind, line in zip(elements[~crossing, 5], ends[~crossing], strict=True)]
    lines += [(RoadKind.CROSSWALK, line) for line in _areas(ends[crossing])]
    return tuple(Road(kind, np.column_stack([line, np.zeros(len(line))])) for kind, line in lines)


def _areas(pieces: Float64s) -> list[Float64s]:
    """Corners [P, 2] of the areas that pieces [Q, 2, 2] go round; a piece that goes round nothing stays a line."""
    apart = np.linalg.norm(pieces[:, None, 1] - pieces[None, :, 0], axis=2)
    after = [int(row.argmin()) if row.min() < _JOINT_M else -1 for row in apart]
    left = set(range(len(pieces)))
    found: list[Float64s] = []
    while left:
        way = [min(left)]
        left.remove(way[0])
        while after[way[-1]] in left:
            way.append(after[way[-1]])
            left.remove(way[-1])
        closed = len(way) > 2 and after[way[-1]] == way[0]
        found += [_corners(pieces[way, 0])] if closed else list(pieces[way])
    return found


def _corners(ring: Float64s) -> Float64s:
    """The four corners of a rectangle, although its sides came in pieces; of any other area its points."""
    area = shapely.Polygon(ring)
    box = shapely.oriented_envelope(area)
    return shapely.get_coordinates(box)[:4] if area.area > _RECTANGULAR * box.area > 0.0 else ring


def _stops(route: Route, steps: int) -> tuple[StopPoint, ...]:
    line, lights = np.asarray(route.line, np.float64), np.asarray(route.lights)
    found = []
    for number in np.flatnonzero(np.isfinite(np.asarray(route.stop_at))):
        row = min(int(route.stop_at[number] / ROUTE_STEP_M), len(line) - 1)
        past = float(route.stop_at[number]) - row * ROUTE_STEP_M
        kind = StopKind(int(route.stop_kinds[number]))
        states = lights[:steps, number] if kind == StopKind.LIGHT else None
        found.append(StopPoint(kind, (), np.append(line[row, :2] + past * line[row, 2:], 0.0), states))
    return tuple(found)
