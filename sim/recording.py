"""A piece of traffic as it was recorded or generated: ragged numpy arrays in metres, before any padding.

Every reader of recordings and the generator end here, and `sim.scenario.prepare` begins here. World frame:
x and y in metres in any origin, z up, headings counter-clockwise from x in radians.

Axes: A agents, T steps of the source, P points of a polyline, L lights.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.kinds import LaneKind, RoadKind, StopKind

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Agents:
    """What moved. A value where `valid` is False means nothing and may be anything, even not finite."""

    position: Float64s
    """[A, T, 3] centre of the box, metres."""
    heading: Float64s
    """[A, T] radians."""
    velocity: Float64s
    """[A, T, 2] metres per second in the world frame."""
    size: Float64s
    """[A, 3] length, width and height of the box, metres; each greater than 0."""
    kind: NDArray[np.int8]
    """[A] values of AgentKind."""
    valid: NDArray[np.bool_]
    """[A, T]"""
    ids: tuple[str, ...]
    """[A] names of the tracks in the source, unique."""


@dataclass(frozen=True)
class Lane:
    """A lane by its centre line, in driving direction."""

    lane_id: str
    centre: Float64s
    """[P, 3]"""
    kind: LaneKind = LaneKind.UNKNOWN
    left: Float64s | None = None
    """[P, 2] left border from its beginning to its end, with points of its own; None where the source has none."""
    right: Float64s | None = None
    """[P, 2]"""
    speed_limit_mps: float | None = None
    entries: tuple[str, ...] = ()
    """Lanes from which one drives into this one; () where the source does not say."""
    exits: tuple[str, ...] = ()
    left_neighbours: tuple[str, ...] = ()
    """Lanes in the same direction that one may change into; () where the source does not say."""
    right_neighbours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Road:
    """A line, edge or area of the road. Areas are closed polygons without the first point repeated.

    A ROAD_EDGE has the drivable area on its left.
    """

    kind: RoadKind
    points: Float64s
    """[P, 3]"""


@dataclass(frozen=True)
class StopPoint:
    """Where traffic on a lane has to stop, for a sign or for a light."""

    kind: StopKind
    lane_ids: tuple[str, ...]
    """Lanes that it controls; () where the source names none: then the nearest lane that leads to it."""
    position: Float64s
    """[3]"""
    states: NDArray[np.int8] | None = None
    """[T] values of LightState at each step, for a light."""


@dataclass(frozen=True)
class Map:
    """What does not move."""

    lanes: tuple[Lane, ...] = ()
    roads: tuple[Road, ...] = ()
    stops: tuple[StopPoint, ...] = ()


@dataclass(frozen=True)
class Recording:
    """One scene: agents, map, and which agent is the ego.

    `route` names the lanes that the ego means to drive, in order; None where the source does not say: then
    the route is made of the lanes that the recorded ego followed.
    """

    name: str
    """For messages: file and number, or seed."""
    step_s: float
    """Time between two steps, seconds."""
    agents: Agents
    ego: int
    """Row of the ego among the agents."""
    map: Map
    route: tuple[str, ...] | None = None
    tags: tuple[str, ...] = field(default=())
    """What is known of the scene, e.g. "cut-in"."""
