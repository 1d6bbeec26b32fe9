"""What an ensemble of drivers does not agree on: what to do next, and how it would end.

Axes: M members, *b any batch (scenes, steps), A acceleration bins, S steering-rate bins, K kinds of outcome.

A driver chooses a pair of bins. Its two choices are independent given what it sees, but those of the ensemble's mean
are not: whoever brakes may also steer. So disagreement is that of the joint distribution; the sum of both marginals'
would count twice what they share. Bins are ordered, and neighbouring ones drive alike: each member's bins are first
blurred by a tolerance, so that only differences that move the car count.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from acquisition.exponentials import log


def action_information(
    acceleration_logits: Float[Array, "M *b A"],
    rate_logits: Float[Array, "M *b S"],
    *,
    tolerance_bins: tuple[float, float] = (0.0, 0.0),
) -> Float[Array, "*b"]:
    """Information that the right pair of bins holds about which member is right, before anything is driven.

    [*b] in [0, log M] nats; higher = more informative. `tolerance_bins` are the standard deviations of the blur, in
    bins of acceleration and of steering rate.

        I = mean_m KL(p_m(a) p_m(s) || mean_m p_m(a) p_m(s))

    Source: Houlsby et al. 2011, Eq. 2, for a categorical answer; Seung et al. 1992 for the committee.
    """
    first = _blurred(acceleration_logits, tolerance_bins[0])
    second = _blurred(rate_logits, tolerance_bins[1])
    joint = first[..., :, None] * second[..., None, :]
    mean = joint.mean(axis=0)
    mixed = -_p_log_p(mean).sum((-2, -1))
    alone = -(_p_log_p(first).sum(-1) + _p_log_p(second).sum(-1)).mean(axis=0)
    # A difference of entropies of about 8 nats may leave a rounding error of either sign where members agree.
    return jnp.maximum(mixed - alone, 0.0)


def action_uncertainty(
    acceleration_logits: Float[Array, "M *b A"], rate_logits: Float[Array, "M *b S"]
) -> Float[Array, "*b"]:
    """Mean entropy of the members' own choice: what stays open however much one learns. Nats, 0 to log(A S)."""
    choices = (jax.nn.softmax(acceleration_logits), jax.nn.softmax(rate_logits))
    return -sum((_p_log_p(choice).sum(-1) for choice in choices), start=jnp.zeros(())).mean(axis=0)


def action_surprise(
    acceleration_logits: Float[Array, "M *b A"], rate_logits: Float[Array, "M *b S"], taken: Int[Array, "*b 2"]
) -> Float[Array, "*b"]:
    """How little the ensemble expected a pair of bins, mostly the recorded one: -log mean_m p_m(a) p_m(s), nats."""
    logs = [
        jnp.take_along_axis(jax.nn.log_softmax(logits), _every_member(taken[..., number], logits), axis=-1)[..., 0]
        for number, logits in enumerate((acceleration_logits, rate_logits))
    ]
    return -(jax.nn.logsumexp(logs[0] + logs[1], axis=0) - jnp.log(float(len(acceleration_logits))))


def outcome_information(happened: Float[Array, "M *b K"]) -> Float[Array, "*b K"]:
    """Disagreement of the members about how a scene ends.

    `happened` is the share of a member's drives of the scene in which the outcome occurred, in [0, 1]; with one
    drive 0 or 1. [*b K] in [0, log 2] nats; 0 where all members fare alike, be it well or badly.

        I = H(mean_m q_m) - mean_m H(q_m)
    """
    return jnp.maximum(_binary_entropy(happened.mean(axis=0)) - _binary_entropy(happened).mean(axis=0), 0.0)


def outcome_uncertainty(happened: Float[Array, "M *b K"]) -> Float[Array, "*b K"]:
    """Mean over members of how open the outcome of their own drives is: nats in [0, log 2]."""
    return _binary_entropy(happened).mean(axis=0)


def progress_disagreement(progress: Float[Array, "M *b"]) -> Float[Array, "*b"]:
    """Variance over members of how far they get, in the square of its unit; not negative."""
    return progress.var(axis=0)


def _every_member(bins: Int[Array, "*b"], logits: Float[Array, "M *b n"]) -> Int[Array, "M *b one"]:
    return jnp.broadcast_to(bins[..., None], (*logits.shape[:-1], 1))


def _blurred(logits: Float[Array, "*b n"], deviation: float) -> Float[Array, "*b n"]:
    """Probabilities, each bin's share spread over its neighbours; what would leave at the ends stays inside."""
    chosen = jax.nn.softmax(logits)
    if deviation <= 0.0:
        return chosen
    bins = jnp.arange(logits.shape[-1])
    spread = jax.nn.softmax(-0.5 * ((bins[:, None] - bins) / deviation) ** 2, axis=-1)
    return chosen @ spread


def _p_log_p(share: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.where(share > 0.0, share * log(jnp.where(share > 0.0, share, 1.0)), 0.0)


def _binary_entropy(share: Float[Array, "..."]) -> Float[Array, "..."]:
    return -_p_log_p(share) - _p_log_p(1.0 - share)
