"""Waymo Open Motion as the JSON that Nocturne and GPUDrive exchange: one scene a file, no lights, no lane topology.

States that were not seen are x = y = heading = -10000 with valid = false. Newer files name the self-driving car
and hold headings in radians; older ones name none and hold degrees.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.scenarios.base import RefusedScene, ScenarioFormat, SourceScene
from al_platform.datasets.scenarios.checks import (
    flags_of,
    mapping_of,
    numbers_of,
    points_of,
    refuse_huge,
    rows_at,
    text_of,
)
from al_platform.datasets.scenarios.files import files_below, read_whole
from al_platform.datasets.scenarios.scenes import USUAL_STEP_S, FoundScene, one_scene
from al_platform.datasets.scenarios.womd_kinds import LANE_KINDS, line_kind
from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind, LaneKind, RoadKind, StopKind
from sim.recording import Agents, Float64s, Lane, Road, StopPoint

_AGENT_KINDS = {
    "vehicle": AgentKind.VEHICLE,
    "pedestrian": AgentKind.PEDESTRIAN,
    "cyclist": AgentKind.CYCLIST,
}
_AREAS = {
    "crosswalk": RoadKind.CROSSWALK,
    "speed_bump": RoadKind.SPEED_BUMP,
    "driveway": RoadKind.DRIVEWAY,
}
_FIRST_LINE = 5
"""map_element_id counts lanes from 0 and road lines from 5 on, each in the order of map.proto."""
_MOVING_MPS = 1.0
_TELLING = 0.5
"""Sum of cosines beyond which they tell: a single step that points the other way makes more."""


def _sources(path: Path) -> list[Path]:
    return files_below(path, lambda name: name.endswith((".json", ".json.bz2")))


def _read(path: Path) -> Iterator[SourceScene | RefusedScene]:
    return one_scene(path, _found)


def _found(path: Path) -> FoundScene:
    scene = _parsed(path)
    agents = _agents(rows_at(scene, "objects"))
    metadata = mapping_of(scene.get("metadata", {}), what="metadata")
    ego = metadata.get("sdc_track_index")
    if ego is not None and type(ego) is not int:
        raise BrokenRecording("wrong type", f"sdc_track_index: {ego!r:.60}")
    roads = [mapping_of(road, what=f"road {row}") for row, road in enumerate(rows_at(scene, "roads"))]
    return FoundScene(
        name=text_of(scene.get("scenario_id", path.name.split(".")[0]), what="scenario_id"),
        dataset="womd",
        session="",
        step_s=USUAL_STEP_S,
        agents=agents,
        ego=ego,
        lanes=tuple(_lane(row, road) for row, road in enumerate(roads) if road.get("type") == "lane"),
        roads=tuple(_road(row, road) for row, road in enumerate(roads) if road.get("type") in _ROAD_TYPES),
        stops=tuple(_stop(row, road) for row, road in enumerate(roads) if road.get("type") == "stop_sign"),
    )


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        scene = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise BrokenRecording("not JSON", str(error)[:200]) from error
    scene = mapping_of(scene, what="the file")
    if not {"objects", "roads"} <= set(scene):
        raise BrokenRecording("another format", "neither objects nor roads")
    return scene


def _agents(objects: Any) -> Agents:
    found = [mapping_of(entry, what=f"object {row}") for row, entry in enumerate(objects)]
    steps = len(rows_at(found[0], "position")) if found else 0
    refuse_huge(agents=len(found), steps=steps)
    position = np.zeros((len(found), steps, 3))
    heading, valid = np.zeros((len(found), steps)), np.zeros((len(found), steps), np.bool_)
    velocity, size = np.zeros((len(found), steps, 2)), np.zeros((len(found), 3))
    for row, entry in enumerate(found):
        what = f"object {row}"
        position[row] = _exactly(points_of(rows_at(entry, "position"), what=f"{what} position"), steps, what=what)
        velocity[row] = _exactly(points_of(rows_at(entry, "velocity"), what=f"{what} velocity"), steps, what=what)[
            :, :2
        ]
        heading[row] = numbers_of(rows_at(entry, "heading"), (steps,), what=f"{what} heading")
        valid[row] = flags_of(rows_at(entry, "valid"), steps, what=f"{what} valid")
        sides = [entry.get(side, 0.0) for side in ("length", "width", "height")]
        size[row] = numbers_of(sides, (3,), what=f"{what} size")
    kinds = np.array([_AGENT_KINDS.get(str(entry.get("type")), AgentKind.OTHER) for entry in found], np.int8)
    ids = tuple(text_of(entry.get("id", row), what=f"object {row} id") for row, entry in enumerate(found))
    unit = np.pi / 180.0 if _in_degrees(heading, velocity, valid) else 1.0
    return Agents(position, heading * unit, velocity, size, kinds, valid, ids)


def _in_degrees(heading: Float64s, velocity: Float64s, valid: NDArray[np.bool_]) -> bool:
    """Whether headings agree better with the way that agents move when read as degrees.

    Where that says nothing, whether any is beyond two turns: no file in radians has that.
    """
    seen = valid & np.isfinite(heading)
    moving = seen & (np.linalg.norm(velocity, axis=-1) > _MOVING_MPS)
    course = np.arctan2(velocity[moving][:, 1], velocity[moving][:, 0])
    gain = np.cos(course - np.radians(heading[moving])) - np.cos(course - heading[moving])
    if abs(gain.sum()) > _TELLING:
        return bool(gain.sum() > 0.0)
    return bool((np.abs(heading[seen]) > 4.0 * np.pi).any())


def _lane(row: int, road: Mapping[str, Any]) -> Lane:
    kind = LANE_KINDS.get(_element(road, row), LaneKind.UNKNOWN)
    return Lane(lane_id=_road_id(road, row), centre=_points(road, row), kind=kind)


def _road(row: int, road: Mapping[str, Any]) -> Road:
    name = str(road["type"])
    if name == "road_line":
        return Road(line_kind(_element(road, row) - _FIRST_LINE), _points(road, row))
    return Road(_ROAD_TYPES[name], _points(road, row))


def _stop(row: int, road: Mapping[str, Any]) -> StopPoint:
    points = _points(road, row)
    return StopPoint(StopKind.STOP_SIGN, (), points[0] if len(points) else np.full(3, np.nan))


_ROAD_TYPES = {
    **_AREAS,
    "road_line": RoadKind.BROKEN_LINE,
    "road_edge": RoadKind.ROAD_EDGE,
    "stop_sign": RoadKind.STOP_SIGN,
}


def _element(road: Mapping[str, Any], row: int) -> int:
    number = road.get("map_element_id", -1)
    if type(number) is not int:
        raise BrokenRecording("wrong type", f"road {row} map_element_id: {number!r:.60}")
    return number


def _road_id(road: Mapping[str, Any], row: int) -> str:
    return text_of(road.get("id", row), what=f"road {row} id")


def _points(road: Mapping[str, Any], row: int) -> Float64s:
    geometry = road.get("geometry")
    if isinstance(geometry, Mapping):  # older files hold the one point of a sign bare
        geometry = [geometry]
    if not isinstance(geometry, list):
        raise BrokenRecording("wrong type", f"road {row} geometry: not a list")
    return points_of(geometry, what=f"road {row} geometry")


def _exactly(points: Float64s, count: int, *, what: str) -> Float64s:
    if len(points) != count:
        raise BrokenRecording("wrong type", f"{what}: {len(points)} states, the first object has {count}")
    return points


WOMD_JSON = ScenarioFormat(sources=_sources, read=_read)
