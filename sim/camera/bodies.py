"""Agents as two upright boxes each, and where rays meet them.

Axes: P pixels, K agents, 2 parts (lower body, and cabin or head).
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from sim.kinds import AgentKind

_PARTS = {
    # Share of the length and width, shift of the middle along the length, and from which to which share of the height.
    AgentKind.OTHER: ((1.0, 1.0, 0.0, 0.0, 1.0), (0.5, 0.5, 0.0, 0.5, 1.0)),
    AgentKind.VEHICLE: ((1.0, 1.0, 0.0, 0.15, 0.62), (0.62, 0.88, -0.06, 0.62, 1.0)),
    AgentKind.PEDESTRIAN: ((0.6, 0.85, 0.0, 0.0, 0.84), (0.38, 0.4, 0.0, 0.84, 1.0)),
    AgentKind.CYCLIST: ((1.0, 0.25, 0.0, 0.0, 0.55), (0.32, 0.8, -0.05, 0.45, 1.0)),
}


def parts_table() -> Float[Array, "kinds 2 5"]:
    """The parts of each kind of agent, by the number of the kind."""
    return jnp.array([_PARTS[kind] for kind in AgentKind], dtype=jnp.float32)


def meet(
    origin: Float[Array, "3"], rays: Float[Array, "P 3"], poses: Float[Array, "K 4"], sizes: Float[Array, "K 3"],
    kinds: Int[Array, "K"],
) -> tuple[Float[Array, "P K 2"], Int[Array, "P K 2"]]:  # fmt: skip
    """Distance along each ray to each part (infinite for none), and the side that it meets (0 x, 1 y, 2 z).

    `poses` are x, y, cos, sin; rays need not have length 1: distances count in their lengths.
    """
    shape = parts_table()[kinds]
    cosine, sine = poses[:, 2], poses[:, 3]
    shift = origin[:2] - poses[:, :2]
    along = shift[:, 0] * cosine + shift[:, 1] * sine
    aside = shift[:, 1] * cosine - shift[:, 0] * sine
    ray_along = rays[:, :1] * cosine + rays[:, 1:2] * sine
    ray_aside = rays[:, 1:2] * cosine - rays[:, :1] * sine
    half = 0.5 * sizes[:, None, :2] * shape[:, :, :2]
    middle = shape[:, :, 2] * sizes[:, None, 0]
    low, high = shape[:, :, 3] * sizes[:, None, 2], shape[:, :, 4] * sizes[:, None, 2]
    slabs = [
        _slab(along[:, None] - middle, ray_along[:, :, None], -half[:, :, 0], half[:, :, 0]),
        _slab(aside[:, None], ray_aside[:, :, None], -half[:, :, 1], half[:, :, 1]),
        _slab(origin[2], rays[:, 2, None, None], low, high),
    ]
    enter = jnp.maximum(jnp.maximum(slabs[0][0], slabs[1][0]), slabs[2][0])
    leave = jnp.minimum(jnp.minimum(slabs[0][1], slabs[1][1]), slabs[2][1])
    hit: Bool[Array, "P K 2"] = (enter < leave) & (enter > 0.05)
    return jnp.where(hit, enter, jnp.inf), jnp.where(enter == slabs[0][0], 0, jnp.where(enter == slabs[1][0], 1, 2))


def _slab(
    start: Float[Array, "..."], way: Float[Array, "..."], low: Float[Array, "..."], high: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """When a ray is between two planes; a ray along them is moved by a hair, so that nothing divides by zero."""
    safe = jnp.where(jnp.abs(way) < 1e-7, 1e-7, way)
    first, second = (low - start) / safe, (high - start) / safe
    return jnp.minimum(first, second), jnp.maximum(first, second)
