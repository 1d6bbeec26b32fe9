"""One drive through a generated scene as its camera saw it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Key
from numpy.typing import NDArray

from sim.camera import CameraSpec, Daytime, render_along
from sim.generator import NoScene, scene
from sim.preparing import prepare
from sim.scenario import Scenario

__all__ = ["Drive", "NoScene", "Seen", "driven", "seen_on"]

_RAIN = 0.7
_NOISE = {Daytime.DAY: 0.008, Daytime.DUSK: 0.015, Daytime.NIGHT: 0.025}


@dataclass(frozen=True)
class Drive:
    """A scene on the device, its tags (the kind of road, then what is hard), and the key of its camera's noise."""

    scenario: Scenario
    tags: tuple[str, ...]
    key: Key[Array, ""]


@dataclass(frozen=True)
class Seen:
    """A frame and what each of its pixels shows."""

    step: int
    picture: NDArray[np.uint8]
    """[height, width, 3] RGB"""
    mask: NDArray[np.uint8]
    """[height, width]: 0 for nothing, else 1 more than the place in `sim.camera.CLASSES`."""


def driven(seed: int, number: int) -> Drive:
    """Make and prepare the scene of this number.

    Raises: NoScene where no drawing of it comes out well.
    """
    recording = scene(seed, number)
    key = jax.random.fold_in(jax.random.key(seed), number)
    return Drive(jax.device_put(prepare(recording).scenario), recording.tags, key)


def seen_on(
    drive: Drive, steps: Sequence[int], *, size: tuple[int, int], time_of_day: str, rains: bool
) -> Iterator[Seen]:
    """Yield what the expert's camera sees at steps of a drive, `size` its width and height in pixels."""
    light = Daytime(time_of_day)
    width, height = size
    spec = CameraSpec(width=width, height=height, daytime=light, noise=_NOISE[light], rain=_RAIN if rains else 0.0)
    for step, frame in zip(steps, render_along(drive.scenario, steps, drive.key, spec=spec), strict=True):
        yield Seen(step, np.asarray(frame.image), (np.asarray(frame.classes) + 1).astype(np.uint8))
