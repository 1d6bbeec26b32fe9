"""What the numbers and names of Waymo's motion data mean here.

Source: field comments of map.proto and scenario.proto of the Waymo Open Dataset.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sim.kinds import AgentKind, LaneKind, LightState, RoadKind

MPS_PER_MPH = 0.44704

AGENT_KINDS: Mapping[int, AgentKind] = MappingProxyType(
    {1: AgentKind.VEHICLE, 2: AgentKind.PEDESTRIAN, 3: AgentKind.CYCLIST}
)
"""By Track.object_type; all others are OTHER."""

LANE_KINDS: Mapping[int, LaneKind] = MappingProxyType({1: LaneKind.FREEWAY, 2: LaneKind.STREET, 3: LaneKind.BICYCLE})

LINE_KINDS: Mapping[int, RoadKind] = MappingProxyType(
    {
        1: RoadKind.BROKEN_LINE,
        2: RoadKind.SOLID_LINE,
        3: RoadKind.SOLID_LINE,
        4: RoadKind.BROKEN_LINE,
        5: RoadKind.BROKEN_LINE,
        6: RoadKind.SOLID_LINE,
        7: RoadKind.SOLID_LINE,
        8: RoadKind.BROKEN_LINE,
    }
)
"""By RoadLine.type; a line of unknown type is BROKEN_LINE: it forbids nothing that the source does not forbid."""

LIGHT_STATES: Mapping[int, LightState] = MappingProxyType(
    {
        0: LightState.UNKNOWN,
        1: LightState.STOP,
        2: LightState.CAUTION,
        3: LightState.GO,
        4: LightState.STOP,
        5: LightState.CAUTION,
        6: LightState.GO,
        7: LightState.FLASHING_STOP,
        8: LightState.FLASHING_CAUTION,
    }
)
"""By TrafficSignalLaneState.state: arrows count as the round light of their colour, for they are told per lane."""


def line_kind(number: int) -> RoadKind:
    """Give the kind of a road line."""
    return LINE_KINDS.get(number, RoadKind.BROKEN_LINE)
