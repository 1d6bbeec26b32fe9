"""Flags of agents, 32 to a word.

Axes: A flags, W words.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, UInt32

WORD = 32


def pack_bits(flags: Bool[Array, "*b A"]) -> UInt32[Array, "*b W"]:
    """32 flags to a word, the first in the lowest bit."""
    missing = -flags.shape[-1] % WORD
    padded = jnp.pad(flags, [(0, 0)] * (flags.ndim - 1) + [(0, missing)])
    words = padded.reshape(*flags.shape[:-1], -1, WORD).astype(jnp.uint32)
    return (words << jnp.arange(WORD, dtype=jnp.uint32)).sum(-1, dtype=jnp.uint32)


def unpack_bits(words: UInt32[Array, "*b W"], count: int) -> Bool[Array, "*b A"]:
    """The first `count` flags of the words."""
    bits = (words[..., None] >> jnp.arange(WORD, dtype=jnp.uint32)) & 1
    return bits.reshape(*words.shape[:-1], -1)[..., :count].astype(bool)
