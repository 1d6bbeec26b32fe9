"""Agents and traffic lights as two upright boxes each, and which of them each ray meets first.

Axes: N bodies, V rows, U columns, 2 parts (lower body and cabin or head; pole and lamps).
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int32

from sim.camera.lens import Lens
from sim.kinds import AgentKind

SIGNAL = len(AgentKind)
"""In place of an agent's kind: a traffic light."""
PARTS = {
    # Share of the length and width, shift of the middle along the length, and from which to which share of the height.
    AgentKind.OTHER: ((1.0, 1.0, 0.0, 0.0, 1.0), (0.5, 0.5, 0.0, 0.5, 1.0)),
    AgentKind.VEHICLE: ((1.0, 1.0, 0.0, 0.15, 0.62), (0.62, 0.88, -0.06, 0.62, 1.0)),
    AgentKind.PEDESTRIAN: ((0.6, 0.85, 0.0, 0.0, 0.84), (0.38, 0.4, 0.0, 0.84, 1.0)),
    AgentKind.CYCLIST: ((1.0, 0.25, 0.0, 0.0, 0.55), (0.32, 0.8, -0.05, 0.45, 1.0)),
    SIGNAL: ((0.35, 0.3, 0.0, 0.0, 0.72), (1.0, 1.0, 0.0, 0.72, 1.0)),
}
TABLE = tuple(PARTS[kind] for kind in range(SIGNAL + 1))
NEAREST_M = 0.05
"""What is nearer to the camera is not seen."""
_NOTHING = 2**31 - 1


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Bodies:
    """What may stand before the camera, in its frame."""

    poses: Float[Array, "N 4"]
    """x, y, cos, sin"""
    sizes: Float[Array, "N 3"]
    """Length, width, height, metres."""
    kinds: Int[Array, "N"]
    """Values of AgentKind, or SIGNAL."""
    valid: Bool[Array, "N"]


@dataclass(frozen=True)
class Met:
    """What the rays meet first."""

    body: Int32[Array, "V U"]
    """-1 where nothing is."""
    part: Int32[Array, "V U"]
    side: Int32[Array, "V U"]
    """The side of the part that is seen: 0 an end, 1 a flank, 2 the top or bottom."""
    distance: Float[Array, "V U"]
    """In lengths of the ray, to within a 30,000th; 1 where nothing is."""
    whole: Int32[Array, "N 2"]
    """Rays that would meet each part if nothing else were there."""


def first_met(bodies: Bodies, lens: Lens, range_m: float) -> Met:
    """Find for each pixel the nearest body within `range_m`.

    Floats that are not negative are in order as integers too: body, part and side take the lowest bits of the
    distance, so that one minimum finds all four, and bodies go by one at a time, so that nothing but the nearest
    is kept.
    """
    parts = jnp.array(TABLE, jnp.float32)[bodies.kinds]
    bits = 3 + max(1, math.ceil(math.log2(len(bodies.kinds))))

    def nearer(nearest: Int32[Array, "V U"], body: tuple[Array, ...]) -> tuple[Int32[Array, "V U"], Array]:
        number, pose, size, shape, valid = body
        counts = []
        for part in range(2):
            enter, side, hit = _meets(lens, pose, size, shape[part])
            hit &= valid & (enter < range_m)
            key = (jax.lax.bitcast_convert_type(enter, jnp.int32) >> bits << bits) | (8 * number + 4 * part) | side
            nearest = jnp.minimum(nearest, jnp.where(hit, key, _NOTHING))
            counts.append(hit)
        whole = jnp.stack([(counts[0] | counts[1]).sum(), counts[1].sum()])
        return nearest, whole

    rows = (jnp.arange(len(bodies.kinds)), bodies.poses, bodies.sizes, parts, bodies.valid)
    none = jnp.full((len(lens.rise), len(lens.left)), _NOTHING, jnp.int32)
    nearest, whole = jax.lax.scan(nearer, none, rows)
    there = nearest != _NOTHING
    low = nearest & (2**bits - 1)
    distance = jax.lax.bitcast_convert_type(nearest >> bits << bits, jnp.float32)
    return Met(
        body=jnp.where(there, low >> 3, -1),
        part=low >> 2 & 1,
        side=low & 3,
        distance=jnp.where(there, distance, 1.0),
        whole=whole,
    )


def _meets(
    lens: Lens, pose: Float[Array, "4"], size: Float[Array, "3"], shape: Float[Array, "5"]
) -> tuple[Float[Array, "V U"], Int[Array, "V U"], Bool[Array, "V U"]]:
    """Where rays enter a box, the side where they do, and whether they do."""
    cosine, sine = pose[2], pose[3]
    ahead_V1, left_1U = jnp.asarray(lens.ahead)[:, None], jnp.asarray(lens.left)[None, :]
    along = -(pose[0] * cosine + pose[1] * sine) - shape[2] * size[0]
    aside = pose[0] * sine - pose[1] * cosine
    ends = _slab(along, ahead_V1 * cosine + left_1U * sine, 0.5 * size[0] * shape[0])
    flanks = _slab(aside, left_1U * cosine - ahead_V1 * sine, 0.5 * size[1] * shape[1])
    low, high = shape[3] * size[2], shape[4] * size[2]
    level = _slab(lens.height_m - 0.5 * (low + high), jnp.asarray(lens.rise[:, None]), 0.5 * (high - low))
    enter = jnp.maximum(jnp.maximum(ends[0], flanks[0]), level[0])
    leave = jnp.minimum(jnp.minimum(ends[1], flanks[1]), level[1])
    side = jnp.where(enter == ends[0], 0, jnp.where(enter == flanks[0], 1, 2))
    return enter, side, (enter < leave) & (enter > NEAREST_M)


def _slab(
    start: Float[Array, ""], way: Float[Array, "..."], half: Float[Array, ""]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """When a ray is within `half` of a plane; a ray along it is moved by a hair, so that nothing divides by zero."""
    per = 1.0 / jnp.where(jnp.abs(way) < 1e-7, 1e-7, way)
    middle, spread = -start * per, half * jnp.abs(per)
    return middle - spread, middle + spread
