"""How far along its route the ego is."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Float32

from sim.least import value_at_least
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
    return ROUTE_STEP_M * (first + value_at_least(apart, jnp.arange(count - 1) + share))
