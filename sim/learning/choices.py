"""The distribution over pairs of bins that a network's outputs stand for.

Acceleration and steering rate are chosen independently, given what is seen: log p(a, s) = log p(a) + log p(s).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, Key

from sim.actions import ActionSpec
from sim.networks import Outputs


def log_probability(outputs: Outputs, action: Int32[Array, "*b 2"]) -> Float[Array, "*b"]:
    """Log of how likely a pair of bins (acceleration, steering rate) is; in nats, at most 0."""
    both = zip((outputs.acceleration, outputs.steering_rate), (action[..., 0], action[..., 1]), strict=True)
    parts = [
        jnp.take_along_axis(jax.nn.log_softmax(logits), chosen[..., None], axis=-1)[..., 0] for logits, chosen in both
    ]
    return parts[0] + parts[1]


def sample(outputs: Outputs, key: Key[Array, ""]) -> Int32[Array, "*b 2"]:
    """Draw pairs of bins."""
    first, second = jax.random.split(key)
    acceleration = jax.random.categorical(first, outputs.acceleration)
    rate = jax.random.categorical(second, outputs.steering_rate)
    return jnp.stack([acceleration, rate], axis=-1).astype(jnp.int32)


def most_likely(outputs: Outputs) -> Int32[Array, "*b 2"]:
    """The likeliest pair, the first among equals."""
    pair = [outputs.acceleration.argmax(-1), outputs.steering_rate.argmax(-1)]
    return jnp.stack(pair, axis=-1).astype(jnp.int32)


def expected(outputs: Outputs, spec: ActionSpec) -> Int32[Array, "*b 2"]:
    """The pair of bins nearest to the mean acceleration and the mean steering rate.

    Bins are finer than what can be known: the likeliest of them is a matter of chance, and of a lopsided distribution
    it is the far end.
    """
    return jnp.stack(
        [
            _nearest_to_mean(outputs.acceleration, jnp.asarray(spec.acceleration_values())),
            _nearest_to_mean(outputs.steering_rate, jnp.asarray(spec.steering_values())),
        ],
        axis=-1,
    )


def entropy(outputs: Outputs) -> Float[Array, "*b"]:
    """Entropy of the pair in nats, from 0 to the log of the number of pairs."""
    return _entropy(outputs.acceleration) + _entropy(outputs.steering_rate)


def divergence(outputs: Outputs, reference: Outputs) -> Float[Array, "*b"]:
    """KL(outputs || reference) of the pair in nats, not negative."""
    return _divergence(outputs.acceleration, reference.acceleration) + _divergence(
        outputs.steering_rate, reference.steering_rate
    )


def _nearest_to_mean(logits: Float[Array, "*b n"], values: Float[Array, "n"]) -> Int32[Array, "*b"]:
    mean = (jax.nn.softmax(logits) * values).sum(-1)
    return jnp.abs(values - mean[..., None]).argmin(-1).astype(jnp.int32)


def _entropy(logits: Float[Array, "*b n"]) -> Float[Array, "*b"]:
    logs = jax.nn.log_softmax(logits)
    return -(jnp.exp(logs) * logs).sum(-1)


def _divergence(logits: Float[Array, "*b n"], reference: Float[Array, "*b n"]) -> Float[Array, "*b"]:
    logs = jax.nn.log_softmax(logits)
    return (jnp.exp(logs) * (logs - jax.nn.log_softmax(reference))).sum(-1)
