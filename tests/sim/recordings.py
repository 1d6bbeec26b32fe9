"""Small recordings whose answers are known by hand."""

from dataclasses import replace

import numpy as np

from sim.kinds import AgentKind, LaneKind, LightState, RoadKind, StopKind
from sim.recording import Agents, Lane, Map, Recording, Road, StopPoint

HALF_WIDTH = 1.75


def straight(start: tuple[float, float], end: tuple[float, float], *, z: float = 0.0, step: float = 1.0) -> np.ndarray:
    """[P, 3] points from start to end."""
    first, last = np.array([*start, z]), np.array([*end, z])
    count = max(2, int(np.hypot(*(last - first)[:2]) / step) + 1)
    return first + np.linspace(0.0, 1.0, count)[:, None] * (last - first)


def lane(lane_id: str, centre: np.ndarray, **facts: object) -> Lane:
    """A lane 3.5 m wide."""
    leg = centre[-1, :2] - centre[0, :2]
    normal = HALF_WIDTH * np.array([-leg[1], leg[0]]) / np.hypot(*leg)
    return replace(Lane(lane_id, centre, LaneKind.STREET, centre[:, :2] + normal, centre[:, :2] - normal), **facts)  # type: ignore[arg-type]


def moving(
    starts: list[tuple[float, float]], velocities: list[tuple[float, float]], *, steps: int = 91, step_s: float = 0.1
) -> Agents:
    """Cars of 4.5 x 1.8 x 1.5 m at constant velocity; a standing one looks along x."""
    times = step_s * np.arange(steps)
    start, velocity = np.array(starts, float), np.array(velocities, float)
    position = np.zeros((len(starts), steps, 3))
    position[:, :, :2] = start[:, None] + times[:, None] * velocity[:, None]
    position[:, :, 2] = 0.75
    heading = np.where(np.hypot(*velocity.T) > 0, np.arctan2(velocity[:, 1], velocity[:, 0]), 0.0)
    return Agents(
        position=position,
        heading=np.repeat(heading[:, None], steps, axis=1),
        velocity=np.repeat(velocity[:, None], steps, axis=1),
        size=np.tile([4.5, 1.8, 1.5], (len(starts), 1)),
        kind=np.full(len(starts), AgentKind.VEHICLE, np.int8),
        valid=np.ones((len(starts), steps), bool),
        ids=tuple(f"car-{number}" for number in range(len(starts))),
    )


def two_lane_map(length: float = 400.0, *, light: np.ndarray | None = None) -> Map:
    """Lanes `right` (y = 0) and `left` (y = 3.5) along x from -200 m, a lane `oncoming` at y = 7, edges around.

    With states of a light there is a stop line for `right` at x = 20.
    """
    first, last = -length / 2, length / 2
    lanes = (
        lane("right", straight((first, 0.0), (last, 0.0)), left_neighbours=("left",), speed_limit_mps=13.9),
        lane("left", straight((first, 3.5), (last, 3.5)), right_neighbours=("right",), speed_limit_mps=13.9),
        lane("oncoming", straight((last, 7.0), (first, 7.0))),
    )
    roads = (
        Road(RoadKind.ROAD_EDGE, straight((first, -2.25), (last, -2.25), step=7.0)),
        Road(RoadKind.ROAD_EDGE, straight((last, 9.25), (first, 9.25), step=7.0)),
        Road(RoadKind.BROKEN_LINE, straight((first, 1.75), (last, 1.75), step=7.0)),
    )
    stop = () if light is None else (StopPoint(StopKind.LIGHT, ("right",), np.array([20.0, 0.0, 0.0]), light),)
    return Map(lanes, roads, stop)


def two_lane_road(*, steps: int = 91, speed: float = 10.0, light: LightState | None = None) -> Recording:
    """The ego drives on `right` from x = -40, a car on `left` beside it, another comes towards them."""
    agents = moving(
        [(-40.0, 0.0), (-30.0, 3.5), (100.0, 7.0)], [(speed, 0.0), (speed, 0.0), (-speed, 0.0)], steps=steps
    )
    states = None if light is None else np.full(steps, light, np.int8)
    return Recording("two lanes", 0.1, agents, 0, two_lane_map(light=states))
