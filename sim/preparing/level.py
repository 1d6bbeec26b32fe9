"""Leaves out what lies on another level than the ego drives on: bridges above it, streets below."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.preparing.point_index import Float64s, PointIndex
from sim.preparing.resample import Tracks
from sim.recording import Map, StopPoint

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

    def has_line(self, points: Float64s) -> bool:
        """Whether a polyline is on the level where it comes nearest to the path."""
        nearest = points[self.index.nearest(points)[0].argmin()]
        return bool(self.has(nearest[None])[0])


def without_other_levels(tracks: Tracks, map_: Map) -> tuple[Tracks, Map, int]:
    """Drop agents and pieces of the map on other levels; gives how many lanes and roads.

    A recording with one height for everything is left as it is.
    """
    ego = tracks.states[0]
    boxes = Level(PointIndex(ego), ego[:, 2])
    states = tracks.states.copy()
    for row, seen in enumerate(tracks.seen):
        if seen.any() and not boxes.has_line(states[row, seen]):
            states[row] = np.nan
    road = Level(boxes.index, ego[:, 2] - _height_over_road(ego, map_))
    lanes = tuple(lane for lane in map_.lanes if len(lane.centre) and road.has_line(lane.centre))
    roads = tuple(whole for whole in map_.roads if len(whole.points) and road.has_line(whole.points))
    stops = tuple(stop for stop in map_.stops if _stop_on_level(stop, road))
    lost = len(map_.lanes) - len(lanes) + len(map_.roads) - len(roads)
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


def _stop_on_level(stop: StopPoint, level: Level) -> bool:
    # A sign stands a few metres above the road, so its height says little: it is dropped only when it is far off.
    place = stop.position.copy()
    place[2] -= 1.5
    return bool(level.has(place[None])[0])
