"""The other agents of one step as the ego sees them: in its frame, as boxes with velocities."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int16

from sim.dynamics import Motion
from sim.geometry import Pair, pair
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, SPEED_MPS, Leaf

Axes = tuple[Float32[Array, ""], Float32[Array, ""]]


@dataclass(frozen=True)
class Boxes:
    """Boxes and how they move, seen from the ego."""

    seen: Bool[Array, "A"]
    pair: Pair
    """The ego's box at the origin, and theirs."""
    velocity_x: Float32[Array, "A"]
    """m/s over the ground along the ego's heading."""
    velocity_y: Float32[Array, "A"]
    half: Axes
    """Half length and width of the ego."""
    other_half: tuple[Float32[Array, "A"], Float32[Array, "A"]]


def axes_of(motion: Motion) -> Axes:
    """Cosine and sine of the ego's heading."""
    return jnp.cos(motion.heading), jnp.sin(motion.heading)


def boxes_around(
    motion: Motion,
    axes: Axes,
    *,
    states: Int16[Array, "6 A"],
    sizes: Float32[Leaf, "A 2"],
    ego_size: Float32[Array, "2"],
) -> Boxes:
    """What of the logged agents the ego sees. `states` as in Log; agents that are not there are not `seen`."""
    cosine, sine = axes
    x, y, other_cosine, other_sine, vx, vy = (states[number].astype(jnp.float32) for number in range(6))
    offset_x, offset_y = x * PLACE_M - motion.x, y * PLACE_M - motion.y
    other_cosine, other_sine = other_cosine * DIRECTION, other_sine * DIRECTION
    half = (0.5 * ego_size[0], 0.5 * ego_size[1])
    other_half = (0.5 * jnp.asarray(sizes[:, 0]), 0.5 * jnp.asarray(sizes[:, 1]))
    boxes = pair(
        offset_x * cosine + offset_y * sine,
        offset_y * cosine - offset_x * sine,
        cosine=other_cosine * cosine + other_sine * sine,
        sine=other_sine * cosine - other_cosine * sine,
        half=half,
        other_half=other_half,
    )
    return Boxes(
        seen=states[0] != NOWHERE,
        pair=boxes,
        velocity_x=(vx * cosine + vy * sine) * SPEED_MPS,
        velocity_y=(vy * cosine - vx * sine) * SPEED_MPS,
        half=half,
        other_half=other_half,
    )
