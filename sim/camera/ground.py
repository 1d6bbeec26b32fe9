"""What lies on the ground: road or not, painted lines, crosswalks, the shadows of bodies.

Axes: G rows below the horizon, U columns, R rectangles, E road elements.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from sim.camera.lens import Lens, seen_from
from sim.camera.spec import CameraSpec
from sim.kinds import RoadKind
from sim.measures.ground import measure_ground
from sim.scenario.record import NOWHERE, Ground, Roads, directions, places

_PAINT_M = 0.09
_STROKE_M = 6.0
_STRIPE_M = 1.0
_WIDEST_M = 9.0
_WITHOUT_GAPS_M = 1e6


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rectangles:
    """Flat shapes in the camera's frame, with gaps along their length."""

    poses: Float[Array, "R 4"]
    """x, y, cos, sin of the length's direction."""
    halves: Float[Array, "R 2"]
    """Half length and half width, metres; negative for none."""
    periods: Float[Array, "R"]
    """Metres from one stroke to the next: a stroke is half of it."""
    begins: Float[Array, "R"]
    """Where a stroke begins, metres from the middle along the length."""


def on_road(ground: Ground, lens: Lens, foot: Float[Array, "4"]) -> Bool[Array, "G U"]:
    """Whether the ground that a pixel shows is road."""
    ahead_G1 = (lens.ahead[lens.above :] * lens.reach)[:, None]
    left_GU = lens.reach[:, None] * lens.left
    x = foot[0] + ahead_G1 * foot[2] - left_GU * foot[3]
    y = foot[1] + ahead_G1 * foot[3] + left_GU * foot[2]
    distance, _ = measure_ground(ground, x.ravel(), y.ravel())
    return (distance > 0.0).reshape(left_GU.shape)


def covered(shapes: Rectangles, lens: Lens) -> Float[Array, "G U"]:
    """How much of each pixel's width the shape that covers most of it does, in [0, 1].

    A row sees the ground along a line, which is within a rectangle from one place to another.
    """
    x, y, cosine, sine = (column[:, None] for column in shapes.poses.T)
    half_long, half_wide = shapes.halves[:, :1], shapes.halves[:, 1:]
    ahead_G, reach_G = lens.ahead[lens.above :] * lens.reach, jnp.asarray(lens.reach)
    along, aside = (ahead_G - x) * cosine, (ahead_G - x) * sine
    lengthwise = _between(-along, half_long, sine)
    widthwise = _between(aside, half_wide, cosine)
    first = (jnp.maximum(lengthwise[0], widthwise[0]) + y) / reach_G
    last = (jnp.minimum(lengthwise[1], widthwise[1]) + y) / reach_G
    wide = 1.0 / lens.focal
    left_U = jnp.asarray(lens.left)
    shown = jnp.minimum(last[:, :, None], left_U + 0.5 * wide) - jnp.maximum(first[:, :, None], left_U - 0.5 * wide)
    period = shapes.periods[:, None]
    phase = (along - y * sine - shapes.begins[:, None]) / period
    strokes = phase[:, :, None] + (sine * reach_G / period)[:, :, None] * left_U
    stroke = strokes - jnp.floor(strokes) < 0.5
    return jnp.clip(jnp.where(stroke, shown, 0.0).max(axis=0) / wide, 0.0, 1.0)


def _between(
    middle: Float[Array, "R G"], half: Float[Array, "R 1"], slope: Float[Array, "R 1"]
) -> tuple[Float[Array, "R G"], Float[Array, "R G"]]:
    """From which to which y the product slope * y is within `half` of `middle`; none for a negative half."""
    per = 1.0 / jnp.where(jnp.abs(slope) < 1e-6, 1e-6, slope)
    return middle * per - half * jnp.abs(per), middle * per + half * jnp.abs(per)


