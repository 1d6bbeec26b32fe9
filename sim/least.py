"""The least of a few numbers by one minimum: `argmin` carries pairs, which a CPU reduces one by one.

Floats that are not negative are in order as integers too. The lowest bits of each make way for its position, so that
the least integer tells both. Costs that differ by less than N, rounded up to a power of two, times 2^-23 of themselves
count as equal: by less than two millionths for 16, four for 32.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int32


def place_of_least(costs: Float32[Array, "*b N"]) -> Int32[Array, "*b"]:
    """Position in [0, N) of the least cost (>= 0) along the last axis, the first of equals."""
    return jnp.min(_placed(costs), axis=-1) & _place_bits(costs)


def value_at_least(costs: Float32[Array, "N"], values: Float32[Array, "N"]) -> Float32[Array, ""]:
    """The value where the cost (>= 0) is least, the first of equals."""
    keys = _placed(costs)
    return jnp.sum(jnp.where(keys == jnp.min(keys), values, 0.0))


def _placed(costs: Float32[Array, "*b N"]) -> Int32[Array, "*b N"]:
    positions = jnp.arange(costs.shape[-1], dtype=jnp.int32)
    return (jax.lax.bitcast_convert_type(costs, jnp.int32) & ~_place_bits(costs)) | positions


def _place_bits(costs: Float32[Array, "*b N"]) -> int:
    return int((1 << (costs.shape[-1] - 1).bit_length()) - 1)
