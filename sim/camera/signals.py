"""Traffic lights of the route: where they stand, and what they show.

A scenario knows the stop line of a light and not the light. It is taken to stand at the right-hand kerb on the far
side of the junction, where whoever waits at the line sees it. Axes: S stop lines, L places to the right of
its kerb, Q ahead of it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from sim.kinds import LightState, StopKind
from sim.measures.ground import measure_ground
from sim.scenario.record import NOWHERE, ROUTE_STEP_M, Ground, Route, places

SIZE_M = (0.4, 0.5, 4.3)
"""Length and width of the lamps, and height above the road."""
LAMP_M = 0.17
"""Radius."""
_KERB_M = 1.0
_FARTHEST_M = 40.0
_WITHOUT_JUNCTION_M = 12.0
_NO_JUNCTION = 1e6
"""Cost of a place before which no road crosses: any other is taken first."""
_ASIDE_M = np.arange(0.0, 9.0, 1.8, dtype=np.float32)
_AHEAD_M = np.arange(4.0, _FARTHEST_M, 1.5, dtype=np.float32)
_BLINK_STEPS = 2


def signals_of(route: Route, ground: Ground) -> tuple[Float[Array, "S 4"], Bool[Array, "S"]]:
    """x, y, cos, sin of each light, facing those who come, and which of them there are."""
    there = (jnp.asarray(route.stop_kinds) == StopKind.LIGHT) & jnp.isfinite(route.stop_at)
    row = jnp.clip(jnp.where(there, route.stop_at, 0.0) / ROUTE_STEP_M, 0, route.line.shape[0] - 1).astype(jnp.int32)
    line = jnp.asarray(route.line)[row]
    past = jnp.where(there, route.stop_at, 0.0) - row * ROUTE_STEP_M
    stop = line[:, :2] + past[:, None] * line[:, 2:]
    right = jnp.stack([line[:, 3], -line[:, 2]], axis=1)
    kerb = stop + (_border(route, row, stop, right) + _KERB_M)[:, None] * right
    stands = jax.vmap(lambda place, way: _place(ground, place, way))(kerb, line[:, 2:])
    return jnp.concatenate([stands, -line[:, 2:]], axis=1), there


def shown_at(route: Route, step: Int[Array, ""] | int) -> tuple[Int[Array, "S"], Bool[Array, "S"]]:
    """State of each light at a step, and whether its lamp burns: flashing ones are dark every other 0.4 s."""
    states = jnp.asarray(route.lights)[step].astype(jnp.int32)
    flashing = (states == LightState.FLASHING_STOP) | (states == LightState.FLASHING_CAUTION)
    dark = flashing & (jnp.asarray(step) // _BLINK_STEPS % 2 == 1)
    return states, (states != LightState.UNKNOWN) & ~dark


def _border(
    route: Route, row: Int[Array, "S"], stop: Float[Array, "S 2"], right: Float[Array, "S 2"]
) -> Float[Array, "S"]:
    """Metres to the right of a stop line's place where the outermost lane of the route ends."""
    borders = jnp.asarray(route.borders)[:, row]
    aside = ((places(borders[:, :, 2:]) - stop) * right).sum(axis=2)
    widest = jnp.where(borders[:, :, 0] != NOWHERE, aside, -jnp.inf).max(axis=0)
    return jnp.where(jnp.isfinite(widest), widest, 1.8)


def _place(ground: Ground, kerb: Float[Array, "2"], way: Float[Array, "2"]) -> Float[Array, "2"]:
    """Where a light stands for those who come along a kerb: off the road, behind a road that crosses there.

    As near to the kerb as that is to be had; where no road crosses, beside the road some metres on.
    """
    right = jnp.stack([way[1], -way[0]])
    aside_L1, ahead_Q = jnp.asarray(_ASIDE_M)[:, None], jnp.asarray(_AHEAD_M)
    places_LQ2 = kerb + aside_L1[..., None] * right + ahead_Q[:, None] * way
    distance, _ = measure_ground(ground, *places_LQ2.reshape(-1, 2).T)
    road_LQ = (distance > -0.5).reshape(len(_ASIDE_M), len(_AHEAD_M))
    crossed_LQ = jnp.cumsum(road_LQ, axis=1) > 0
    behind_LQ = _FARTHEST_M * aside_L1 + ahead_Q
    beside_LQ = _NO_JUNCTION + behind_LQ + _FARTHEST_M * jnp.abs(ahead_Q - _WITHOUT_JUNCTION_M)
    cost_LQ = jnp.where(road_LQ, jnp.inf, jnp.where(crossed_LQ, behind_LQ, beside_LQ))
    return places_LQ2.reshape(-1, 2)[cost_LQ.argmin()]
