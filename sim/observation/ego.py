"""The ego itself, and what the route tells it."""

import jax.numpy as jnp
from jaxtyping import Array, Float32

from sim.kinds import LightState, StopKind
from sim.lookup import row, take
from sim.measures.record import MetricSpec
from sim.measures.route import route_index
from sim.scenario.record import STEP_S, Scenario
from sim.state import SimState
from sim.view import Axes

FAR_M = 100.0
_LIGHTS = (
    LightState.STOP, LightState.CAUTION, LightState.GO, LightState.FLASHING_STOP, LightState.FLASHING_CAUTION,
)  # fmt: skip


def observe_ego(scenario: Scenario, state: SimState, axes: Axes) -> Float32[Array, "e"]:
    """Columns EGO."""
    motion, route = state.motion, scenario.route
    length, width = jnp.asarray(scenario.log.sizes)[0]
    x, y, cosine, sine = take(route.line, route_index(route, state.distance))
    limit = take(route.speed_limits, route_index(route, state.distance))
    values = (
        motion.speed,
        motion.steering,
        motion.acceleration,
        motion.yaw_rate,
        length,
        width,
        (motion.y - y) * cosine - (motion.x - x) * sine,
        axes[0] * cosine + axes[1] * sine,
        axes[1] * cosine - axes[0] * sine,
        limit,
        (limit > 0.0).astype(jnp.float32),
    )
    return jnp.concatenate([jnp.stack(values), _line_ahead(scenario, state, half_length=0.5 * length)])


def _line_ahead(scenario: Scenario, state: SimState, *, half_length: Float32[Array, ""]) -> Float32[Array, "9"]:
    """The next stop line: how far, of what kind, what its light shows, and whether the ego has stood before it."""
    route = scenario.route
    front = state.distance + half_length
    lines = jnp.asarray(route.stop_at)
    passed = jnp.sum(lines <= front)
    index = jnp.minimum(passed, lines.shape[0] - 1)
    ahead = jnp.where(passed < lines.shape[0], lines[index] - front, jnp.inf)
    near = ahead < FAR_M
    kind, light = jnp.asarray(route.stop_kinds)[index], row(route.lights, state.step)[index]
    stood = state.stood_at + half_length >= lines[index] - MetricSpec().stood_before_line_m
    flags = [near & (kind == StopKind.STOP_SIGN), near & (kind == StopKind.LIGHT)]
    flags += [near & (kind == StopKind.LIGHT) & (light == shown) for shown in _LIGHTS]
    return jnp.stack([jnp.minimum(ahead, FAR_M), *(flag.astype(jnp.float32) for flag in (*flags, near & stood))])


def remaining(scenario: Scenario, state: SimState) -> Float32[Array, "1"]:
    """Seconds until the recording ends: what a value function must know and a driver must not."""
    steps = jnp.asarray(scenario.log.steps) - 1 - state.step
    return jnp.maximum(steps, 0).astype(jnp.float32)[None] * STEP_S
