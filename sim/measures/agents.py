"""Collision, fault and time to collision, all in one pass over the agents."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int16

from sim.geometry import gap, time_to_touch
from sim.scenario.record import Log
from sim.state import SimState, unpack_bits
from sim.view import axes_of, boxes_around

_FAULT, _HIT, _FREE = 0, 1, 2


def measure_agents(
    log: Log, states: Int16[Array, "6 A"], state: SimState, *, moving_mps: float
) -> tuple[Bool[Array, ""], Bool[Array, ""], Float32[Array, ""]]:
    """Whether the ego collides, whether that is its fault, and the seconds until it would collide.

    One number tells all three of an agent: 0 for a collision at fault, 1 for another, else 2 + the bits of the
    time, which as integers are in the order of the times. So a single minimum over the agents remains, and one
    of integers, which runs in wide registers where a minimum of floats does not.
    """
    sizes = jnp.asarray(log.sizes)
    boxes = boxes_around(state.motion, axes_of(state.motion), states=states, sizes=sizes, ego_size=sizes[0])
    judged = boxes.seen & ~unpack_bits(state.ignored, sizes.shape[0])
    touched = time_to_touch(boxes.pair, boxes.velocity_x - state.motion.speed, boxes.velocity_y)
    free = jax.lax.bitcast_convert_type(touched, jnp.int32) + _FREE
    behind = boxes.pair.centre[0] < -boxes.half[0]
    fault = (jnp.abs(state.motion.speed) > moving_mps) & ~behind
    hit = jnp.where(fault, _FAULT, _HIT)
    never = jax.lax.bitcast_convert_type(jnp.float32(jnp.inf), jnp.int32) + _FREE
    worst = jnp.min(jnp.where(judged, jnp.where(gap(boxes.pair) < 0.0, hit, free), never))
    time = jax.lax.bitcast_convert_type(jnp.maximum(worst - _FREE, 0), jnp.float32)
    return worst <= _HIT, worst == _FAULT, time
