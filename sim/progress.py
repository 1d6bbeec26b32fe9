"""How far along its route the ego is."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32

from sim.lookup import window
from sim.scenario.record import ROUTE_STEP_M, Route

WINDOW = 16
"""Points of the route that a step looks at: 8 m back and 20 m on, more than a car moves in one step."""
BACK = 4


def project(
    route: Route, x: Float32[Array, ""], y: Float32[Array, ""], *, near: Float[Array, ""]
) -> Float32[Array, ""]:
    """Distance along the route of its point nearest to x, y, among those 8 m before to 20 m behind `near`; metres.

    Only that window is looked at, so that a route which crosses itself is followed and not jumped.
    """
    points = route.line.shape[-2]
    count = min(WINDOW, points)
    first = jnp.clip((near / ROUTE_STEP_M).astype(jnp.int32) - BACK, 0, points - count)
    line = window(route.line, first, count)
    start_x, start_y = line[:-1, 0], line[:-1, 1]
    along_x, along_y = line[1:, 0] - start_x, line[1:, 1] - start_y
    from_x, from_y = x - start_x, y - start_y
    # The padding repeats a point: the tiny number makes the fraction there 0 and not 0 / 0.
    squared = jnp.maximum(along_x**2 + along_y**2, 1e-12)
    share = jnp.clip((from_x * along_x + from_y * along_y) / squared, 0.0, 1.0)
    apart = (from_x - share * along_x) ** 2 + (from_y - share * along_y) ** 2
    return ROUTE_STEP_M * (first + _at_smallest(apart, jnp.arange(count - 1) + share))


def _at_smallest(cost: Float32[Array, "n"], value: Float32[Array, "n"]) -> Float32[Array, ""]:
    """The value where the cost (>= 0) is smallest, the first of equals.

    Floats that are not negative are in order as integers too. The lowest four bits make way for the position, so
    that one minimum finds both: costs that differ by less than two millionths count as equal.
    """
    positions = jnp.arange(cost.shape[0], dtype=jnp.int32)
    key = (jax.lax.bitcast_convert_type(cost, jnp.int32) & ~15) | positions
    return jnp.sum(jnp.where(key == jnp.min(key), value, 0.0))
