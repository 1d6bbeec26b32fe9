"""What agents, road elements, lights and stop lines can be: small numbers that arrays hold."""

from enum import IntEnum


class AgentKind(IntEnum):
    """Kind of a traffic participant."""

    OTHER = 0
    VEHICLE = 1
    PEDESTRIAN = 2
    CYCLIST = 3


class LaneKind(IntEnum):
    """Whom a lane is made for."""

    UNKNOWN = 0
    FREEWAY = 1
    STREET = 2
    BICYCLE = 3


class RoadKind(IntEnum):
    """Kind of a road element that a driver sees."""

    NONE = 0
    LANE_CENTRE = 1
    BROKEN_LINE = 2
    SOLID_LINE = 3
    ROAD_EDGE = 4
    CROSSWALK = 5
    SPEED_BUMP = 6
    DRIVEWAY = 7
    STOP_SIGN = 8


class LightState(IntEnum):
    """What a traffic light shows to a lane."""

    UNKNOWN = 0
    STOP = 1
    CAUTION = 2
    GO = 3
    FLASHING_STOP = 4
    FLASHING_CAUTION = 5


class StopKind(IntEnum):
    """Why a driver may have to stop at a line on the route."""

    NONE = 0
    STOP_SIGN = 1
    LIGHT = 2