def lines_near(roads: Roads, foot: Float[Array, "4"], spec: CameraSpec) -> Rectangles:
    """The pieces of painted lines nearest to a place 15 m before the camera.

    Broken lines are strokes by the place in the world: the elements do not say where a stroke begins.
    """
    kinds = jnp.asarray(roads.elements)[:, 5]
    broken = kinds == RoadKind.BROKEN_LINE
    poses, half, rows = _nearest(roads, broken | (kinds == RoadKind.SOLID_LINE), foot, count=spec.markings)
    halves = jnp.stack([half, jnp.where(half > 0.0, _PAINT_M, -1.0)], axis=1)
    begins = -(poses[:, 0] * poses[:, 2] + poses[:, 1] * poses[:, 3])
    periods = jnp.where(broken[rows], _STROKE_M, _WITHOUT_GAPS_M)
    return Rectangles(seen_from(foot, poses), halves, periods, jnp.where(broken[rows], begins, -1.0 - half))


def crosswalks_near(roads: Roads, foot: Float[Array, "4"], spec: CameraSpec) -> Rectangles:
    """The crosswalks nearest to a place 15 m before the camera: pairs of long sides of their outlines."""
    poses, half, _ = _nearest(
        roads, jnp.asarray(roads.elements)[:, 5] == RoadKind.CROSSWALK, foot, count=4 * spec.crossings
    )
    opposite, apart = _opposite(poses, half)
    first_of_pair = (opposite > jnp.arange(len(half))) & (2.0 * half >= jnp.abs(apart))
    _, sides = jax.lax.top_k(jnp.where(first_of_pair, -jnp.arange(len(half)), -_WITHOUT_GAPS_M), spec.crossings)
    chosen, half, apart = poses[sides], half[sides], apart[sides]
    shift = 0.5 * apart[:, None] * jnp.stack([-chosen[:, 3], chosen[:, 2]], axis=1)
    middles = jnp.concatenate([chosen[:, :2] + shift, chosen[:, 2:]], axis=1)
    halves = jnp.where(first_of_pair[sides, None], jnp.stack([half, 0.5 * jnp.abs(apart)], axis=1), -1.0)
    stripes = jnp.full(len(sides), _STRIPE_M)
    return Rectangles(seen_from(foot, middles), halves, stripes, -half + 0.25 * _STRIPE_M)


def _opposite(poses: Float[Array, "E 4"], half: Float[Array, "E"]) -> tuple[Int[Array, "E"], Float[Array, "E"]]:
    """The nearest parallel piece abreast of each, of about its length, -1 for none, and how far to its left it is."""
    apart = poses[None, :, :2] - poses[:, None, :2]
    cosine, sine = poses[:, 2:3], poses[:, 3:]
    along = apart[:, :, 0] * cosine + apart[:, :, 1] * sine
    aside = apart[:, :, 1] * cosine - apart[:, :, 0] * sine
    parallel = jnp.abs(poses[:, 2:] @ poses[:, 2:].T) > 0.97
    alike = jnp.abs(half[:, None] - half) < 0.3 * half[:, None]
    beside = (jnp.abs(along) < 0.5 * half[:, None]) & (jnp.abs(aside) > 1.0) & (jnp.abs(aside) < _WIDEST_M)
    cost = jnp.where(parallel & alike & beside & (half > 0.0), jnp.abs(aside), jnp.inf)
    other = cost.argmin(axis=1)
    row = jnp.arange(len(half))
    return jnp.where(jnp.isfinite(cost[row, other]), other, -1), aside[row, other]


def _nearest(
    roads: Roads, wanted: Bool[Array, "all"], foot: Float[Array, "4"], *, count: int
) -> tuple[Float[Array, "E 4"], Float[Array, "E"], Int[Array, "E"]]:
    """Poses, half lengths and rows of the wanted elements nearest to a place ahead; half length -1 for none."""
    ahead = foot[:2] + 15.0 * foot[2:]
    elements = jnp.asarray(roads.elements)
    exists = wanted & (elements[:, 0] != NOWHERE)
    away = jnp.where(exists, ((places(elements[:, :2]) - ahead) ** 2).sum(axis=1), jnp.inf)
    smallest, rows = jax.lax.top_k(-away, min(count, away.shape[0]))
    near = elements[rows]
    poses = jnp.concatenate([places(near[:, :2]), directions(near[:, 2:4])], axis=1)
    return poses, jnp.where(jnp.isfinite(smallest), places(near[:, 4]), -1.0), rows
