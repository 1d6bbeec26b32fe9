"""Claims about what an ensemble knows of a cell."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from acquisition.information import (
    aleatoric_share,
    expected_entropy,
    mean_probability,
    mutual_information,
    predictive_entropy,
    probability_variance,
    ranking_mutual_information,
    variance_bound,
)

Measure = Callable[[jax.Array], jax.Array]
MEASURES = (
    mutual_information,
    ranking_mutual_information,
    predictive_entropy,
    expected_entropy,
    aleatoric_share,
    probability_variance,
    mean_probability,
    variance_bound,
)
UNDERFLOW = 1e-37  # Below a few of float32's smallest normal numbers no digit is promised.
# Logit around which members scatter, and by how much: everyday cells, certain ones, and open dissent.
REGIMES = {
    "undecided": (0.0, 1.0),
    "background, weak dissent": (-6.0, 0.1),
    "one in a million": (-14.0, 0.5),
    "certain presence": (20.0, 0.5),
    "beyond exp's range": (-80.0, 2.0),
    "open dissent": (0.0, 15.0),
}


def logits_of(regime: str, members: int = 8, seed: int = 0) -> np.ndarray:
    centre, scatter = REGIMES[regime]
    rng = np.random.default_rng(seed)
    return rng.normal(centre, scatter, (members, 2, 3, 4, 5)).astype(np.float32)


def stable_sigmoid(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))


def entropy(p: float, q: float) -> float:
    """H of one yes-or-no question from both probabilities, so that neither is formed as 1 - the other."""

    def term(part: float, other: float) -> float:
        return 0.0 if part == 0.0 else -part * (math.log1p(-other) if other < 0.5 else math.log(part))

    return term(p, q) + term(q, p)


def relative_entropy_term(p: float, m: float) -> float:
    """p log(p / m) - (p - m), from the series where the difference is small."""
    x = (p - m) / m
    if abs(x) < 1e-3:
        return m * x**2 * (1 / 2 - x / 6 + x**2 / 12 - x**3 / 20)
    return (p * math.log(p / m) if p > 0.0 else 0.0) - (p - m)


def by_cell(logits: np.ndarray, of_cell: Callable[[list[float], list[float]], float]) -> np.ndarray:
    """A slow loop: `of_cell` gets every member's p and 1 - p in float64."""
    result = np.empty(logits.shape[1:])
    for cell in np.ndindex(result.shape):
        answers = [float(z) for z in logits[(slice(None), *cell)]]
        result[cell] = of_cell([stable_sigmoid(z) for z in answers], [stable_sigmoid(-z) for z in answers])
    return result


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def mi_of_cell(p: list[float], q: list[float]) -> float:
    yes, no = mean(p), mean(q)
    return mean([relative_entropy_term(a, yes) + relative_entropy_term(b, no) for a, b in zip(p, q, strict=True)])


def variance_of_cell(p: list[float], q: list[float]) -> float:
    side = p if mean(p) < 0.5 else q
    return mean([(value - mean(side)) ** 2 for value in side])


def expected_entropy_of_cell(p: list[float], q: list[float]) -> float:
    return mean([entropy(a, b) for a, b in zip(p, q, strict=True)])


REFERENCES: dict[Measure, Callable[[list[float], list[float]], float]] = {
    mutual_information: mi_of_cell,
    predictive_entropy: lambda p, q: entropy(mean(p), mean(q)),
    expected_entropy: expected_entropy_of_cell,
    probability_variance: variance_of_cell,
    mean_probability: lambda p, q: mean(p),
    variance_bound: lambda p, q: variance_of_cell(p, q) / (mean(p) * mean(q)),
}


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("measure", REFERENCES, ids=lambda measure: measure.__name__)
def test_every_measure_is_its_definition_to_five_digits_even_near_certainty(measure: Measure, regime: str) -> None:
    logits = logits_of(regime)
    # Members that differ by a tenth in the logit keep five digits of a squared difference in float32.
    np.testing.assert_allclose(
        np.asarray(measure(jnp.asarray(logits))),
        by_cell(logits, REFERENCES[measure]),
        rtol=2e-5,
        atol=UNDERFLOW,
    )


@pytest.mark.parametrize("regime", REGIMES)
def test_information_is_what_is_left_of_the_entropy_after_the_members_own(regime: str) -> None:
    logits = jnp.asarray(logits_of(regime))
    left = predictive_entropy(logits) - expected_entropy(logits)
    np.testing.assert_allclose(mutual_information(logits), left, atol=3e-7)
    np.testing.assert_allclose(ranking_mutual_information(logits), left, atol=3e-7)


