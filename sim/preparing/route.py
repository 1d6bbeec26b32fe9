"""The record of a route from its line, tracks and stop lines."""

import numpy as np
from numpy.typing import NDArray

from sim.preparing.line import Line
from sim.preparing.polylines import distances_along, headings
from sim.preparing.stops import Stops
from sim.preparing.tracks import Track
from sim.scenario.record import NOWHERE, PLACE_M, ROUTE_STEP_M, Route, Sizes


def route_of(line: Line, tracks: list[Track], stops: Stops, sizes: Sizes) -> Route:
    """Pad the line with its last point and bring the borders of all tracks to the line's points."""
    count = len(line.points)
    way = headings(line.points)
    poses = np.stack([line.points[:, 0], line.points[:, 1], np.cos(way), np.sin(way)], axis=1)
    rows = np.minimum(np.arange(sizes.route_points), count - 1)
    along: NDArray[np.float64] = ROUTE_STEP_M * np.arange(count, dtype=np.float64)
    return Route(
        line=poses[rows].astype(np.float32),
        borders=_borders(tracks, along, sizes),
        speed_limits=_speed_limits(tracks, line, along, sizes),
        length=np.array(distances_along(line.points)[-1], np.float32),
        stop_at=stops.at,
        stop_kinds=stops.kinds,
        lights=stops.lights,
    )


def _borders(tracks: list[Track], along: NDArray[np.float64], sizes: Sizes) -> NDArray[np.int16]:
    """[L, P, 4]"""
    borders = np.zeros((sizes.lanes, sizes.route_points, 4), np.int16)
    borders[:, :, 0] = NOWHERE
    for number, track in enumerate(tracks):
        for band in track.bands:
            inside = np.flatnonzero((along >= band.along[0]) & (along <= band.along[-1]))
            sides = np.concatenate([band.left, band.right], axis=1)
            values = np.stack([np.interp(along[inside], band.along, side) for side in sides.T], axis=1)
            borders[number, inside] = np.rint(np.clip(values / PLACE_M, -32767, 32767))
    return borders


def _speed_limits(tracks: list[Track], line: Line, along: NDArray[np.float64], sizes: Sizes) -> NDArray[np.float32]:
    """[P] the limit of the lane that the route itself follows, 0 where it is unknown."""
    limits = np.zeros(sizes.route_points, np.float32)
    bands = [band for track in tracks for band in track.bands if band.speed_limit > 0]
    for band in sorted(bands, key=lambda band: band.lane in line.chain):
        limits[: len(along)][(along >= band.along[0]) & (along <= band.along[-1])] = band.speed_limit
    return limits
