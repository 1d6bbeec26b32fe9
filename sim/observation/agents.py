"""The agents closest to the ego."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int16, Int32

from sim.dynamics import Motion
from sim.geometry import distance
from sim.lookup import take
from sim.nearest import smallest
from sim.observation.along import along_route
from sim.observation.record import Tokens
from sim.scenario.record import NOWHERE, PLACE_M, SPEED_MPS, Scenario
from sim.state import SimState
from sim.view import Axes, boxes_around


def observe_agents(
    scenario: Scenario, state: SimState, states: Int16[Array, "6 A"], axes: Axes, *, most: int
) -> Tokens:
    """The agents whose centres are closest to the ego's; the recorded ego is none of them."""
    log, motion, count = scenario.log, state.motion, states.shape[-1]
    index, valid = closest(states, motion, most=min(most, count))
    picked = take(states.reshape(-1), count * jnp.arange(6, dtype=jnp.int32)[:, None] + index)
    sizes = jnp.asarray(log.sizes)
    boxes = boxes_around(motion, axes, states=picked, sizes=take(sizes, index), ego_size=sizes[0])
    apart = distance(boxes.pair, boxes.half, boxes.other_half)
    place = boxes.pair
    x, y, _, _, velocity_x, velocity_y = picked.astype(jnp.float32)
    along = along_route(
        scenario.route,
        (x * PLACE_M, y * PLACE_M),
        (velocity_x * SPEED_MPS, velocity_y * SPEED_MPS),
        distance=state.distance,
    )
    columns = (
        *place.centre[:2],
        place.cosine,
        place.sine,
        boxes.velocity_x,
        boxes.velocity_y,
        2.0 * boxes.other_half[0],
        2.0 * boxes.other_half[1],
        apart,
        *along,
    )
    features = jnp.where(valid, jnp.stack(columns), 0.0).T
    return Tokens(features=features, kinds=jnp.where(valid, take(log.kinds, index), 0), valid=valid)


def closest(states: Int16[Array, "6 A"], motion: Motion, *, most: int) -> tuple[Int32[Array, "K"], Bool[Array, "K"]]:
    """Numbers of the agents closest to the ego, nearest first, and whether there is one."""
    x, y = (
        states[0].astype(jnp.float32) * PLACE_M - motion.x,
        states[1].astype(jnp.float32) * PLACE_M - motion.y,
    )
    squared = jnp.where(states[0] == NOWHERE, jnp.inf, x * x + y * y)
    squared = jnp.where(jnp.arange(squared.shape[0]) == 0, jnp.inf, squared)
    return smallest(squared, most)
