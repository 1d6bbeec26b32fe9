"""Leaves out what lies on another level than the ego drives on: bridges above it, streets below."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.preparing.point_index import Float64s, PointIndex
from sim.preparing.resample import Tracks
from sim.recording import Map, Road, StopPoint

_HIGHEST_STEP_M = 3.0
_SLOPE = 0.08


@dataclass(frozen=True)
class Level:
    """The height of the road where the ego drove."""

    index: PointIndex
    heights: Float64s
    """[Q] metres, of the path."""

    def has(self, points: Float64s) -> NDArray[np.bool_]:
        """[P] whether points [P, 3] may be on the ego's level: within 3 m of it, and 8 % of the way to it."""
        distance, nearest = self.index.nearest(points)
        return np.abs(points[:, 2] - self.heights[nearest]) <= _HIGHEST_STEP_M + _SLOPE * distance


def without_other_levels(tracks: Tracks, map_: Map) -> tuple[Tracks, Map, int]:
    """Drop states of agents and pieces of the map on other levels; gives how many lanes and roads lost points.

    A recording with one height for everything is left as it is.
    """
    ego = tracks.states[0]
    agents_level = Level(PointIndex(ego), ego[:, 2])
    states = tracks.states.copy()
    seen = np.argwhere(tracks.seen)
    off = seen[~agents_level.has(states[seen[:, 0], seen[:, 1]][:, :3])]
    states[off[:, 0], off[:, 1]] = np.nan
    road = Level(agents_level.index, ego[:, 2] - _height_over_road(ego, map_))
    lanes = tuple(lane for lane in map_.lanes if np.mean(road.has(lane.centre)) > 0.5)
    roads = tuple(part for whole in map_.roads for part in _on_level(whole, road))
    stops = tuple(stop for stop in map_.stops if _stop_on_level(stop, road))
    lost = len(map_.lanes) - len(lanes) + sum(1 for whole in map_.roads if not road.has(whole.points).all())
    return replace(tracks, states=states), Map(lanes, roads, stops), lost


def _height_over_road(ego: Float64s, map_: Map) -> float:
    """Usual height of the middle of the ego's box over the nearest lane points; lanes of bridges are outvoted."""
    points = [lane.centre for lane in map_.lanes if len(lane.centre)]
    if not points:
        return 0.0
    every = np.concatenate(points)
    distance, nearest = PointIndex(every).nearest(ego)
    near = distance < 5.0
    return float(np.median(ego[near, 2] - every[nearest[near], 2])) if near.any() else 0.0


def _on_level(road: Road, level: Level) -> list[Road]:
    """The unbroken parts of a polyline that lie on the level."""
    on = level.has(road.points)
    if on.all():
        return [road]
    parts = np.split(np.arange(len(on)), np.flatnonzero(np.diff(on.astype(np.int8))) + 1)
    return [Road(road.kind, road.points[part]) for part in parts if on[part[0]] and len(part) > 1]


def _stop_on_level(stop: StopPoint, level: Level) -> bool:
    # A sign stands a few metres above the road, so its height says little: it is dropped only when it is far off.
    place = stop.position.copy()
    place[2] -= 1.5
    return bool(level.has(place[None])[0])
