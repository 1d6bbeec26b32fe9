"""What an ensemble knows and does not know about each cell, from the logits of its members.

Axes: M members first, then questions in any arrangement, usually [B, K, H, W]: each class of each cell of
each frame is a yes-or-no question of its own. Member k answers yes with probability p_k = sigmoid(z_k), the
ensemble with m = mean_k p_k. H(p) = -p log p - (1 - p) log(1 - p) is in nats.

Everything starts from logits: a stored probability has already lost the answer near 0 and near 1. Arithmetic
is float32, also for bfloat16 and float16 logits. A logit that is not finite gives NaN in its cell, so that
whoever selects can stop there. Members are unrolled instead of reduced over an axis, because only then does
XLA make one vectorised loop of a whole map.
"""

import operator
from collections.abc import Callable, Iterable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from acquisition.exponentials import exp_and_expm1, log, log1p, log_of_both

Logits = Float[Array, "M *cells"]
CellMap = Float32[Array, "*cells"]

_MEMBERS_PER_PRODUCT = 32  # A product of so many factors in [1/4, 2] stays in float32.
_LOWEST_STEP = -70.0  # An answer 1e-30 times as likely as the reference's adds nothing to it.


def mutual_information(logits_M: Logits) -> CellMap:
    """Information that a label of the cell holds about which member is right: what is left to learn.

    [*cells] in [0, min(H(m), log M)] nats, never negative; higher = more informative. 0 for a single member
    and for members that agree. It sees weak disagreement in cells of any probability, down to float32's own.

    I = mean_k KL(p_k || m) = mean_k KL(p_k || r) - KL(m || r) for any reference r. With the reference's logit
    in the middle of the members' it is as exact for certain members as for any others. With u = z_k - logit(r),
    e = exp(u) - 1 and w = 1 + r e,

        KL(p_k || r) = r exp(u) / w u - log w,    p_k = r exp(u) / w,

    and for members with p_k > 1/2 the same of the opposite answer. So a member costs one exponential, and
    all of them share a logarithm.

    Source: Houlsby et al. 2011, Eq. 2; per class and cell as in Haussmann et al. 2019.
    """
    logits, _ = _leaning_to_no(logits_M)
    reference = _reference(logits)
    no = 1.0 / (1.0 + jnp.exp(reference))
    yes = jnp.exp(reference) * no
    parts = [_against_reference(z, reference, yes, no) for z in logits]
    linear, excesses, deviations = zip(*parts, strict=True)
    own = _mean(linear) - _sum_of_log1p(excesses) / len(logits)
    # Members that differ by less than float32 resolves may leave a rounding error of either sign.
    return jnp.maximum(own - _relative_entropy_to(yes, no, _mean(deviations)), 0.0)


def ranking_mutual_information(logits_M: Logits) -> CellMap:
    """Give the mutual information in the form with fewest operations, for ranking and nothing else.

    [*cells] nats; higher = more informative. A difference of two entropies: absolute error about 1e-7 nats,
    of either sign, so it may fall just below 0 and says nothing about cells in which all members are certain.
    With a = exp(-|z|) and r = a / (1 + a), sum_k H(p_k) = log prod_k (1 + a_k) + sum_k |z_k| r_k.
    """
    logits = _members(logits_M)
    magnitudes = [jnp.abs(z) for z in logits]
    tails = [jnp.exp(-size) for size in magnitudes]
    factors = [1.0 + a for a in tails]
    rarer = [a * (1.0 / factor) for a, factor in zip(tails, factors, strict=True)]
    groups = range(0, len(logits), _MEMBERS_PER_PRODUCT)
    products = (_in_pairs(operator.mul, factors[i : i + _MEMBERS_PER_PRODUCT]) for i in groups)
    logs = _total(log(product) for product in products)
    linear = _total(size * r for size, r in zip(magnitudes, rarer, strict=True))
    yes = _mean(jnp.where(z >= 0.0, 1.0 - r, r) for z, r in zip(logits, rarer, strict=True))
    own = (logs + linear) / len(logits)
    return -(yes * log(yes) + (1.0 - yes) * log1p(-yes)) - own


