"""Colour under a sky: ambient light, headlights, rain, noise. Linear RGB, 1 for white in daylight.

Axes: 3 colours, V rows, U columns.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from sim.camera.lens import Lens
from sim.camera.spec import CameraSpec, Daytime

Colour = tuple[float, float, float]

_AMBIENT = {Daytime.DAY: (1.0, 1.0, 1.0), Daytime.DUSK: (0.42, 0.34, 0.36), Daytime.NIGHT: (0.035, 0.04, 0.06)}
_SKY_TOP = {Daytime.DAY: (0.30, 0.52, 0.86), Daytime.DUSK: (0.16, 0.16, 0.34), Daytime.NIGHT: (0.006, 0.008, 0.02)}
_SKY_LOW = {Daytime.DAY: (0.72, 0.82, 0.92), Daytime.DUSK: (0.80, 0.42, 0.24), Daytime.NIGHT: (0.02, 0.022, 0.035)}
_HEADLIGHT = {Daytime.DAY: 0.0, Daytime.DUSK: 0.25, Daytime.NIGHT: 1.0}
_SHADOW = {Daytime.DAY: 0.6, Daytime.DUSK: 0.3, Daytime.NIGHT: 0.0}
_REACH_M = 16.0
_FOG_M = 60.0
_STREAK_ROWS = 8


def colour(value: Colour) -> Float[Array, "3 1 1"]:
    """A colour beside pictures."""
    return jnp.array(value, jnp.float32)[:, None, None]


def lamps_burn(spec: CameraSpec) -> bool:
    """Whether it is so dark that vehicles drive with light."""
    return _HEADLIGHT[spec.daytime] > 0.0


def shadow(spec: CameraSpec) -> float:
    """Share of the light that is missing below a body, in [0, 1]; an overcast sky leaves less of it."""
    return _SHADOW[spec.daytime] * (1.0 - 0.7 * spec.rain)


def lit(
    colours: Float[Array, "3 V U"], *, ahead: Float[Array, "V U"], aside: Float[Array, "V U"], spec: CameraSpec
) -> Float[Array, "3 V U"]:
    """Colours of surfaces at metres ahead and aside of the camera, by ambient light and headlights."""
    light = colour(_AMBIENT[spec.daytime])
    distance = jnp.sqrt(ahead**2 + aside**2)
    if lamps_burn(spec):
        beam = jnp.exp(-((aside / jnp.maximum(0.35 * ahead, 0.5)) ** 2)) / (1.0 + (distance / _REACH_M) ** 2)
        light = light + _HEADLIGHT[spec.daytime] * beam
    if spec.rain == 0.0:
        return colours * light
    veil = 1.0 - jnp.exp(-spec.rain * distance / _FOG_M)
    return colours * light * (1.0 - veil) + veil * 0.6 * colour(_SKY_LOW[spec.daytime])


def sky(lens: Lens, spec: CameraSpec) -> Float[Array, "3 V 1"]:
    """Colour of the sky by the slope of the ray; grey in rain."""
    share = jnp.clip(jnp.asarray(lens.rise) / 0.4, 0.0, 1.0)[:, None]
    clear = colour(_SKY_LOW[spec.daytime]) * (1.0 - share) + colour(_SKY_TOP[spec.daytime]) * share
    grey = clear.mean(axis=0, keepdims=True) * 0.8
    return clear * (1.0 - spec.rain) + grey * spec.rain


def developed(linear: Float[Array, "3 V U"], key: Key[Array, ""], spec: CameraSpec) -> UInt8[Array, "V U 3"]:
    """Expose, streak with rain, add the sensor's noise, and encode for a screen."""
    streak_key, noise_key = jax.random.split(key)
    if spec.rain > 0.0:
        linear = linear + jnp.maximum(linear.mean(), 0.02) * _streaks(streak_key, spec)
    screen = jnp.clip(linear * spec.exposure, 0.0, 1.0) ** (1.0 / 2.2)
    if spec.noise > 0.0:
        screen = screen + spec.noise * jax.random.normal(noise_key, screen.shape)
    return jnp.round(jnp.clip(screen, 0.0, 1.0) * 255.0).astype(jnp.uint8).transpose(1, 2, 0)


def _streaks(key: Key[Array, ""], spec: CameraSpec) -> Float[Array, "V U"]:
    """Short upright strokes where drops fall before the lens."""
    drops = jax.random.uniform(key, (-(-spec.height // _STREAK_ROWS), spec.width)) > 1.0 - 0.06 * spec.rain
    return jnp.repeat(jnp.where(drops, 0.18, 0.0), _STREAK_ROWS, axis=0)[: spec.height]
