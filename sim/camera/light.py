"""Colour under a sky: ambient light, headlights, rain, noise. Linear RGB in [0, 1].

Axes: P pixels.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from sim.camera.spec import CameraSpec, Daytime

_AMBIENT = {Daytime.DAY: (1.0, 1.0, 1.0), Daytime.DUSK: (0.42, 0.34, 0.36), Daytime.NIGHT: (0.035, 0.04, 0.06)}
_SKY_TOP = {Daytime.DAY: (0.30, 0.52, 0.86), Daytime.DUSK: (0.16, 0.16, 0.34), Daytime.NIGHT: (0.006, 0.008, 0.02)}
_SKY_LOW = {Daytime.DAY: (0.72, 0.82, 0.92), Daytime.DUSK: (0.80, 0.42, 0.24), Daytime.NIGHT: (0.02, 0.022, 0.035)}
_HEADLIGHT = {Daytime.DAY: 0.0, Daytime.DUSK: 0.25, Daytime.NIGHT: 1.0}
_REACH_M = 16.0
_FOG_M = 60.0


def lit(
    colour: Float[Array, "P 3"], *, ahead: Float[Array, "P"], aside: Float[Array, "P"], spec: CameraSpec
) -> Float[Array, "P 3"]:
    """Colour of a surface at metres ahead and aside of the camera, by ambient light and headlights."""
    distance = jnp.hypot(ahead, aside)
    beam = jnp.exp(-((aside / jnp.maximum(0.35 * ahead, 0.5)) ** 2)) / (1.0 + (distance / _REACH_M) ** 2)
    light = jnp.array(_AMBIENT[spec.daytime]) + _HEADLIGHT[spec.daytime] * beam[:, None]
    veil = 1.0 - jnp.exp(-spec.rain * distance / _FOG_M)
    return colour * light * (1.0 - veil[:, None]) + veil[:, None] * 0.6 * jnp.array(_SKY_LOW[spec.daytime])


def sky(up: Float[Array, "P"], spec: CameraSpec) -> Float[Array, "P 3"]:
    """Colour of the sky by the slope of the ray; grey in rain."""
    share = jnp.clip(up / 0.4, 0.0, 1.0)[:, None]
    clear = jnp.array(_SKY_LOW[spec.daytime]) * (1.0 - share) + jnp.array(_SKY_TOP[spec.daytime]) * share
    grey = clear.mean(axis=1, keepdims=True) * 0.8
    return clear * (1.0 - spec.rain) + grey * spec.rain


def developed(
    linear: Float[Array, "height width 3"], key: Key[Array, ""], spec: CameraSpec
) -> UInt8[Array, "height width 3"]:
    """Expose, streak with rain, add the sensor's noise, and encode for a screen."""
    streak_key, noise_key = jax.random.split(key)
    columns = jax.random.uniform(streak_key, (spec.height // 8, spec.width))
    streaks = jnp.repeat(jnp.where(columns > 1.0 - 0.06 * spec.rain, 0.18, 0.0), 8, axis=0)[: spec.height]
    streaks = jnp.pad(streaks, ((0, spec.height - streaks.shape[0]), (0, 0)))
    brightness = jnp.maximum(linear.mean(), 0.02)
    screen = jnp.clip((linear + streaks[:, :, None] * brightness) * spec.exposure, 0.0, 1.0) ** (1.0 / 2.2)
    noisy = screen + spec.noise * jax.random.normal(noise_key, screen.shape)
    return jnp.round(jnp.clip(noisy, 0.0, 1.0) * 255.0).astype(jnp.uint8)