def predictive_entropy(logits_M: Logits) -> CellMap:
    """Entropy of the ensemble's answer, whatever its cause: noise in the data and ignorance together.

    [*cells] in [0, log 2] nats; higher = less certain. H(m), formed from the smaller of m and 1 - m.
    """
    logits, _ = _leaning_to_no(logits_M)
    yes = _mean(_probability(z) for z in logits)
    return _binary_entropy(jnp.minimum(yes, 1.0 - yes))


def expected_entropy(logits_M: Logits) -> CellMap:
    """Mean entropy of the members' own answers: the aleatoric part, which more labels do not remove.

    [*cells] in [0, log 2] nats; higher = noisier. With a = exp(-|z|), H(p) = log(1 + a) + |z| a / (1 + a),
    so that all members share one logarithm: sum_k log(1 + a_k) = log prod_k (1 + a_k).
    """
    members = _members(logits_M)
    tails = [_tail(z) for z in members]
    linear = _total(jnp.abs(z) * a / (1.0 + a) for z, a in zip(members, tails, strict=True))
    return (_sum_of_log1p(tails) + linear) / len(members)


def aleatoric_share(logits_M: Logits) -> CellMap:
    """Share of the ensemble's uncertainty that its members agree on: 1 = noise alone, 0 = ignorance alone.

    [*cells] in [0, 1]: mean_k H(p_k) / H(m). It is 1 where both are 0, as for any members that agree.
    """
    return share_of(expected_entropy(logits_M), predictive_entropy(logits_M))


def probability_variance(logits_M: Logits) -> CellMap:
    """Variance of the members' probabilities around their mean (divided by M).

    [*cells] in [0, 1/4]; higher = more disagreement. mean_k (p_k - m)^2, of yes or no, whichever the members
    find less likely, because float32 resolves differences there.
    """
    logits, _ = _leaning_to_no(logits_M)
    answers = [_probability(z) for z in logits]
    yes = _mean(answers)
    return _mean(jnp.square(p - yes) for p in answers)


def mean_probability(logits_M: Logits) -> CellMap:
    """Give the ensemble's probability that the class is in the cell: m = mean_k p_k.

    [*cells] in [0, 1]; its sum over the map is the expected number of cells that hold the class.
    """
    logits, turn = _leaning_to_no(logits_M)
    yes = _mean(_probability(z) for z in logits)
    return jnp.where(turn < 0.0, 1.0 - yes, yes)


def variance_bound(logits_M: Logits) -> CellMap:
    """Upper bound of the mutual information that needs no logarithm: frames below it can be skipped unseen.

    [*cells] in [0, 1] nats; tight for weak disagreement. Mean KL(p_k || m) <= mean chi^2(p_k || m), that is
    I <= Var_k(p_k) / (m (1 - m)); 0 where the ensemble is certain.

    Source: Gibbs and Su 2002, Theorem 5 (relative entropy is at most chi squared).
    """
    logits, _ = _leaning_to_no(logits_M)
    answers = [_probability(z) for z in logits]
    yes = _mean(answers)
    per_yes = 1.0 / _at_least_tiny(yes)
    return _mean(((p - yes) * per_yes) * (p - yes) for p in answers) / (1.0 - yes)


def share_of(part: Float32[Array, "*cells"], whole: Float32[Array, "*cells"]) -> Float32[Array, "*cells"]:
    """Give part / whole in [0, 1], and 1 where both are 0; what rounding lifts above 1 is cut."""
    return jnp.minimum(jnp.where(whole == 0.0, 1.0, part / jnp.where(whole == 0.0, 1.0, whole)), 1.0)


def _members(logits: Array) -> list[Array]:
    if logits.shape[0] < 1:
        raise ValueError(f"logits of shape {logits.shape}: the first axis counts members, at least 1 is needed")
    return [logits[member].astype(jnp.float32) for member in range(logits.shape[0])]


def _tail(logit: Array) -> Array:
    """exp(-|z|), as |z| - 2 |z| because inf - inf is NaN: an infinite logit must not pass for certainty."""
    magnitude = jnp.abs(logit)
    return jnp.exp(magnitude - 2.0 * magnitude)


