"""Where others are along the ego's route: who is in its way shows there at once, on a bend as on a straight."""

import jax.numpy as jnp
from jaxtyping import Array, Float32

from sim.least import place_of_least
from sim.lookup import take
from sim.measures.route import route_index
from sim.scenario.record import ROUTE_STEP_M, Route

POINTS = 32
STRIDE = 2
BACK = 10
"""Of the route every second point, from 20 m behind the ego to 104 m ahead of it, is looked at."""


def along_route(
    route: Route,
    places: tuple[Float32[Array, "K"], Float32[Array, "K"]],
    velocities: tuple[Float32[Array, "K"], Float32[Array, "K"]],
    *,
    distance: Float32[Array, ""],
) -> tuple[Float32[Array, "K"], Float32[Array, "K"], Float32[Array, "K"]]:
    """(ahead, aside, speed) of agents at x, y (m) with velocities in x and y (m/s), all in the scene's frame.

    `ahead` is metres along the route from the ego, which is at `distance`, `aside` metres to the left of the route's
    line, `speed` m/s along it: each by the direction of the nearest point that is looked at. 0 without a route.
    """
    first = route_index(route, distance) - BACK
    index = jnp.clip(first + STRIDE * jnp.arange(POINTS, dtype=jnp.int32), 0, route.line.shape[-2] - 1)
    line = take(route.line, index)
    nearest = place_of_least((places[0][:, None] - line[:, 0]) ** 2 + (places[1][:, None] - line[:, 1]) ** 2)
    x, y, cosine, sine = (take(line, nearest)[:, column] for column in range(4))
    from_x, from_y = places[0] - x, places[1] - y
    station = ROUTE_STEP_M * take(index, nearest).astype(jnp.float32) - distance
    known = jnp.asarray(route.length) > 0.0
    return (
        jnp.where(known, station + from_x * cosine + from_y * sine, 0.0),
        jnp.where(known, from_y * cosine - from_x * sine, 0.0),
        jnp.where(known, velocities[0] * cosine + velocities[1] * sine, 0.0),
    )
