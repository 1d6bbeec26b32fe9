"""What the recorded ego's camera sees along its way."""

from collections.abc import Iterator, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from sim.camera.render import Frame, render_camera
from sim.camera.spec import CameraSpec
from sim.scenario.record import Scenario

_TOGETHER = 8
"""Frames that are rendered at once; the last ones are filled up, so that every scene runs one program."""


def render_along(scenario: Scenario, steps: Sequence[int], key: Key[Array, ""], *, spec: CameraSpec) -> Iterator[Frame]:
    """Yield the frame of each step; the noise of a frame depends on key and step alone."""
    poses = jnp.asarray(scenario.log.ego)[:, :3]
    for first in range(0, len(steps), _TOGETHER):
        chunk = list(steps[first : first + _TOGETHER])
        filled = jnp.array(chunk + [chunk[-1]] * (_TOGETHER - len(chunk)))
        keys = jax.vmap(partial(jax.random.fold_in, key))(filled)
        frames = _render(scenario, poses[filled], filled, keys, spec)
        for row in range(len(chunk)):
            yield jax.tree.map(lambda leaf, row=row: leaf[row], frames)


_render = jax.jit(
    lambda scenario, poses, steps, keys, spec: jax.vmap(partial(render_camera, spec=spec), in_axes=(None, 0, 0, 0))(
        scenario, poses, steps, keys
    ),
    static_argnums=4,
)
