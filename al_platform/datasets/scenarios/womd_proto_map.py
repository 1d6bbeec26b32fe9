"""The map of a Waymo Scenario message. Source: map.proto of the Waymo Open Dataset."""

from collections.abc import Sequence

import numpy as np

from al_platform.datasets.scenarios.borders import BorderPart, border_of
from al_platform.datasets.scenarios.protobuf import Message
from al_platform.datasets.scenarios.womd_kinds import LANE_KINDS, MPS_PER_MPH, line_kind
from sim.kinds import LaneKind, RoadKind, StopKind
from sim.recording import Float64s, Lane, Road, StopPoint


class _Feature:
    ID = 1
    LANE = 3
    LINE = 4
    EDGE = 5
    SIGN = 7


class _Lane:
    SPEED_LIMIT_MPH = 1
    KIND = 2
    POINTS = 8
    ENTRIES = 9
    EXITS = 10
    LEFT_NEIGHBOURS = 11
    RIGHT_NEIGHBOURS = 12
    LEFT_BORDERS = 13
    RIGHT_BORDERS = 14


class _Border:
    FIRST = 1
    LAST = 2
    FEATURE = 3


class _Line:
    """Lines and edges alike."""

    KIND = 1
    POINTS = 2


class _Sign:
    LANES = 1
    PLACE = 2


_AREAS = {8: RoadKind.CROSSWALK, 9: RoadKind.SPEED_BUMP, 10: RoadKind.DRIVEWAY}
_AREA_POINTS = 1
_NEIGHBOUR = 1
_AXES = (1, 2, 3)


def point_of(message: Message) -> Float64s:
    """Give a point [3]."""
    return np.array([message.double(axis) for axis in _AXES])


def map_of(features: Sequence[Message]) -> tuple[tuple[Lane, ...], tuple[Road, ...], tuple[StopPoint, ...]]:
    """Give the lanes, the lines, edges and areas, and the stop signs of map features."""
    roads: list[Road] = []
    signs: list[StopPoint] = []
    lines: dict[str, Float64s] = {}
    for feature in features:
        for road in _roads_of(feature):
            roads.append(road)
            lines[_id_of(feature)] = road.points
        sign = feature.message(_Feature.SIGN)
        if sign is not None:
            place = sign.message(_Sign.PLACE)
            position = point_of(place) if place is not None else np.full(3, np.nan)
            signs.append(StopPoint(StopKind.STOP_SIGN, _names(sign.wholes(_Sign.LANES)), position))
            roads.append(Road(RoadKind.STOP_SIGN, position[None]))
    messages = ((_id_of(feature), feature.message(_Feature.LANE)) for feature in features)
    lanes = tuple(_lane(name, lane, lines) for name, lane in messages if lane is not None)
    return lanes, tuple(roads), tuple(signs)


def _roads_of(feature: Message) -> list[Road]:
    found = []
    line, edge = feature.message(_Feature.LINE), feature.message(_Feature.EDGE)
    if line is not None:
        found.append(Road(line_kind(line.whole(_Line.KIND)), _points(line, _Line.POINTS)))
    if edge is not None:
        found.append(Road(RoadKind.ROAD_EDGE, _points(edge, _Line.POINTS)))
    for number, kind in _AREAS.items():
        area = feature.message(number)
        if area is not None:
            found.append(Road(kind, _points(area, _AREA_POINTS)))
    return found


def _lane(name: str, lane: Message, lines: dict[str, Float64s]) -> Lane:
    centre = _points(lane, _Lane.POINTS)
    limit_mph = lane.double(_Lane.SPEED_LIMIT_MPH)
    return Lane(
        lane_id=name,
        centre=centre,
        kind=LANE_KINDS.get(lane.whole(_Lane.KIND), LaneKind.UNKNOWN),
        left=border_of(centre, _borders(lane, _Lane.LEFT_BORDERS), lines),
        right=border_of(centre, _borders(lane, _Lane.RIGHT_BORDERS), lines),
        speed_limit_mps=limit_mph * MPS_PER_MPH if 0.0 < limit_mph < 200.0 else None,
        entries=_names(lane.wholes(_Lane.ENTRIES)),
        exits=_names(lane.wholes(_Lane.EXITS)),
        left_neighbours=_neighbours(lane, _Lane.LEFT_NEIGHBOURS),
        right_neighbours=_neighbours(lane, _Lane.RIGHT_NEIGHBOURS),
    )


def _borders(lane: Message, number: int) -> list[BorderPart]:
    return [
        BorderPart(part.whole(_Border.FIRST), part.whole(_Border.LAST), str(part.whole(_Border.FEATURE)))
        for part in lane.messages(number)
    ]


def _neighbours(lane: Message, number: int) -> tuple[str, ...]:
    return _names([neighbour.whole(_NEIGHBOUR) for neighbour in lane.messages(number)])


def _names(numbers: list[int]) -> tuple[str, ...]:
    return tuple(str(number) for number in dict.fromkeys(numbers))


def _id_of(feature: Message) -> str:
    return str(feature.whole(_Feature.ID))


def _points(message: Message, number: int) -> Float64s:
    points = [[point.double(axis) for axis in _AXES] for point in message.messages(number)]
    return np.array(points).reshape(-1, 3)
