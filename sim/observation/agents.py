"""The agents closest to the ego."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int16, Int32

from sim.geometry import distance
from sim.lookup import row, take
from sim.nearest import smallest
from sim.observation.record import Tokens
from sim.scenario.record import NOWHERE, PLACE_M, Log
from sim.state import SimState
from sim.view import Axes, boxes_around


def observe_agents(log: Log, state: SimState, axes: Axes, *, most: int) -> Tokens:
    """The agents whose centres are closest to the ego's; the recorded ego is none of them."""
    count = log.states.shape[-1]
    index, valid = closest(log, state, most=min(most, count))
    states = _picked(log, state, index)
    sizes = jnp.asarray(log.sizes)
    boxes = boxes_around(state.motion, axes, states=states, sizes=take(sizes, index), ego_size=sizes[0])
    apart = distance(boxes.pair, boxes.half, boxes.other_half)
    place = boxes.pair
    columns = (
        *place.centre[:2],
        place.cosine,
        place.sine,
        boxes.velocity_x,
        boxes.velocity_y,
        2.0 * boxes.other_half[0],
        2.0 * boxes.other_half[1],
        apart,
    )
    features = jnp.where(valid[:, None], jnp.stack(columns, axis=-1), 0.0)
    return Tokens(features=features, kinds=jnp.where(valid, take(log.kinds, index), 0), valid=valid)


def _picked(log: Log, state: SimState, index: Int32[Array, "K"]) -> Int16[Array, "6 K"]:
    """Some agents as they are now."""
    count = log.states.shape[-1]
    fields = count * jnp.arange(6, dtype=jnp.int32)[:, None]
    if state.traffic is not None:
        return take(state.traffic.states.reshape(-1), fields + index)
    first = jnp.clip(state.step, 0, log.states.shape[0] - 1) * 6 * count
    return take(jnp.asarray(log.states).reshape(-1), first + fields + index)


def closest(log: Log, state: SimState, *, most: int) -> tuple[Int32[Array, "K"], Bool[Array, "K"]]:
    """Numbers of the closest agents, nearest first, and whether there is one."""
    states = row(log.states, state.step) if state.traffic is None else state.traffic.states
    x, y = (
        states[0].astype(jnp.float32) * PLACE_M - state.motion.x,
        states[1].astype(jnp.float32) * PLACE_M - state.motion.y,
    )
    squared = jnp.where(states[0] == NOWHERE, jnp.inf, x * x + y * y)
    squared = jnp.where(jnp.arange(squared.shape[0]) == 0, jnp.inf, squared)
    return smallest(squared, most)
