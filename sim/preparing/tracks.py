"""Tracks: the lanes along the reference line that may be driven, ordered into at most eight rows."""

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.preparing.edges import band_between
from sim.preparing.lanes import LaneGraph
from sim.preparing.line import Line
from sim.preparing.point_index import Float64s
from sim.preparing.polylines import at, distances_along, headings, project, resampled, turn
from sim.scenario.record import ROUTE_STEP_M

RECORDED = -1
"""In place of a lane's number: a stretch of the recorded path."""

_RECORDED_HALF_WIDTH_M = 1.8
_ONTO_LANES_M = 4.0
_JOINT_M = 2.5
_MOST_BESIDE_M = 18.0
_SAME_WAY = np.pi / 3
_SHORTEST_M = 3.0
"""A lane that runs along the line for less is crossed, not followed; unless it is hardly longer itself."""
_PROBE_M = 0.5


@dataclass(frozen=True)
class Band:
    """A piece of drivable lane abreast of the line, with points about a metre apart."""

    left: Float64s
    """[Q, 2]"""
    right: Float64s
    along: Float64s
    """[Q] metres along the line, rising."""
    speed_limit: float
    lane: int
    """Number in the graph, or RECORDED."""


@dataclass
class Track:
    """Bands one after the other."""

    bands: list[Band] = field(default_factory=list)

    def has_room(self, band: Band) -> bool:
        """Whether the band overlaps none of the track's by more than a joint."""
        return all(
            band.along[0] > other.along[-1] - 2.5 or band.along[-1] < other.along[0] + 2.5 for other in self.bands
        )


def permitted_lanes(graph: LaneGraph, chain: tuple[int, ...]) -> tuple[int, ...]:
    """Lanes that lead along the route: the chain, lanes beside it, and lanes that join two such in a row."""
    beside = [_beside(graph, lane) for lane in chain]
    permitted = set().union(*beside) if beside else set()
    for before, after in zip(beside, beside[2:], strict=False):
        leaving = {lane for row in before for lane in graph.exits[row]}
        arriving = {lane for row in after for lane in graph.entries[row]}
        permitted |= leaving & arriving
    return tuple(sorted(lane for lane in permitted if graph.lanes[lane].drivable))


def tracks_along(line: Line, graph: LaneGraph, *, most: int) -> tuple[list[Track], int]:
    """Order the permitted lanes into tracks; gives the tracks and how many bands found no room.

    A lane goes on in the track of the lane that leads into it. Where the recorded path leaves all of them, the
    path itself is a band as wide as a lane: what the ego drove is always on the route.
    """
    bands = [band for lane in permitted_lanes(graph, line.chain) for band in _bands_of(graph, lane, line)]
    bands += _recorded_bands(line, bands)
    bands.sort(key=lambda band: (band.lane not in line.chain and band.lane != RECORDED, band.along[0], band.lane))
    tracks: list[Track] = []
    dropped = 0
    for band in bands:
        track = _track_for(band, tracks, graph)
        if track is None and len(tracks) < most:
            track = Track()
            tracks.append(track)
        if track is None:
            dropped += 1
        else:
            track.bands.append(band)
    return tracks, dropped


def _beside(graph: LaneGraph, lane: int) -> set[int]:
    found, waiting = {lane}, [lane]
    while waiting:
        for other in graph.neighbours[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _bands_of(graph: LaneGraph, lane: int, line: Line) -> list[Band]:
    """The parts of a lane that run along the line, the same way."""
    made = graph.lanes[lane]
    on_line = project(line.points, made.points[:, :2])
    same_way = np.abs(turn(made.heading, headings(line.points)[on_line.row])) < _SAME_WAY
    length = distances_along(line.points)[-1]
    abreast = (np.abs(on_line.beside) < _MOST_BESIDE_M) & same_way
    abreast &= (on_line.along > 0) & (on_line.along < length)
    normal = np.stack([-np.sin(made.heading), np.cos(made.heading)], axis=1)
    left = made.points[:, :2] + made.left[:, None] * normal
    right = made.points[:, :2] - made.right[:, None] * normal
    return [
        Band(left[part], right[part], on_line.along[part], made.speed_limit, lane)
        for part in _rising_parts(
            abreast, on_line.along, least=min(_SHORTEST_M, 0.5 * distances_along(made.points)[-1])
        )
    ]


def _rising_parts(usable: NDArray[np.bool_], along: Float64s, *, least: float) -> list[slice]:
    """Stretches of at least so many metres in which the distance along the line rises without a jump."""
    rises = np.concatenate([[False], (np.diff(along) > 0) & (np.diff(along) < 6.0)])
    starts = [row for row in range(len(along)) if usable[row] and not (rises[row] and row and usable[row - 1])]
    parts = []
    for start in starts:
        end = start + 1
        while end < len(along) and usable[end] and rises[end]:
            end += 1
        if along[end - 1] - along[start] >= least:
            parts.append(slice(start, end))
    return parts


def _recorded_bands(line: Line, bands: list[Band]) -> list[Band]:
    """The stretches of the driven path that lie in no band."""
    along = distances_along(line.points)
    probes = np.arange(max(0.0, line.ego_along.min() - ROUTE_STEP_M), line.ego_along.max() + ROUTE_STEP_M, _PROBE_M)
    covered = shapely.union_all([band_between(band.left, band.right) for band in bands])
    marks = probes[~shapely.contains_xy(covered, *at(line.points, along, probes).T)]
    made = []
    for part in np.split(marks, np.flatnonzero(np.diff(marks) > 2 * ROUTE_STEP_M) + 1):
        if len(part):
            inside = (along >= part[0] - _ONTO_LANES_M) & (along <= part[-1] + _ONTO_LANES_M)
            centre = resampled(line.points[inside], 1.0)
            way = headings(centre)
            normal = _RECORDED_HALF_WIDTH_M * np.stack([-np.sin(way), np.cos(way)], axis=1)
            along_it = along[inside][0] + distances_along(centre)
            made.append(Band(centre + normal, centre - normal, along_it, 0.0, RECORDED))
    return made


def _track_for(band: Band, tracks: list[Track], graph: LaneGraph) -> Track | None:
    free = [track for track in tracks if track.has_room(band)]
    for track in free:
        if band.lane != RECORDED and any(
            other.lane in graph.entries[band.lane] or other.lane in graph.exits[band.lane]
            for other in track.bands
            if other.lane != RECORDED
        ):
            return track
    return free[0] if free else None
