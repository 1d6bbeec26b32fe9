"""Every metric of a drive again, slowly: float64, one step after the other, from the definitions.

Axes: T steps, A agents, S pieces of road edges, P points.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.kinds import LightState, RoadKind, StopKind
from sim.measures.ground import BORDER, FARTHEST_M
from sim.recording import Recording
from sim.scenario.record import (
    DIRECTION,
    NOWHERE,
    PLACE_M,
    ROUTE_STEP_M,
    SPEED_MPS,
    STEP_S,
    TILE_M,
    Ground,
    Route,
    Scenario,
)

Float64s = NDArray[np.float64]
LANE_TOLERANCE_M = 0.3
TURNING = 0.02
"""rad/s: slower turns of the wheel are none."""


@dataclass(frozen=True)
class Way:
    """How the ego went: its state before and after each step, [T + 1]."""

    x: Float64s
    y: Float64s
    heading: Float64s
    speed: Float64s
    steering: Float64s
    distance: Float64s
    """Along the route."""


@dataclass(frozen=True)
class Others:
    """Everybody else at one step, seen from the ego."""

    centre: Float64s
    """[A, 2] ahead, to the left."""
    velocity: Float64s
    """[A, 2] against the ego's."""
    turned: Float64s
    """[A] radians."""
    half: Float64s
    """[A, 2]"""
    seen: NDArray[np.bool_]

    def gaps(self, own_half: Float64s, *, after_s: float = 0.0) -> Float64s:
        """[A] the largest gap over the four axes of each pair of boxes; infinite for who is not seen."""
        centre = self.centre + after_s * self.velocity
        cosine, sine = np.cos(self.turned), np.sin(self.turned)
        one, none = np.ones_like(cosine), np.zeros_like(cosine)
        x, y = np.stack([one, none, cosine, -sine]), np.stack([none, one, sine, cosine])
        own = own_half[0] * np.abs(x) + own_half[1] * np.abs(y)
        along = np.abs(x * cosine + y * sine) * self.half[:, 0]
        across = np.abs(y * cosine - x * sine) * self.half[:, 1]
        apart = np.abs(x * centre[:, 0] + y * centre[:, 1]) - own - along - across
        return np.where(self.seen, apart.max(axis=0), np.inf)


def others_at(scenario: Scenario, way: Way, step: int, moment: int) -> Others:
    """Everybody at a step of the log, seen from the ego at a moment of its way."""
    states = np.asarray(scenario.log.states)[step].astype(np.float64)
    x, y = states[0] * PLACE_M - way.x[moment], states[1] * PLACE_M - way.y[moment]
    cosine, sine = np.cos(way.heading[moment]), np.sin(way.heading[moment])
    vx, vy = states[4] * SPEED_MPS, states[5] * SPEED_MPS
    seen = states[0] != NOWHERE
    seen[0] = False
    return Others(
        centre=np.stack([x * cosine + y * sine, y * cosine - x * sine], axis=1),
        velocity=np.stack([vx * cosine + vy * sine - way.speed[moment], vy * cosine - vx * sine], axis=1),
        turned=np.arctan2(states[3] * DIRECTION, states[2] * DIRECTION) - way.heading[moment],
        half=0.5 * np.asarray(scenario.log.sizes, np.float64),
        seen=seen,
    )


def border_of(way: Way, moment: int, size: Float64s) -> Float64s:
    """[8, 2] corners and middles of the sides of the ego."""
    ahead, left = (0.5 * size * np.array(BORDER)).T
    cosine, sine = np.cos(way.heading[moment]), np.sin(way.heading[moment])
    return np.stack(
        [way.x[moment] + ahead * cosine - left * sine, way.y[moment] + ahead * sine + left * cosine], axis=1
    )


def edges_of(recording: Recording, centre: tuple[float, float]) -> Float64s:
    """[S, 4] both ends of every piece of every road edge, the road on its left."""
    lines = [road.points[:, :2] - centre for road in recording.map.roads if road.kind == RoadKind.ROAD_EDGE]
    return np.concatenate([np.concatenate([line[:-1], line[1:]], axis=1) for line in lines])


