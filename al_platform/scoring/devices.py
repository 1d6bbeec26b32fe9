"""The scorer on every device at once: each takes an equal share of the batch."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from acquisition import FrameMeasures
from al_platform.domain.models import ModelSpec
from al_platform.models.base import ModelFamily, Parameters
from al_platform.models.scoring import make_scorer

Forward = Callable[[NDArray[Any]], FrameMeasures]
"""Inputs [B, ...] to measures [B, K] that the devices still compute; reading them waits."""

BATCH_PER_DEVICE = 64


def batch_size() -> int:
    """Give how many frames go to the devices at once."""
    return BATCH_PER_DEVICE * jax.local_device_count()


def make_forward(family: ModelFamily, spec: ModelSpec, parameters: Parameters, temperatures: NDArray[Any]) -> Forward:
    """Put an ensemble on all local devices. A frame's numbers do not depend on how many those are.

    Every device runs the program of one device on its share of the batch, so `in_groups` sees what it was made for.
    """
    score = make_scorer(family, spec)
    devices = jax.local_devices()
    if len(devices) == 1:
        placed = jax.device_put((parameters, temperatures), devices[0])
        return lambda inputs: score(placed[0], placed[1], jax.device_put(inputs, devices[0]))
    mesh = Mesh(np.asarray(devices), ("frames",))
    everywhere, by_frame = PartitionSpec(), PartitionSpec("frames")
    spread = jax.jit(jax.shard_map(score, mesh=mesh, in_specs=(everywhere, everywhere, by_frame), out_specs=by_frame))
    placed = jax.device_put((parameters, temperatures), NamedSharding(mesh, everywhere))
    return lambda inputs: spread(placed[0], placed[1], jax.device_put(inputs, NamedSharding(mesh, by_frame)))
