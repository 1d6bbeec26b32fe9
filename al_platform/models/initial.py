"""Initial weights that every family draws from."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

RARE_PROBABILITY = 0.03
"""What an untrained member says of every class: a class worth a round fills a few percent of cells."""


def he_normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Normal with variance 2 / fan-in; the last axis is the output. Source: He et al. 2015, Eq. 10."""
    return jax.random.normal(key, shape) * math.sqrt(2.0 / math.prod(shape[:-1]))


def rare_bias(classes: int) -> Float[Array, " K"]:
    """The logit of `RARE_PROBABILITY` for each class. Source: Lin et al. 2017, section 4.1."""
    return jnp.full(classes, math.log(RARE_PROBABILITY / (1.0 - RARE_PROBABILITY)))
