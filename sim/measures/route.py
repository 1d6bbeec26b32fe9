"""Lights, stop lines, speed limit and direction: what the route asks of the ego."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int8, Int32

from sim.kinds import LightState, StopKind
from sim.lookup import take
from sim.measures.record import MetricSpec
from sim.scenario.record import ROUTE_STEP_M, Route
from sim.state import SimState
from sim.view import Axes


def crossed_lines(
    route: Route,
    lights: tuple[Int8[Array, "S"], Int8[Array, "S"]],
    states: tuple[SimState, SimState],
    *,
    half_length: Float32[Array, ""],
    spec: MetricSpec,
) -> tuple[Bool[Array, ""], Bool[Array, ""]]:
    """Whether the front crossed a red light, and left a stop line behind without having stood at it.

    `lights` and `states` before and after the step.
    """
    front_before, front_after = (state.distance + half_length for state in states)
    stop_at, kinds = jnp.asarray(route.stop_at), jnp.asarray(route.stop_kinds)
    beyond = stop_at + spec.beyond_line_m
    crossed = (front_before < stop_at) & (stop_at <= front_after)
    left = (front_before < beyond) & (beyond <= front_after)
    red = (lights[0] == LightState.STOP) & (lights[1] == LightState.STOP) & (kinds == StopKind.LIGHT)
    flashing = (lights[0] == LightState.FLASHING_STOP) & (kinds == StopKind.LIGHT)
    stood = states[0].stood_at + half_length >= stop_at - spec.stood_before_line_m
    must_stand = (kinds == StopKind.STOP_SIGN) | flashing
    return jnp.any(crossed & red), jnp.any(left & must_stand & ~stood)


def route_index(route: Route, distance: Float32[Array, ""]) -> Int32[Array, ""]:
    """The last point of the route at or before a distance along it."""
    return jnp.clip((distance / ROUTE_STEP_M).astype(jnp.int32), 0, route.line.shape[-2] - 1)


def on_its_way(route: Route, state: SimState) -> Bool[Array, ""]:
    """Whether there is a route whose end the ego has not come to: what lies behind the end is not known."""
    length = jnp.asarray(route.length)
    return (length > 0.0) & (state.distance < length - ROUTE_STEP_M)


def over_limit(route: Route, distance: Float32[Array, ""], speed: Float32[Array, ""]) -> Float32[Array, ""]:
    """m/s over the speed limit; 0 below it and where none is known."""
    limit = take(route.speed_limits, route_index(route, distance))
    return jnp.where(limit > 0.0, jnp.maximum(speed - limit, 0.0), 0.0)


def against_route(route: Route, state: SimState, axes: Axes, *, moving_mps: float) -> Bool[Array, ""]:
    """Whether the ego moves more than 90 degrees from the direction of the route."""
    _, _, cosine, sine = take(route.line, route_index(route, state.distance))
    along = (axes[0] * cosine + axes[1] * sine) * state.motion.speed
    moves = jnp.abs(state.motion.speed) > moving_mps
    against: Array = moves & (along < 0.0) & (jnp.asarray(route.length) > 0.0)
    return against
