"""Colour and light of agents and traffic lights, by what each pixel shows of them.

Axes: 3 colours, N bodies, S traffic lights (the last bodies), V rows, U columns.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from sim.camera.bodies import SIGNAL, TABLE, Bodies, Met
from sim.camera.lens import Lens, pixels_of
from sim.camera.light import Colour, colour, lamps_burn
from sim.camera.signals import LAMP_M, SIZE_M
from sim.camera.spec import CameraSpec
from sim.kinds import AgentKind, LightState

_PAINT: tuple[Colour, ...] = (
    (0.4, 0.4, 0.4), (0.20, 0.28, 0.52), (0.62, 0.26, 0.12), (0.12, 0.42, 0.24), (0.20, 0.20, 0.21),
)  # fmt: skip
_GLASS, _HOUSING = (0.05, 0.06, 0.08), (0.02, 0.02, 0.022)
_SIDE_SHADES = (0.75, 0.9, 1.0)
_HEADLAMP, _TAIL_LAMP = (1.0, 0.95, 0.8), (0.75, 0.04, 0.03)
_LAMPS: tuple[Colour, ...] = ((0.05, 0.95, 0.35), (1.0, 0.62, 0.05), (1.0, 0.06, 0.04))
"""From the lowest lamp to the highest."""
_LAMP_OF = {
    LightState.UNKNOWN: -1,
    LightState.STOP: 2,
    LightState.CAUTION: 1,
    LightState.GO: 0,
    LightState.FLASHING_STOP: 2,
    LightState.FLASHING_CAUTION: 1,
}
_HALO_PIXELS = 1.2


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Looks:
    """What tells bodies of one kind apart."""

    tints: Float[Array, "N 3"]
    """Factor on the colour."""
    drives: Bool[Array, "N"]
    """Whether its lamps burn in the dark."""
    lamps: Int[Array, "N"]
    """Of a traffic light which lamp burns: 0 the lowest, -1 none."""


def lamps_of(states: Int[Array, "S"], burning: Bool[Array, "S"]) -> Int[Array, "S"]:
    """Which lamp of a traffic light burns, by its state: 0 the lowest, -1 none."""
    table = jnp.array([_LAMP_OF[state] for state in LightState])
    return jnp.where(burning, table[states], -1)


def surfaces(
    bodies: Bodies, looks: Looks, met: Met, lens: Lens, spec: CameraSpec
) -> tuple[Float[Array, "3 V U"], Float[Array, "3 V U"]]:
    """What a body's surface reflects, and what it shines by itself, for every pixel that shows one."""
    body = jnp.maximum(met.body, 0)
    paint = _paint_table(bodies, looks)
    place = 8 * body + 4 * met.part + met.side
    reflected = jnp.stack([paint[channel][place] for channel in range(3)])
    aside, front, above = _on_body(bodies, met, lens)
    lamp, burns = _vehicle_lamp(bodies, looks, met, (aside, front, above))
    reflected = jnp.where(lamp, jnp.where(front, colour(_HEADLAMP), colour(_TAIL_LAMP)) * 0.5, reflected)
    shining = jnp.where(lamp & burns, jnp.where(front, colour(_HEADLAMP), colour(_TAIL_LAMP)), 0.0)
    if not lamps_burn(spec):
        shining = jnp.zeros_like(shining)
    number, disc = _signal_lamp(bodies, met, (aside, front, above))
    glass = jnp.array(_LAMPS, jnp.float32).T[:, number]
    burning = disc & (number == looks.lamps[body])
    return jnp.where(disc, 0.1 * glass, reflected), jnp.where(burning, glass, shining)


