"""The weights of an ensemble as bytes, and back."""

import jax
import numpy as np
from flax import serialization

from al_platform.domain.models import ModelSpec
from al_platform.models.base import ModelFamily, Parameters


def weights_to_bytes(parameters: Parameters) -> bytes:
    """Serialise weights; equal weights give equal bytes."""
    return bytes(serialization.to_bytes(parameters))


def weights_from_bytes(family: ModelFamily, spec: ModelSpec, content: bytes) -> Parameters:
    """Give back the stacked weights [M, ...] that `weights_to_bytes` wrote."""
    member = jax.eval_shape(lambda key: family.init(spec, key), jax.random.key(0))
    template = jax.tree.map(lambda leaf: np.zeros((spec.members, *leaf.shape), leaf.dtype), member)
    return serialization.from_bytes(template, content)