@pytest.mark.parametrize("members", [1, 2, 3, 8])
@pytest.mark.parametrize("regime", REGIMES)
def test_information_lies_between_nothing_and_the_entropy_and_log_members(regime: str, members: int) -> None:
    logits = jnp.asarray(logits_of(regime, members))
    information = np.asarray(mutual_information(logits))
    ceiling = np.minimum(np.asarray(predictive_entropy(logits)), math.log(members))
    assert (information >= 0).all()
    assert (information <= ceiling * (1 + 1e-6)).all()


@pytest.mark.parametrize("regime", REGIMES)
def test_information_never_exceeds_the_variance_bound(regime: str) -> None:
    logits = jnp.asarray(logits_of(regime))
    information, bound = np.asarray(mutual_information(logits)), np.asarray(variance_bound(logits))
    assert (information <= bound * (1 + 1e-5)).all()


def test_two_members_that_contradict_each_other_carry_one_bit() -> None:
    logits = jnp.asarray([60.0, -60.0]).reshape(2, 1, 1, 1, 1)
    assert float(mutual_information(logits)[0, 0, 0, 0]) == pytest.approx(math.log(2), rel=1e-6)


@pytest.mark.parametrize("members", [1, 3, 5, 8, 70])
@pytest.mark.parametrize("logit", [-90.0, -14.0, -0.3, 0.0, 2.0, 30.0])
def test_members_that_agree_carry_no_information(logit: float, members: int) -> None:
    logits = jnp.full((members, 1, 1, 1, 1), logit)
    # Equal numbers add up exactly in pairs; otherwise their mean may be off by some 1e-7, which information squares.
    assert float(mutual_information(logits).max()) <= (1e-13 if members & (members - 1) else 0.0)
    assert float(aleatoric_share(logits).min()) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("regime", REGIMES)
def test_a_single_member_knows_of_no_ignorance(regime: str) -> None:
    logits = jnp.asarray(logits_of(regime, members=1))
    assert float(mutual_information(logits).max()) == 0
    assert float(probability_variance(logits).max()) == 0


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_the_order_of_members_does_not_matter(measure: Measure) -> None:
    logits = logits_of("undecided")
    shuffled = logits[np.random.default_rng(1).permutation(8)]
    np.testing.assert_allclose(measure(jnp.asarray(logits)), measure(jnp.asarray(shuffled)), rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize("regime", REGIMES)
def test_saying_no_instead_of_yes_changes_the_mean_and_nothing_else(regime: str) -> None:
    logits = jnp.asarray(logits_of(regime))
    for measure in (mutual_information, predictive_entropy, expected_entropy, probability_variance):
        np.testing.assert_allclose(measure(logits), measure(-logits), rtol=1e-5, atol=UNDERFLOW)
    np.testing.assert_allclose(mean_probability(logits), 1 - mean_probability(-logits), atol=2e-7)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_jit_and_vmap_give_what_a_plain_loop_gives(measure: Measure) -> None:
    logits = jnp.asarray(logits_of("undecided"))
    loop = jnp.stack([measure(logits[:, frame]) for frame in range(2)])
    np.testing.assert_allclose(jax.jit(measure)(logits), loop, rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(jax.vmap(measure, in_axes=1)(logits), loop, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_a_logit_that_is_not_finite_is_not_repaired(measure: Measure, broken: float) -> None:
    logits = logits_of("undecided")
    logits[3, 1, 2, 0, 4] = broken
    result = np.asarray(jax.jit(measure)(jnp.asarray(logits)))
    assert np.isnan(result[1, 2, 0, 4])
    assert np.isnan(result).sum() == 1


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_half_precision_logits_are_computed_in_float32(measure: Measure) -> None:
    logits = jnp.asarray(logits_of("undecided")).astype(jnp.bfloat16)
    result = measure(logits)
    assert result.dtype == jnp.float32
    np.testing.assert_array_equal(result, measure(logits.astype(jnp.float32)))


def test_many_members_do_not_overflow_the_product_that_stands_for_their_logarithms() -> None:
    logits = jnp.zeros((300, 1, 1, 1, 1))
    assert float(expected_entropy(logits)[0, 0, 0, 0]) == pytest.approx(math.log(2), rel=1e-6)


def test_the_share_is_one_where_nothing_is_uncertain() -> None:
    assert float(aleatoric_share(jnp.full((4, 1, 1, 1, 1), 300.0))[0, 0, 0, 0]) == 1.0


def test_an_ensemble_without_members_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 is needed"):
        mutual_information(jnp.zeros((0, 1, 1, 2, 2)))
