"""Which way each pixel looks. The camera does not roll, so a row has one slope and a column one share to the left.

The camera's frame: x ahead, y left, z up from the ground, the origin below the camera. A ray's length counts in
metres ahead of a level camera. Axes: V rows, G of them below
the horizon, U columns.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from sim.camera.spec import CameraSpec

Float32s = NDArray[np.float32]
_LEVEL = 1e-4
"""Rays that fall by less meet the ground kilometres away: they count as level."""


@dataclass(frozen=True)
class Lens:
    """The ray of a pixel is (ahead of its row, left of its column, rise of its row)."""

    height_m: float
    ahead: Float32s
    """[V]"""
    rise: Float32s
    """[V]"""
    left: Float32s
    """[U]"""
    focal: float
    """Pixels."""
    pitch: float

    @property
    def above(self) -> int:
        """How many rows look at the horizon or above."""
        return int((self.rise > -_LEVEL).sum())

    @property
    def reach(self) -> Float32s:
        """[G] how far along their rays the rows below the horizon meet the ground."""
        return -self.height_m / self.rise[self.above :]


def lens_of(spec: CameraSpec) -> Lens:
    """The rays through the middles of the pixels."""
    focal = 0.5 * spec.width / math.tan(0.5 * spec.field_of_view)
    up_V = (0.5 * spec.height - np.arange(spec.height) - 0.5) / focal
    left_U = (0.5 * spec.width - np.arange(spec.width) - 0.5) / focal
    return Lens(
        height_m=spec.mount_height_m,
        ahead=(math.cos(spec.pitch) + up_V * math.sin(spec.pitch)).astype(np.float32),
        rise=(up_V * math.cos(spec.pitch) - math.sin(spec.pitch)).astype(np.float32),
        left=left_U.astype(np.float32),
        focal=focal,
        pitch=spec.pitch,
    )


def foot_of(pose: Float[Array, "3"], spec: CameraSpec) -> Float[Array, "4"]:
    """x, y, cos, sin in the scenario's frame of the place below the camera of an ego at x, y, heading."""
    cosine, sine = jnp.cos(pose[2]), jnp.sin(pose[2])
    place = pose[:2] + spec.mount_ahead_m * jnp.stack([cosine, sine])
    return jnp.concatenate([place, jnp.stack([cosine, sine])])


def seen_from(foot: Float[Array, "4"], poses: Float[Array, "N 4"]) -> Float[Array, "N 4"]:
    """Poses x, y, cos, sin of the scenario's frame in the camera's."""
    x, y = poses[:, 0] - foot[0], poses[:, 1] - foot[1]
    cosine, sine = foot[2], foot[3]
    return jnp.stack(
        [
            x * cosine + y * sine,
            y * cosine - x * sine,
            poses[:, 2] * cosine + poses[:, 3] * sine,
            poses[:, 3] * cosine - poses[:, 2] * sine,
        ],
        axis=1,
    )


def pixels_of(lens: Lens, places_N3: Float[Array, "N 3"]) -> tuple[Float[Array, "N"], Float[Array, "N"]]:
    """Rows and columns, not rounded, at which places before the camera are seen; behind it they mean nothing."""
    x, y, z = places_N3.T
    z = z - lens.height_m
    deep = jnp.maximum(x * math.cos(lens.pitch) - z * math.sin(lens.pitch), 0.05)
    high = x * math.sin(lens.pitch) + z * math.cos(lens.pitch)
    rows, columns = len(lens.rise), len(lens.left)
    return 0.5 * rows - 0.5 - lens.focal * high / deep, 0.5 * columns - 0.5 - lens.focal * y / deep