def _leaning_to_no(logits: Array) -> tuple[list[Array], Array]:
    """Give the members' logits, turned to the opposite answer (-1) wherever their mean leans to yes, and the turn.

    The answer's probability is then small where it is near certain, and float32 resolves it. All is NaN where
    a logit is not finite.
    """
    members = _members(logits)
    mean = _mean(members)
    turn = jnp.where(jnp.isfinite(mean), jnp.where(mean > 0.0, -1.0, 1.0), jnp.nan)
    return [turn * z for z in members], turn


def _probability(logit: Array) -> Array:
    """Sigmoid with full relative precision for negative logits; where exp overflows it has underflowed to 0."""
    return 1.0 / (1.0 + jnp.exp(-logit))


def _reference(logits: list[Array]) -> Array:
    """Give a logit <= 0 at the members' mean, or one below their largest if that lies further above the mean.

    The second keeps the two relative entropies no larger than their difference, and exp finite.
    """
    mean = _mean(logits)
    top = jnp.minimum(_in_pairs(_larger, logits), 1.0) - 1.0
    return mean + jnp.maximum(top - mean, 0.0)


def _against_reference(logit: Array, reference: Array, yes: Array, no: Array) -> tuple[Array, Array, Array]:
    """Linear part and w - 1 of KL(p || r), and p - r, all formed from the answer that the member finds rarer."""
    to_yes = logit > 0.0
    own = jnp.where(to_yes, no, yes)
    step = jnp.where(to_yes, reference - logit, logit - reference)
    # A selection and not a maximum, which on CPU costs two more instructions to keep NaN.
    step = jnp.where(step < _LOWEST_STEP, _LOWEST_STEP, step)
    odds, growth = exp_and_expm1(step)  # Relative to those of the reference.
    excess = own * growth
    # Times the reciprocal: XLA on CPU ends its loop at a quotient of two maps that is used twice.
    rarer = own * (odds * (1.0 / (1.0 + excess)))
    return rarer * step, excess, jnp.where(to_yes, own - rarer, rarer - own)


def _relative_entropy_to(yes: Array, no: Array, deviation: Array) -> Array:
    """KL(m || r) of m = r + deviation, r = yes."""
    gain, loss = deviation * (1.0 / _at_least_tiny(yes)), -deviation * (1.0 / no)
    return (yes + deviation) * log1p(gain) + (no - deviation) * log1p(loss)


def _larger(a: Array, b: Array) -> Array:
    return jnp.where(b > a, b, a)


def _in_pairs(combine: Callable[[Array, Array], Array], values: Iterable[Array]) -> Array:
    terms = list(values)
    while len(terms) > 1:
        terms = [*map(combine, terms[::2], terms[1::2]), *terms[len(terms) // 2 * 2 :]]
    return terms[0]


def _total(values: Iterable[Array]) -> Array:
    """Sum in pairs, so that equal values of 2, 4, 8, ... members add up without rounding."""
    return _in_pairs(operator.add, values)


def _mean(values: Iterable[Array]) -> Array:
    unrolled = list(values)
    return _total(unrolled) / len(unrolled)


def _at_least_tiny(value: Array) -> Array:
    """Keep 1 / value finite where every member's probability has underflowed to 0; all terms are 0 there."""
    return jnp.maximum(value, np.finfo(np.float32).tiny)


def _binary_entropy(smaller: Array) -> Array:
    """H(p) from the smaller of p and 1 - p, whose logarithm is the one that counts."""
    return -(smaller * log(smaller) + (1.0 - smaller) * log1p(-smaller))


def _sum_of_log1p(excesses: Sequence[Array]) -> Array:
    """sum log(1 + a) for a in [-3/4, 1] with one logarithm for many members; small a keep all their digits."""
    starts = range(0, len(excesses), _MEMBERS_PER_PRODUCT)
    groups = [excesses[start : start + _MEMBERS_PER_PRODUCT] for start in starts]
    products = [_in_pairs(operator.mul, [1.0 + a for a in group]) for group in groups]
    return _total(log_of_both(p, _in_pairs(_product_minus_1, g)) for p, g in zip(products, groups, strict=True))


def _product_minus_1(a: Array, b: Array) -> Array:
    """(1 + a) (1 + b) - 1, without the 1 that would swallow small a and b."""
    return (a + b) + a * b
