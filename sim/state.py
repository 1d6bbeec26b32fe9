"""What changes while a scene is driven: a dozen numbers of the ego and a few bits."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, UInt32

from sim.dynamics import Motion
from sim.reacting import Traffic

WORD = 32


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SimState:
    """The ego at one step of a scene. Everything else of the scene is in its Scenario."""

    step: Int32[Array, "*b"]
    """Steps since the start of the recording."""
    motion: Motion
    distance: Float[Array, "*b"]
    """Metres along the route from its first point."""
    stood_at: Float[Array, "*b"]
    """Distance along the route at which the ego last stood; before it did, where it started."""
    turned: Float[Array, "*b"]
    """Direction in which it last turned the steering wheel: 1 left, -1 right, 0 not yet."""
    ignored: UInt32[Array, "*b W"]
    """One bit for each agent: set where the recording began with it inside the ego. It never counts as collided."""
    traffic: Traffic | None = None
    """The other agents where they react to the ego; None where they replay the log."""


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
