"""Small recordings to drive in: an arc of road with two lanes, traffic along and across it, a light and a stop sign."""

from functools import lru_cache

import jax
import numpy as np
from numpy.typing import NDArray

from sim.kinds import AgentKind, LightState, RoadKind, StopKind
from sim.preparing import prepare
from sim.recording import Agents, Lane, Map, Recording, Road, StopPoint
from sim.scenario import Scenario, Sizes

SMALL = Sizes(agents=32, steps=41, route_points=128, lanes=3, stops=4, roads=256, tiles=24, grid=24, listed=32)
STEP_S = 0.2
LANE_WIDTH = 3.6
ROAD_LENGTH = 240.0


def arc_point(along: NDArray[np.float64], aside: float | NDArray[np.float64], curvature: float) -> NDArray[np.float64]:
    """[n, 3] x, y, heading at distances along an arc that begins at the origin, and metres to the left of it."""
    along = np.asarray(along, float)
    heading = curvature * along
    if curvature == 0.0:
        x, y = along, np.zeros_like(along)
    else:
        x, y = np.sin(heading) / curvature, (1 - np.cos(heading)) / curvature
    return np.stack([x - aside * np.sin(heading), y + aside * np.cos(heading), heading], axis=-1)


def moved(points: NDArray[np.float64], angle: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    """x, y (and heading, if there is one) turned about the origin and then shifted."""
    cosine, sine = np.cos(angle), np.sin(angle)
    result = np.array(points, float)
    result[..., 0] = cosine * points[..., 0] - sine * points[..., 1] + shift[0]
    result[..., 1] = sine * points[..., 0] + cosine * points[..., 1] + shift[1]
    if points.shape[-1] == 3:
        result[..., 2] = points[..., 2] + angle
    return result


def road_recording(
    *,
    seed: int = 0,
    agents: int = 20,
    curvature: float = 0.0,
    steps: int = 41,
    speed: float = 8.0,
    angle: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    order: NDArray[np.int64] | None = None,
) -> Recording:
    """The ego on the right lane at constant speed; others at random places with random speeds and sizes."""
    rng = np.random.default_rng(seed)
    times = STEP_S * np.arange(steps)
    poses = [arc_point(20.0 + speed * times, 0.0, curvature)]
    sizes, kinds = [[4.8, 2.0, 1.6]], [AgentKind.VEHICLE]
    for _ in range(agents):
        start, pace, aside = rng.uniform(0, 200), rng.uniform(-5, 12), rng.uniform(-14, 14)
        pose = arc_point(start + pace * times, aside, curvature)
        pose[:, 2] += rng.uniform(-np.pi, np.pi)
        poses.append(pose)
        sizes.append([rng.uniform(0.5, 9.0), rng.uniform(0.4, 2.6), 1.5])
        kinds.append(AgentKind(rng.integers(1, 4)))
    pose = moved(np.stack(poses), angle, shift)
    velocity = np.gradient(pose[..., :2], STEP_S, axis=1)
    valid = np.ones(pose.shape[:2], bool)
    valid[1:] = rng.random((agents, 1)) < 0.9
    everyone = np.arange(agents + 1) if order is None else order
    return Recording(
        name=f"road {seed}",
        step_s=STEP_S,
        agents=Agents(
            position=np.concatenate([pose[..., :2], np.zeros((*pose.shape[:2], 1))], axis=-1)[everyone],
            heading=pose[..., 2][everyone],
            velocity=velocity[everyone],
            size=np.array(sizes)[everyone],
            kind=np.array(kinds, np.int8)[everyone],
            valid=valid[everyone],
            ids=tuple(str(number) for number in everyone),
        ),
        ego=int(np.flatnonzero(everyone == 0)[0]),
        map=_road_map(steps, curvature, angle, shift),
        route=("right",),
    )


def _road_map(steps: int, curvature: float, angle: float, shift: tuple[float, float]) -> Map:
    along = np.arange(0.0, ROAD_LENGTH + 1e-6, 2.0)

    def line(aside: float, *, backward: bool = False) -> NDArray[np.float64]:
        points = moved(arc_point(along[::-1] if backward else along, aside, curvature), angle, shift)
        return np.concatenate([points[:, :2], np.zeros((len(points), 1))], axis=1)

    half = LANE_WIDTH / 2
    lanes = [
        Lane(name, line(aside), left=line(aside + half)[:, :2], right=line(aside - half)[:, :2], speed_limit_mps=13.9)
        for name, aside in (("right", 0.0), ("left", LANE_WIDTH))
    ]
    lanes[0] = Lane(**{**lanes[0].__dict__, "left_neighbours": ("left",)})
    lanes[1] = Lane(**{**lanes[1].__dict__, "right_neighbours": ("right",)})
    roads = (
        Road(RoadKind.ROAD_EDGE, line(-half - 0.5)),
        Road(RoadKind.ROAD_EDGE, line(3 * half + 0.5, backward=True)),
        Road(RoadKind.BROKEN_LINE, line(half)),
    )
    states = np.full(steps, LightState.GO, np.int8)
    states[steps // 2 :] = LightState.STOP
    spots = (line(0.0)[30], line(0.0)[100])
    stops = (
        StopPoint(StopKind.LIGHT, ("right",), spots[0], states),
        StopPoint(StopKind.STOP_SIGN, ("right",), spots[1]),
    )
    return Map(lanes=tuple(lanes), roads=roads, stops=stops)


@lru_cache
def road(seed: int = 0, curvature: float = 0.0, agents: int = 20) -> Scenario:
    """A prepared scene of small sizes."""
    return on_device(prepare(road_recording(seed=seed, curvature=curvature, agents=agents), SMALL).scenario)


def on_device(scenario: Scenario) -> Scenario:
    return jax.tree.map(jax.numpy.asarray, scenario)


def batch(*scenes: Scenario) -> Scenario:
    """Scenes of equal sizes with an axis in front."""
    return jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *scenes)
