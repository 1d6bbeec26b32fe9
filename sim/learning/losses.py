"""What is made small: cloning an expert's actions, and improving on what a policy did. Means over valid steps.

Axes: *b any batch of steps. Every loss gives its terms by name, so that all of them can be logged.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from sim.learning.choices import divergence, entropy, log_probability
from sim.networks import Outputs


@dataclass(frozen=True)
class CloningSpec:
    """Weights of behaviour cloning."""

    value: float = 1e-4
    """Of the squared error of the value."""
    smoothing_bins: float = 0.0
    """Standard deviation of a normal over neighbouring bins that stands for the expert's; 0 for its bin alone."""
    clip_surprise: float = 0.0
    """Steps whose cross-entropy exceeds this many times the batch's mean weigh less, so that they count no more than
    that: hard points of real recordings are often noise. 0 for never."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Demonstration:
    """What an expert did, and what it earned."""

    action: Int32[Array, "*b 2"]
    value: Float[Array, "*b"]
    """Discounted return of the recorded drive from here on."""
    weight: Float[Array, "*b"]
    """0 for padding."""


def cloning_loss(
    outputs: Outputs, shown: Demonstration, spec: CloningSpec
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Cross-entropy of the expert's bins plus the weighted squared error of the value.

    Source: Harmel et al. 2023, section 3.4 (policy and value are pre-trained together).
    """
    surprise = _cross_entropy(outputs.acceleration, shown.action[..., 0], spec.smoothing_bins) + _cross_entropy(
        outputs.steering_rate, shown.action[..., 1], spec.smoothing_bins
    )
    weight = shown.weight
    if spec.clip_surprise:
        most = spec.clip_surprise * _mean(jax.lax.stop_gradient(surprise), weight)
        weight = weight * jnp.minimum(1.0, most / jnp.maximum(jax.lax.stop_gradient(surprise), 1e-6))
    error = (outputs.value - jnp.where(weight > 0, shown.value, 0.0)) ** 2
    right = (outputs.acceleration.argmax(-1) == shown.action[..., 0]).astype(jnp.float32)
    terms = {
        "cross_entropy": _mean(surprise, weight),
        "value_error": _mean(error, shown.weight),
        "acceleration_accuracy": _mean(right, shown.weight),
    }
    return terms["cross_entropy"] + spec.value * terms["value_error"], terms


@dataclass(frozen=True)
class ImprovementSpec:
    """Weights of proximal policy optimisation."""

    clip: float = 0.3
    """The probability of an action counts as changed by this share at most."""
    value: float = 1e-2
    entropy: float = 3e-2
    cloned: float = 0.0
    """Of the divergence from a reference policy, usually the cloned one; 0 for none."""
    value_first: int = 0
    """Updates in which the policy is held where the reference is and the value alone learns; 0 without a reference."""
    normalise: bool = True
    """Bring the advantages of a batch to mean 0 and standard deviation 1."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Experience:
    """What a policy did, and what came of it."""

    action: Int32[Array, "*b 2"]
    log_probability: Float[Array, "*b"]
    """Of the action, under the policy that took it."""
    value: Float[Array, "*b"]
    """Target of the value."""
    advantage: Float[Array, "*b"]
    valid: Bool[Array, "*b"]


def improvement_loss(
    outputs: Outputs,
    lived: Experience,
    spec: ImprovementSpec,
    *,
    reference: Outputs | None = None,
    updates: Int32[Array, ""] | int = 0,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Clipped surrogate, squared error of the value, entropy bonus and divergence from the reference policy.

    In the first `spec.value_first` of the learner's `updates` the reference, where there is one, takes the place of
    the surrogate.

    Source: Schulman et al. 2017, Eq. 7 and 9.
    """
    weight = lived.valid.astype(jnp.float32)
    advantage = _standardised(lived.advantage, weight) if spec.normalise else lived.advantage
    log_ratio = log_probability(outputs, lived.action) - lived.log_probability
    ratio = jnp.exp(log_ratio)
    clipped = jnp.clip(ratio, 1.0 - spec.clip, 1.0 + spec.clip)
    terms = {
        "policy": -_mean(jnp.minimum(ratio * advantage, clipped * advantage), weight),
        "value_error": _mean((outputs.value - jnp.where(lived.valid, lived.value, 0.0)) ** 2, weight),
        "entropy": _mean(entropy(outputs), weight),
        "clipped": _mean((jnp.abs(ratio - 1.0) > spec.clip).astype(jnp.float32), weight),
        "moved": _mean(ratio - 1.0 - log_ratio, weight),
    }
    beside = spec.value * terms["value_error"] - spec.entropy * terms["entropy"]
    if reference is None:
        return terms["policy"] + beside, terms
    terms["divergence"] = _mean(divergence(outputs, reference), weight)
    improving = terms["policy"] + spec.cloned * terms["divergence"]
    return jnp.where(updates < spec.value_first, terms["divergence"], improving) + beside, terms


def discounted_returns(
    reward: Float[Array, "T"], discount: Float[Array, "T"], last: Float[Array, ""]
) -> Float[Array, "T"]:
    """[T] reward + discount x what comes after; `last` is what comes after the last step."""

    def back(later: Float[Array, ""], at: tuple[Float[Array, ""], Float[Array, ""]]) -> tuple[Array, Array]:
        value = at[0] + at[1] * later
        return value, value

    return jax.lax.scan(back, last, (reward, discount), reverse=True)[1]


def _cross_entropy(logits: Float[Array, "*b n"], bin_: Int32[Array, "*b"], smoothing: float) -> Float[Array, "*b"]:
    logs = jax.nn.log_softmax(logits)
    if not smoothing:
        return -jnp.take_along_axis(logs, bin_[..., None], axis=-1)[..., 0]
    apart = jnp.arange(logits.shape[-1]) - bin_[..., None]
    return -(jax.nn.softmax(-0.5 * (apart / smoothing) ** 2) * logs).sum(-1)


def _mean(values: Float[Array, "*b"], weight: Float[Array, "*b"]) -> Float[Array, ""]:
    """Weighted mean; 0 where all weights are 0."""
    total = weight.sum()
    return jnp.where(total > 0, (jnp.where(weight > 0, values, 0.0) * weight).sum() / jnp.maximum(total, 1e-9), 0.0)


def _standardised(values: Float[Array, "*b"], weight: Float[Array, "*b"]) -> Float[Array, "*b"]:
    middle = _mean(values, weight)
    spread = jnp.sqrt(_mean((values - middle) ** 2, weight))
    return (values - middle) / jnp.maximum(spread, 1e-6)
