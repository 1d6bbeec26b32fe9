"""Collision, fault and time to collision, all in one pass over the agents."""

from functools import reduce

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int16, Int32

from sim.bits import WORD, unpack_bits
from sim.geometry import gap, time_to_touch
from sim.scenario.record import Log
from sim.state import SimState
from sim.view import Boxes, axes_of, boxes_around

_FAULT, _HIT, _FREE = 0, 1, 2
_NEVER = 0x7F800000 + _FREE
"""The bits of an infinite time."""


def measure_agents(
    log: Log, states: Int16[Array, "6 A"], state: SimState, *, moving_mps: float
) -> tuple[Bool[Array, ""], Bool[Array, ""], Float32[Array, ""]]:
    """Whether the ego collides, whether that is its fault, and the seconds until it would collide.

    One number tells all three of an agent: 0 for a collision at fault, 1 for another, else 2 + the bits of the
    time, which as integers are in the order of the times. So a single minimum over the agents remains, and one
    of integers, which runs in wide registers where a minimum of floats does not.
    """
    sizes, axes = jnp.asarray(log.sizes), axes_of(state.motion)
    groups = []
    for group in groups_of(states.shape[-1]):
        boxes = boxes_around(state.motion, axes, states=states[:, group], sizes=sizes[group], ego_size=sizes[0])
        # The words are divided and not the flags: those would no longer be unpacked in wide registers.
        ignored = unpack_bits(state.ignored[group.start // WORD :], group.stop - group.start)
        groups.append(_severity(boxes, ~ignored, state.motion.speed, moving_mps=moving_mps))
    # Folded onto each other while they are in registers: on a CPU, XLA writes what it takes a minimum over, which
    # thus is as long as one group and not as all agents.
    worst = jnp.min(reduce(jnp.minimum, groups))
    time = jax.lax.bitcast_convert_type(jnp.maximum(worst - _FREE, 0), jnp.float32)
    return worst <= _HIT, worst == _FAULT, time


def groups_of(agents: int) -> list[slice]:
    """Eight equal groups of agents, each of whole words of flags, or fewer where they cannot be divided so."""
    count = max(number for number in (1, 2, 4, 8) if number == 1 or agents % (number * WORD) == 0)
    width = agents // count
    return [slice(number * width, (number + 1) * width) for number in range(count)]


def _severity(
    boxes: Boxes, judged: Bool[Array, "A"], speed: Float32[Array, ""], *, moving_mps: float
) -> Int32[Array, "A"]:
    """The number of each agent."""
    touched = time_to_touch(boxes.pair, boxes.velocity_x - speed, boxes.velocity_y)
    free = jax.lax.bitcast_convert_type(touched, jnp.int32) + _FREE
    behind = boxes.pair.centre[0] < -boxes.half[0]
    fault = (jnp.abs(speed) > moving_mps) & ~behind
    hit = jnp.where(fault, _FAULT, _HIT)
    return jnp.where(boxes.seen & judged, jnp.where(gap(boxes.pair) < 0.0, hit, free), _NEVER)
