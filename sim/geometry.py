"""Rectangles in the plane: whether they overlap, how far apart they are, when they will touch. Closed forms.

All of it in the frame of the first box: its centre is the origin and x its heading. The second box has its centre
at `x`, `y` and its heading at the angle with the given cosine and sine. Sizes are halves. Arrays broadcast.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

INFINITY = float("inf")


@dataclass(frozen=True)
class Pair:
    """Two boxes by what the four separating axes need: both axes of the first box, then both of the second."""

    centre: tuple[Float[Array, "..."], ...]
    """Centre of the second box along each axis from the centre of the first, metres."""
    reach: tuple[Float[Array, "..."], ...]
    """Sum of the half extents of both boxes along each axis, metres."""
    cosine: Float[Array, "..."]
    sine: Float[Array, "..."]


def pair(
    x: Float[Array, "..."],
    y: Float[Array, "..."],
    *,
    cosine: Float[Array, "..."],
    sine: Float[Array, "..."],
    half: tuple[Float[Array, "..."], Float[Array, "..."]],
    other_half: tuple[Float[Array, "..."], Float[Array, "..."]],
) -> Pair:
    """The first box with `half` length and width at the origin, and the second with `other_half`."""
    (length, width), (other_length, other_width) = half, other_half
    along, across = jnp.abs(cosine), jnp.abs(sine)
    return Pair(
        centre=(x, y, x * cosine + y * sine, y * cosine - x * sine),
        reach=(
            length + other_length * along + other_width * across,
            width + other_length * across + other_width * along,
            other_length + length * along + width * across,
            other_width + length * across + width * along,
        ),
        cosine=cosine,
        sine=sine,
    )


def gap(boxes: Pair) -> Float[Array, "..."]:
    """The largest gap along the four axes, metres: negative if and only if the boxes overlap.

    Where it is positive it is a lower bound of the distance. Source: Gottschalk 1996, separating axis theorem.
    """
    first, second, third, fourth = (
        jnp.abs(centre) - reach for centre, reach in zip(boxes.centre, boxes.reach, strict=True)
    )
    return jnp.maximum(jnp.maximum(first, second), jnp.maximum(third, fourth))


def time_to_touch(boxes: Pair, velocity_x: Float[Array, "..."], velocity_y: Float[Array, "..."]) -> Float[Array, "..."]:
    """Seconds until the boxes touch if the second moves with this velocity and neither turns: 0 where they overlap,
    infinite where they never touch.

    Along each axis they overlap during one interval of time; they touch when all four have begun, if none has
    ended by then.
    """
    cosine, sine = boxes.cosine, boxes.sine
    velocities = (
        velocity_x,
        velocity_y,
        velocity_x * cosine + velocity_y * sine,
        velocity_y * cosine - velocity_x * sine,
    )
    spans = [_overlap_span(*axis) for axis in zip(boxes.centre, velocities, boxes.reach, strict=True)]
    begin, end = spans[0]
    for other_begin, other_end in spans[1:]:
        begin, end = jnp.maximum(begin, other_begin), jnp.minimum(end, other_end)
    return jnp.where(begin < end, begin, INFINITY)


def _overlap_span(
    centre: Float[Array, "..."], velocity: Float[Array, "..."], reach: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """From when until when |centre + velocity t| < reach, for t >= 0; begin is infinite where it never is."""
    distance = jnp.abs(centre)
    toward = centre * velocity < 0.0
    inverse = 1.0 / jnp.abs(velocity)  # Infinite for standstill: then the span is empty or has no end, as it should.
    begin = jnp.where(distance < reach, 0.0, jnp.where(toward, (distance - reach) * inverse, INFINITY))
    end = jnp.where(toward, reach + distance, reach - distance) * inverse
    return begin, end


def distance(
    boxes: Pair,
    half: tuple[Float[Array, "..."], Float[Array, "..."]],
    other_half: tuple[Float[Array, "..."], Float[Array, "..."]],
) -> Float[Array, "..."]:
    """Metres between the nearest points of the two boxes; 0 where they overlap.

    Boxes apart are nearest at a corner of one of them.
    """
    x, y, other_x, other_y = boxes.centre
    cosine, sine = boxes.cosine, boxes.sine
    nearest = jnp.minimum(
        _nearest_corner(x, y, axes=(cosine, sine), half=half, corners=other_half),
        _nearest_corner(-other_x, -other_y, axes=(cosine, -sine), half=other_half, corners=half),
    )
    return jnp.where(gap(boxes) < 0.0, 0.0, jnp.sqrt(nearest))


def _nearest_corner(
    x: Float[Array, "..."],
    y: Float[Array, "..."],
    *,
    axes: tuple[Float[Array, "..."], Float[Array, "..."]],
    half: tuple[Float[Array, "..."], Float[Array, "..."]],
    corners: tuple[Float[Array, "..."], Float[Array, "..."]],
) -> Float[Array, "..."]:
    """Squared distance from the box at the origin to the nearest corner of the box at x, y with these axes."""
    (cosine, sine), (length, width) = axes, corners
    best = jnp.full(jnp.shape(x), INFINITY)
    for ahead, aside in ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)):
        corner_x = x + ahead * length * cosine - aside * width * sine
        corner_y = y + ahead * length * sine + aside * width * cosine
        beyond_x = jnp.maximum(jnp.abs(corner_x) - half[0], 0.0)
        beyond_y = jnp.maximum(jnp.abs(corner_y) - half[1], 0.0)
        best = jnp.minimum(best, beyond_x**2 + beyond_y**2)
    return best
