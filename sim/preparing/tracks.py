"""Tracks: the lanes along the reference line that may be driven, ordered into at most eight rows."""

from dataclasses import dataclass, field

import numpy as np

from sim.preparing.lanes import LaneGraph
from sim.preparing.line import Line
from sim.preparing.polylines import Float64s, distances_along, headings, project, resampled, turn

_OFF_LANE_HALF_WIDTH_M = 1.8
_MOST_BESIDE_M = 18.0
_SAME_WAY = np.pi / 3


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
    """Number in the graph; -1 for a stretch of the recorded path where no lane fits."""


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

    A lane goes on in the track of the lane that leads into it. Stretches of the recorded path where no lane fits
    become bands of their own, so that the route has no holes.
    """
    bands = [band for lane in permitted_lanes(graph, line.chain) for band in _bands_of(graph, lane, line)]
    bands += _recorded_bands(line)
    bands.sort(key=lambda band: (band.lane not in line.chain, band.along[0], band.lane))
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
        for part in _rising_parts(abreast, on_line.along)
    ]


def _rising_parts(usable: "np.typing.NDArray[np.bool_]", along: Float64s) -> list[slice]:
    """Stretches of at least 3 m in which the distance along the line rises without a jump."""
    rises = np.concatenate([[False], (np.diff(along) > 0) & (np.diff(along) < 6.0)])
    starts = [row for row in range(len(along)) if usable[row] and not (rises[row] and row and usable[row - 1])]
    parts = []
    for start in starts:
        end = start + 1
        while end < len(along) and usable[end] and rises[end]:
            end += 1
        if along[end - 1] - along[start] >= 3.0:
            parts.append(slice(start, end))
    return parts


def _recorded_bands(line: Line) -> list[Band]:
    if not len(line.off_lanes):
        return []
    along = distances_along(line.points)
    marks = np.sort(line.off_lanes)
    bands = []
    for part in np.split(marks, np.flatnonzero(np.diff(marks) > 4.0) + 1):
        first, last = max(part[0] - 4.0, 0.0), min(part[-1] + 4.0, along[-1])
        inside = (along >= first - 2.0) & (along <= last + 2.0)
        if inside.sum() < 2:
            continue
        centre = resampled(line.points[inside], 1.0)
        way = headings(centre)
        normal = _OFF_LANE_HALF_WIDTH_M * np.stack([-np.sin(way), np.cos(way)], axis=1)
        start = along[inside][0]
        bands.append(Band(centre + normal, centre - normal, start + distances_along(centre), 0.0, -1))
    return bands


def _track_for(band: Band, tracks: list[Track], graph: LaneGraph) -> Track | None:
    free = [track for track in tracks if track.has_room(band)]
    for track in free:
        if band.lane >= 0 and any(
            other.lane in graph.entries[band.lane] or other.lane in graph.exits[band.lane]
            for other in track.bands
            if other.lane >= 0
        ):
            return track
    return free[0] if free else None