def halos(bodies: Bodies, looks: Looks, met: Met, lens: Lens, spec: CameraSpec) -> Float[Array, "3 V U"]:
    """Light around the burning lamps of traffic lights, so that a far one is seen although no ray meets its lamp."""
    lights, lamps = bodies.poses[-spec.signals :], looks.lamps[-spec.signals :]
    height = SIZE_M[2] * (0.72 + 0.28 * (2.0 * lamps + 1.0) / 6.0)
    place = jnp.concatenate([lights[:, :2] + 0.5 * SIZE_M[0] * lights[:, 2:], height[:, None]], axis=1)
    row, column = pixels_of(lens, place)
    at = (_inside(row, spec.height), _inside(column, spec.width))
    behind = (met.body[at] >= 0) & (met.distance[at] < place[:, 0] - 1.0)
    faces = (lights[:, :2] * lights[:, 2:]).sum(axis=1) < 0.0
    burns = bodies.valid[-spec.signals :] & (lamps >= 0) & faces & ~behind & (place[:, 0] > 1.0)
    wide = _HALO_PIXELS * (2.0 if lamps_burn(spec) else 1.0) + lens.focal * LAMP_M / jnp.maximum(place[:, 0], 1.0)
    down_SV = jnp.exp(-(((jnp.arange(spec.height) - row[:, None]) / wide[:, None]) ** 2))
    across_SU = jnp.exp(-(((jnp.arange(spec.width) - column[:, None]) / wide[:, None]) ** 2))
    glow_S3 = jnp.where(burns[:, None], 0.6 * jnp.array(_LAMPS, jnp.float32)[lamps], 0.0)
    return jnp.einsum("sc,sv,su->cvu", glow_S3, down_SV, across_SU)


def _inside(place: Float[Array, "S"], size: int) -> Int[Array, "S"]:
    return jnp.clip(jnp.round(place), 0, size - 1).astype(jnp.int32)


def _paint_table(bodies: Bodies, looks: Looks) -> Float[Array, "3 sides"]:
    """Colour of each part's sides: darker on the sides; the cabins of vehicles are glass, lamps sit in a dark box."""
    paint = jnp.array(_PAINT, jnp.float32)[bodies.kinds] * looks.tints
    lower, upper = paint[:, None], jnp.repeat(paint[:, None], 4, axis=1)
    sides = jnp.arange(4)[None, :, None]
    kind = bodies.kinds[:, None, None]
    upper = jnp.where((kind == AgentKind.VEHICLE) & (sides != 2), jnp.array(_GLASS), upper)
    upper = jnp.where(kind == SIGNAL, jnp.array(_HOUSING), upper)
    both = jnp.stack([jnp.broadcast_to(lower, upper.shape), upper], axis=1)
    return (both * jnp.array((*_SIDE_SHADES, 1.0))[:, None]).reshape(-1, 3).T


def _on_body(
    bodies: Bodies, met: Met, lens: Lens
) -> tuple[Float[Array, "V U"], Bool[Array, "V U"], Float[Array, "V U"]]:
    """Where a body is met: metres to its left, whether on its front half, and metres above the ground."""
    x, y, cosine, sine = bodies.poses.T[:, jnp.maximum(met.body, 0)]
    ahead = lens.ahead[:, None] * met.distance - x
    left = lens.left * met.distance - y
    above = lens.height_m + jnp.asarray(lens.rise)[:, None] * met.distance
    return left * cosine - ahead * sine, ahead * cosine + left * sine > 0.0, above


def _vehicle_lamp(
    bodies: Bodies, looks: Looks, met: Met, where: tuple[Array, Array, Array]
) -> tuple[Bool[Array, "V U"], Bool[Array, "V U"]]:
    """Whether a pixel shows a lamp at an end of a vehicle, and whether it burns in the dark."""
    aside, _, above = where
    body = jnp.maximum(met.body, 0)
    of_width = jnp.abs(aside) / (0.5 * bodies.sizes[:, 1])[body]
    of_height = above / bodies.sizes[:, 2][body]
    is_end = ((bodies.kinds == AgentKind.VEHICLE)[body]) & (met.part == 0) & (met.side == 0)
    lamp = is_end & (of_width > 0.6) & (of_width < 0.95) & (of_height > 0.4) & (of_height < 0.54)
    return lamp, looks.drives[body]


def _signal_lamp(
    bodies: Bodies, met: Met, where: tuple[Array, Array, Array]
) -> tuple[Int[Array, "V U"], Bool[Array, "V U"]]:
    """Which lamp of a traffic light a pixel is nearest to, and whether it shows its glass."""
    aside, front, above = where
    low, high = (SIZE_M[2] * share for share in TABLE[SIGNAL][1][3:])
    thirds = (above - low) / (high - low) * 3.0
    number = jnp.clip(jnp.floor(thirds), 0, 2).astype(jnp.int32)
    up = (thirds - number - 0.5) * (high - low) / 3.0
    face = (bodies.kinds == SIGNAL)[jnp.maximum(met.body, 0)] & (met.part == 1) & (met.side == 0) & front
    return number, face & (aside**2 + up**2 < LAMP_M**2)