def margins(edges: Float64s, points: Float64s) -> Float64s:
    """[P] metres to the nearest of all pieces, positive on its left; NaN where equally near ones disagree."""
    start, leg = edges[:, :2], edges[:, 2:] - edges[:, :2]
    offset = points[:, None] - start
    share = np.clip((offset * leg).sum(-1) / np.maximum((leg**2).sum(-1), 1e-12), 0.0, 1.0)
    foot = offset - share[..., None] * leg
    apart = np.hypot(foot[..., 0], foot[..., 1])
    left = leg[:, 0] * offset[..., 1] - leg[:, 1] * offset[..., 0] >= 0.0
    nearest = apart.min(axis=1)
    tied = apart < nearest[:, None] + 0.01
    sure = (left | ~tied).all(axis=1) | (~left | ~tied).all(axis=1)
    side = np.where((left & tied).any(axis=1), 1.0, -1.0)
    return np.where(sure, side * nearest, np.nan)


def known(ground: Ground, points: Float64s) -> NDArray[np.bool_]:
    """[P] whether a tile lies there."""
    column, row = np.floor((points - np.asarray(ground.origin, np.float64)) / TILE_M).astype(int).T
    tiles = np.asarray(ground.tiles)
    inside = (column >= 0) & (row >= 0) & (column < len(tiles)) & (row < len(tiles))
    return inside & (tiles[np.where(inside, row, 0), np.where(inside, column, 0)] >= 0)


def road_margin(ground: Ground, edges: Float64s, points: Float64s) -> float:
    """Metres of the outermost of the points to the road's edge; NaN where that cannot be told from the edges."""
    measured = np.clip(margins(edges, points), -FARTHEST_M, FARTHEST_M)
    return float(np.where(known(ground, points), measured, -FARTHEST_M).min())


def permitted(route: Route) -> shapely.Geometry:
    """The area between the borders of all tracks, widened by the tolerance of preparing."""
    quads = []
    for track in np.asarray(route.borders):
        sides = PLACE_M * track.astype(np.float64)
        for here, after in pairwise(sides):
            if PLACE_M * NOWHERE not in (here[0], after[0]):
                quads.append(shapely.MultiPoint([here[:2], after[:2], after[2:], here[2:]]).convex_hull)
    return shapely.buffer(shapely.union_all(quads), LANE_TOLERANCE_M)


def lines_crossed(route: Route, way: Way, step: int, half_length: float) -> tuple[bool, bool]:
    """Whether the step to `step` crosses a red light, and leaves a line behind at which the ego had to stand.

    As `MetricSpec` has it: up to 4 m beyond the line, having stood from 10 m before it on.
    """
    before, after = way.distance[step - 1] + half_length, way.distance[step] + half_length
    stood = [way.distance[at] for at in range(1, step) if way.speed[at] < 0.5]
    stood_at = (stood[-1] if stood else way.distance[0]) + half_length
    lights = np.asarray(route.lights)
    red = stop = False
    for number, at in enumerate(np.asarray(route.stop_at, np.float64)):
        is_light = route.stop_kinds[number] == StopKind.LIGHT
        shown = lights[step - 1, number], lights[step, number]
        red |= is_light and shown == (LightState.STOP, LightState.STOP) and before < at <= after
        must_stand = route.stop_kinds[number] == StopKind.STOP_SIGN or (
            is_light and shown[0] == LightState.FLASHING_STOP
        )
        stop |= bool(must_stand and before < at + 4.0 <= after and stood_at < at - 10.0)
    return bool(red), bool(stop)


def comfort(way: Way) -> dict[str, Float64s]:
    """[T] or less: acceleration along the heading and across it from speeds and headings, and how both change."""
    turning = np.diff(np.unwrap(way.heading)) / STEP_S
    along, across = np.diff(way.speed) / STEP_S, way.speed[1:] * turning
    return {
        "acceleration": along,
        "lateral_acceleration": across,
        "jerk": np.diff(along) / STEP_S,
        "lateral_jerk": np.diff(across) / STEP_S,
    }


def reversals(way: Way) -> list[bool]:
    """Of each step, whether the wheel turns the other way than it last turned."""
    found, last = [], 0.0
    for turn in np.diff(way.steering):
        now = np.sign(turn) if abs(turn) > TURNING * STEP_S else last
        found.append(now * last < 0)
        last = now
    return found


def along_route(route: Route, distance: float) -> tuple[Float64s, float]:
    """The direction of the route at a distance, and the speed limit there (0 for none)."""
    row = min(max(int(distance / ROUTE_STEP_M), 0), len(np.asarray(route.line)) - 1)
    return np.asarray(route.line, np.float64)[row, 2:], float(np.asarray(route.speed_limits)[row])
