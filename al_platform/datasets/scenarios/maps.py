"""The map of a recording, mended: points that are not finite and lines of one point are left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from al_platform.datasets.scenarios.agents import FARTHEST_M
from al_platform.datasets.scenarios.checks import LARGEST_POINTS
from al_platform.errors import BrokenRecording
from sim.kinds import RoadKind
from sim.recording import Float64s, Lane, Map, Road, StopPoint

AREAS = frozenset({RoadKind.CROSSWALK, RoadKind.SPEED_BUMP, RoadKind.DRIVEWAY})
_NARROWEST_M = 1e-3
"""Neighbouring points closer than this are one point: no direction could be told from them."""


def mended_map(lanes: Iterable[Lane], roads: Iterable[Road], stops: Iterable[StopPoint]) -> tuple[Map, dict[str, int]]:
    """Give the map that can be used, and what was left out.

    Points that are not finite or repeat the one before are dropped; a lane or line of fewer than two points, or an
    area of fewer than three, goes with them. Where a dropped lane joined others, they are joined directly, and its
    stop lines are theirs. Lanes that the map does not hold are taken out of all references. An unusable border of a
    lane is no border.

    Raises: BrokenRecording where there is neither lane nor road edge, or more points than any map has.
    """
    repairs: Counter[str] = Counter()
    lanes, roads, stops = list(lanes), list(roads), list(stops)
    if sum(len(lane.centre) for lane in lanes) + sum(len(road.points) for road in roads) > LARGEST_POINTS:
        raise BrokenRecording("too large", f"a map of more than {LARGEST_POINTS} points")
    kept_lanes, beyond = _joined(lanes, repairs)
    kept_roads = [road for road in (_road(road, repairs) for road in roads) if road is not None]
    if not kept_lanes and not any(road.kind == RoadKind.ROAD_EDGE for road in kept_roads):
        raise BrokenRecording("no map", "neither a lane nor a road edge")
    kept_stops = _stops(stops, {lane.lane_id: lane for lane in kept_lanes}, beyond, repairs)
    found = Map(tuple(kept_lanes), tuple(kept_roads), tuple(kept_stops))
    return found, {reason: count for reason, count in repairs.items() if count}


def clean_line(points: Float64s, repairs: Counter[str]) -> Float64s:
    """Give a line without points that are not finite, or that repeat the one before them."""
    sane = np.isfinite(points).all(axis=1) & (np.abs(np.nan_to_num(points)) <= FARTHEST_M).all(axis=1)
    repairs["points of the map not finite or out of range"] += int((~sane).sum())
    points = points[sane]
    if len(points) < 2:
        return points
    moved_m = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
    return np.asarray(points[np.concatenate([[True], moved_m > _NARROWEST_M])])


def _joined(lanes: list[Lane], repairs: Counter[str]) -> tuple[list[Lane], dict[str, tuple[str, ...]]]:
    """The lanes that are kept, and where each dropped one led."""
    kept: dict[str, Lane] = {}
    dropped: dict[str, Lane] = {}
    for lane in lanes:
        centre = clean_line(lane.centre, repairs)
        if lane.lane_id in kept or lane.lane_id in dropped:
            repairs["lanes that come twice"] += 1
        elif len(centre) < 2:
            dropped[lane.lane_id] = lane
        else:
            left, right = _border(lane.left, repairs), _border(lane.right, repairs)
            kept[lane.lane_id] = replace(lane, centre=centre, left=left, right=right)
    repairs["lanes of one point"] += len(dropped)
    exits = {name: lane.exits for name, lane in dropped.items()}
    entries = {name: lane.entries for name, lane in dropped.items()}
    joined = [
        replace(
            lane,
            entries=_through(lane.entries, entries, kept),
            exits=_through(lane.exits, exits, kept),
            left_neighbours=_through(lane.left_neighbours, {}, kept),
            right_neighbours=_through(lane.right_neighbours, {}, kept),
        )
        for lane in kept.values()
    ]
    return joined, exits


def _through(
    names: tuple[str, ...], beyond: Mapping[str, tuple[str, ...]], kept: Mapping[str, Lane]
) -> tuple[str, ...]:
    """Give the lanes that are kept, and in place of one that was dropped those beyond it."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(reversed(names))
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in kept:
            found[name] = None
        else:
            waiting.extend(reversed(beyond.get(name, ())))
    return tuple(found)


def _border(points: Float64s | None, repairs: Counter[str]) -> Float64s | None:
    if points is None:
        return None
    cleaned = clean_line(points, repairs)
    return cleaned if len(cleaned) >= 2 else None


def _road(road: Road, repairs: Counter[str]) -> Road | None:
    points = clean_line(road.points, repairs)
    if road.kind in AREAS and len(points) > 1 and np.linalg.norm(points[0, :2] - points[-1, :2]) <= _NARROWEST_M:
        points = points[:-1]
    needed = 3 if road.kind in AREAS else 1 if road.kind == RoadKind.STOP_SIGN else 2
    if len(points) < needed:
        repairs["lines and areas of too few points"] += 1
        return None
    return replace(road, points=points)


def _stops(
    stops: list[StopPoint],
    lanes: Mapping[str, Lane],
    beyond: Mapping[str, tuple[str, ...]],
    repairs: Counter[str],
) -> list[StopPoint]:
    kept = []
    for stop in stops:
        if not np.isfinite(stop.position).all() or np.abs(stop.position).max() > FARTHEST_M:
            repairs["stop lines without a place"] += 1
            continue
        known = _through(stop.lane_ids, beyond, lanes)
        if stop.lane_ids and not known:
            repairs["stop lines of lanes that are not in the map"] += 1
            continue
        kept.append(replace(stop, lane_ids=known))
    return kept
