"""Attention: of tokens to each other, and of a few latents that gather from many tokens.

Axes: *b any batch, q queries, n tokens, d width, h heads, k heads x queries.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Bool, Float


class Attention(nn.Module):
    """Queries gather from tokens, then a dense layer; both added to what was there (pre-norm)."""

    width: int
    heads: int
    dtype: Any

    @nn.compact
    def __call__(
        self, queries: Float[Array, "*b q d"], tokens: Float[Array, "*b n d"], valid: Bool[Array, "*b n"]
    ) -> Float[Array, "*b q d"]:
        """The queries, with what they gathered from the valid tokens."""
        dtype = self.dtype
        gathered = nn.MultiHeadDotProductAttention(self.heads, dtype=dtype, deterministic=True)(
            nn.LayerNorm(dtype=dtype)(queries), nn.LayerNorm(dtype=dtype)(tokens), mask=valid[..., None, None, :]
        )
        queries = queries + gathered
        hidden = nn.Dense(2 * self.width, dtype=dtype)(nn.LayerNorm(dtype=dtype)(queries))
        return queries + nn.Dense(self.width, dtype=dtype)(nn.relu(hidden))


class Gathering(nn.Module):
    """Attention of a few queries to many tokens, then a dense layer; both added to what was there (pre-norm).

    Keys, values and normalised tokens are never made: the queries are turned by the keys' weights and meet the bare
    tokens, the values' weights meet what was gathered. That is the same function, as all of it is linear but the
    softmax, for heads x queries x tokens x width instead of tokens x width^2. A bias of the keys would add the same
    number to every token's score, and scale and bias of the norm are in the weights behind it; so there are none.
    """

    width: int
    heads: int
    dtype: Any

    @nn.compact
    def __call__(
        self, queries: Float[Array, "*b q d"], tokens: Sequence[Array], valid: Sequence[Array]
    ) -> Float[Array, "*b q d"]:
        """The queries, with what they gathered from the valid tokens: groups of [*b, n, d] and [*b, n]."""
        dtype = self.dtype
        shape = (self.heads, self.width, self.width // self.heads)
        keys, values = (
            self.param(name, nn.initializers.lecun_normal(batch_axis=0), shape).astype(dtype)
            for name in ("keys", "values")
        )
        asked = nn.Dense(self.width, dtype=dtype)(nn.LayerNorm(dtype=dtype)(queries))
        asked = asked.reshape(*asked.shape[:-1], shape[0], shape[2]) / math.sqrt(shape[2])
        turned = jnp.einsum("...qhe,hde->...hqd", asked, keys)
        # Heads and queries side by side: one product with the tokens instead of one for each head.
        found = _gathered(turned.reshape(*turned.shape[:-3], -1, self.width), tokens, valid)
        values_of = jnp.einsum("...hqd,hde->...qhe", found.reshape(turned.shape), values)
        queries = queries + nn.Dense(self.width, dtype=dtype)(values_of.reshape(queries.shape))
        hidden = nn.Dense(2 * self.width, dtype=dtype)(nn.LayerNorm(dtype=dtype)(queries))
        return queries + nn.Dense(self.width, dtype=dtype)(nn.relu(hidden))


def _gathered(
    queries: Float[Array, "*b k d"], tokens: Sequence[Array], valid: Sequence[Array]
) -> Float[Array, "*b k d"]:
    """Mean of the tokens, each brought to mean 0 and standard deviation 1, weighted by the softmax of their scores.

    The tokens stay as they are, and where they are: to centre them is to centre what meets them, to scale them is to
    scale their scores and weights. To norm and join so many small rows would take longer than all else.
    """
    asked, scales = _centred(queries), [_inverse_deviation(group)[..., None, :] for group in tokens]
    scores = [
        jnp.where(
            there[..., None, :], jnp.einsum("...kd,...nd->...kn", asked, group).astype(jnp.float32) * scale, -jnp.inf
        )
        for group, there, scale in zip(tokens, valid, scales, strict=True)
    ]
    weights = jax.nn.softmax(jnp.concatenate(scores, axis=-1))
    ends = np.cumsum([group.shape[-2] for group in tokens])[:-1]
    found = [
        jnp.einsum("...kn,...nd->...kd", (weight * scale).astype(group.dtype), group)
        for weight, scale, group in zip(jnp.split(weights, ends, axis=-1), scales, tokens, strict=True)
    ]
    return _centred(sum(found[1:], start=found[0]))


def _inverse_deviation(tokens: Float[Array, "*b n d"]) -> Float[Array, "*b n"]:
    wide = tokens.astype(jnp.float32)
    variance = jnp.mean(wide * wide, axis=-1) - jnp.mean(wide, axis=-1) ** 2
    return jax.lax.rsqrt(jnp.maximum(variance, 0.0) + 1e-6)  # nothing keeps a token's numbers from being all alike


def _centred(values: Float[Array, "*b d"]) -> Float[Array, "*b d"]:
    return values - jnp.mean(values, axis=-1, keepdims=True)
