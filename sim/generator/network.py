"""A piece of road network before anyone drives on it: lanes, ways through them, crossings, signals."""

from dataclasses import dataclass, field

import numpy as np

from sim.generator.curves import Float64s, beside
from sim.kinds import LaneKind, RoadKind

LANE_M = 3.6
"""Width of a lane."""
TURN_M = 4.4
"""Width of a lane in a junction: the front of a car swings out."""


@dataclass(frozen=True)
class LanePlan:
    """One lane in driving direction."""

    lane_id: str
    line: Float64s
    """[P, 3]"""
    speed_limit_mps: float
    width: float = LANE_M
    kind: LaneKind = LaneKind.STREET
    exits: tuple[str, ...] = ()
    left_neighbours: tuple[str, ...] = ()
    right_neighbours: tuple[str, ...] = ()

    @property
    def left(self) -> Float64s:
        """[P, 2]"""
        return beside(self.line, 0.5 * self.width)[:, :2]

    @property
    def right(self) -> Float64s:
        """[P, 2]"""
        return beside(self.line, -0.5 * self.width)[:, :2]


@dataclass(frozen=True)
class Way:
    """A row of lanes that a vehicle drives from one end of the network to the other."""

    lane_ids: tuple[str, ...]
    gate_after: int = 0
    """How many of the lanes lie before the line where one has to ask for the junction; 0 for no junction."""
    inside: int = 1
    """How many lanes behind that line belong to the junction."""
    stop_sign: bool = False
    light: int = -1
    """Group of the light; -1 for none."""
    rank: int = 0
    """Whoever has the lower rank gives way."""
    arm: int = 0
    """Where it comes from."""
    to_arm: int = 0


@dataclass(frozen=True)
class Crossing:
    """A crosswalk by the ends of its middle line, at the kerbs."""

    ends: Float64s
    """[2, 2]"""
    light: int = -1
    """Group of the light that must be red for walkers to go."""
    width: float = 3.5


@dataclass(frozen=True)
class Verge:
    """The right-hand border of the lanes, where vehicles park and people walk."""

    line: Float64s
    """[P, 3] along the outermost border, in driving direction; the road is on its left."""
    strip: float = 0.0
    """Metres of paved strip beyond it on which vehicles park or bicycles ride."""
    parked: bool = False
    ridden: bool = False


@dataclass(frozen=True)
class Network:
    """Everything that does not move."""

    kind: str
    lanes: tuple[LanePlan, ...]
    ways: tuple[Way, ...]
    crossings: tuple[Crossing, ...] = ()
    verges: tuple[Verge, ...] = ()
    paint: tuple[tuple[RoadKind, Float64s], ...] = ()
    """Lines on the road [P, 2]."""
    light_groups: int = 0
    circular: bool = False
    """Whether who is inside has the right of way, and nobody else."""
    merging: tuple[tuple[int, int], ...] = ()
    """Pairs of ways that end in the same lanes and let each other in, one by one."""
    ego_ways: tuple[int, ...] = field(default=())
    """Ways that the ego may take."""
    ego_start_m: tuple[float, float] = (20.0, 40.0)
    """Where on its way the ego begins; with a junction, how far before the line."""

    def lane(self, lane_id: str) -> LanePlan:
        """The lane of this id."""
        return next(lane for lane in self.lanes if lane.lane_id == lane_id)


def strip_of(verge: Verge) -> Float64s:
    """[Q, 2] polygon of the paved strip."""
    outer = beside(verge.line, -verge.strip)[:, :2]
    return np.concatenate([verge.line[:, :2], outer[::-1]])
