"""The map and the lights of a ScenarioNet scene."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.scenarios.borders import BorderPart, border_of
from al_platform.datasets.scenarios.checks import mapping_at, mapping_of, numbers_of, points_of, text_of
from al_platform.datasets.scenarios.womd_kinds import LIGHT_STATES, MPS_PER_MPH
from al_platform.errors import BrokenRecording
from sim.kinds import LaneKind, LightState, RoadKind, StopKind
from sim.recording import Float64s, Lane, Road, StopPoint

_LANE_KINDS = {
    "LANE_FREEWAY": LaneKind.FREEWAY,
    "LANE_SURFACE_STREET": LaneKind.STREET,
    "LANE_BIKE_LANE": LaneKind.BICYCLE,
}
_AREAS = {
    "CROSSWALK": RoadKind.CROSSWALK,
    "CROSS_WALK": RoadKind.CROSSWALK,
    "SPEED_BUMP": RoadKind.SPEED_BUMP,
    "DRIVEWAY": RoadKind.DRIVEWAY,
}
_STATE_NAMES = (
    *("UNKNOWN", "ARROW_STOP", "ARROW_CAUTION", "ARROW_GO", "STOP", "CAUTION", "GO"),
    *("FLASHING_STOP", "FLASHING_CAUTION"),
)
_STATES = {f"LANE_STATE_{name}": LIGHT_STATES[number] for number, name in enumerate(_STATE_NAMES)}
_PLAIN_STATES = {
    "TRAFFIC_LIGHT_RED": LightState.STOP,
    "TRAFFIC_LIGHT_YELLOW": LightState.CAUTION,
    "TRAFFIC_LIGHT_GREEN": LightState.GO,
}


def map_of(features: Mapping[Any, Any]) -> tuple[tuple[Lane, ...], tuple[Road, ...], tuple[StopPoint, ...]]:
    """Give the lanes, the lines, edges and areas, and the stop signs.

    Raises: BrokenRecording where a feature is not what its type says.
    """
    roads: list[Road] = []
    signs: list[StopPoint] = []
    lines: dict[str, Float64s] = {}
    lanes: list[tuple[str, Mapping[Any, Any]]] = []
    for key, feature in features.items():
        name = text_of(key, what="a map feature's name")
        kind = str(mapping_of(feature, what=f"map feature {name}").get("type"))
        if kind.startswith("LANE_"):
            lanes.append((name, feature))
        elif kind == "STOP_SIGN":
            position = _point(feature.get("position"), what=f"stop sign {name}")
            signs.append(StopPoint(StopKind.STOP_SIGN, _names(feature.get("lane", [])), position))
            roads.append(Road(RoadKind.STOP_SIGN, position[None]))
        elif kind in _AREAS or kind.startswith(("ROAD_EDGE", "ROAD_LINE")):
            road = Road(_road_kind(kind), _points(feature, name))
            roads.append(road)
            lines[name] = road.points
    return tuple(_lane(name, feature, lines) for name, feature in lanes), tuple(roads), tuple(signs)


def lights_of(states: Mapping[Any, Any], steps: int) -> tuple[StopPoint, ...]:
    """Give a stop point for each lane with a light; UNKNOWN at the steps when it was not seen.

    Raises: BrokenRecording where a light is not one for each step.
    """
    return tuple(_light(str(name), mapping_of(light, what=f"light {name}"), steps) for name, light in states.items())


def _road_kind(name: str) -> RoadKind:
    if name in _AREAS:
        return _AREAS[name]
    if name.startswith("ROAD_EDGE"):
        return RoadKind.ROAD_EDGE
    return RoadKind.SOLID_LINE if "SOLID" in name else RoadKind.BROKEN_LINE


def _lane(name: str, feature: Mapping[Any, Any], lines: Mapping[str, Float64s]) -> Lane:
    centre = _points(feature, name)
    limit_mph = feature.get("speed_limit_mph")
    known = isinstance(limit_mph, int | float) and 0.0 < limit_mph < 200.0
    return Lane(
        lane_id=name,
        centre=centre,
        kind=_LANE_KINDS.get(str(feature["type"]), LaneKind.UNKNOWN),
        left=border_of(centre, _borders(feature, "left_boundaries"), lines),
        right=border_of(centre, _borders(feature, "right_boundaries"), lines),
        speed_limit_mps=float(limit_mph) * MPS_PER_MPH if known and limit_mph is not None else None,
        entries=_names(feature.get("entry_lanes") or []),
        exits=_names(feature.get("exit_lanes") or []),
        left_neighbours=_neighbours(feature, "left_neighbor"),
        right_neighbours=_neighbours(feature, "right_neighbor"),
    )


def _borders(feature: Mapping[Any, Any], key: str) -> list[BorderPart]:
    parts = [mapping_of(part, what=key) for part in feature.get(key) or []]
    try:
        return [
            BorderPart(int(part["lane_start_index"]), int(part["lane_end_index"]), str(part["boundary_feature_id"]))
            for part in parts
            if "boundary_feature_id" in part
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise BrokenRecording("wrong type", f"{key}: {error}") from error


def _neighbours(feature: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    found = feature.get(key) or []
    named = [part.get("feature_id") if isinstance(part, Mapping) else part for part in found]
    return _names(named)


def _names(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text_of(value, what="a lane's name") for value in values))


def _points(feature: Mapping[Any, Any], name: str) -> Float64s:
    for key in ("polyline", "polygon"):
        if feature.get(key) is not None:
            return points_of(feature[key], what=f"map feature {name}")
    raise BrokenRecording("wrong type", f"map feature {name}: neither polyline nor polygon")


def _point(value: Any, *, what: str) -> Float64s:
    point = numbers_of(value, (None,), what=what)
    if len(point) not in (2, 3):
        raise BrokenRecording("wrong type", f"{what}: a place of {len(point)} coordinates")
    return np.append(point, 0.0)[:3]


def _light(name: str, light: Mapping[Any, Any], steps: int) -> StopPoint:
    """Newer files hold the lane and its place once and states by name, older ones all three at each step."""
    state = mapping_at(light, "state")
    shown = state.get("object_state")
    if not isinstance(shown, list | tuple | np.ndarray) or len(shown) != steps:
        raise BrokenRecording("wrong type", f"light {name}: not one state for each of {steps} steps")
    states = np.array([_state(value) for value in shown], np.int8)
    if "stop_point" in light:
        place = _point(light["stop_point"], what=f"light {name}")
        return StopPoint(StopKind.LIGHT, (text_of(light.get("lane", name), what=f"light {name}"),), place, states)
    places = numbers_of(state.get("stop_point"), (steps, 3), what=f"light {name}")
    seen: NDArray[np.intp] = np.flatnonzero(numbers_of(state.get("lane"), (steps,), what=f"light {name}"))
    position = places[seen[0]] if len(seen) else np.full(3, np.nan)
    return StopPoint(StopKind.LIGHT, (name,), position, states)


def _state(value: Any) -> LightState:
    if isinstance(value, str):
        return _STATES.get(value) or _PLAIN_STATES.get(value, LightState.UNKNOWN)
    if isinstance(value, int | np.integer):
        return LIGHT_STATES.get(int(value), LightState.UNKNOWN)
    return LightState.UNKNOWN
