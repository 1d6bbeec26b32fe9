from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sim.actions import ActionSpec
from sim.learning.choices import divergence, entropy, expected, log_probability, most_likely, sample
from sim.learning.losses import (
    CloningSpec,
    Demonstration,
    Experience,
    ImprovementSpec,
    cloning_loss,
    improvement_loss,
)
from sim.networks import Outputs

BINS = (5, 3)
PLAIN = ImprovementSpec(clip=0.2, value=0.0, entropy=0.0, normalise=False)


def outputs(batch: int, seed: int = 0, spread: float = 1.0) -> Outputs:
    first, second, third = jax.random.split(jax.random.key(seed), 3)
    return Outputs(
        acceleration=spread * jax.random.normal(first, (batch, BINS[0])),
        steering_rate=spread * jax.random.normal(second, (batch, BINS[1])),
        value=jax.random.normal(third, (batch,)),
    )


def joint(out: Outputs) -> np.ndarray:
    """[B, A, S] probabilities of all pairs in float64."""
    parts = [np.asarray(logits, np.float64) for logits in (out.acceleration, out.steering_rate)]
    first, second = (np.exp(part) / np.exp(part).sum(-1, keepdims=True) for part in parts)
    return first[:, :, None] * second[:, None, :]


def experience(out: Outputs, action: jax.Array, *, advantage: float, log_ratio: float = 0.0) -> Experience:
    """Steps that an older policy took, `log_ratio` less likely there than they are now."""
    size = action.shape[0]
    return Experience(
        action=action,
        log_probability=log_probability(out, action) - log_ratio,
        value=jnp.zeros(size),
        advantage=jnp.full(size, advantage),
        valid=jnp.ones(size, bool),
    )


def test_probabilities_entropy_and_divergence_are_those_of_the_joint() -> None:
    out, other = outputs(4), outputs(4, seed=1)
    table, second = joint(out), joint(other)
    pairs = jnp.array([[0, 0], [4, 2], [2, 1], [3, 0]])
    chances = [table[row, a, s] for row, (a, s) in enumerate(np.asarray(pairs))]
    np.testing.assert_allclose(jnp.exp(log_probability(out, pairs)), chances, rtol=1e-5)
    np.testing.assert_allclose(entropy(out), stats.entropy(table.reshape(4, -1), axis=1), rtol=1e-5)
    relative = stats.entropy(table.reshape(4, -1), second.reshape(4, -1), axis=1)
    np.testing.assert_allclose(divergence(out, other), relative, rtol=1e-4, atol=1e-6)


def test_samples_come_as_often_as_they_are_likely() -> None:
    out = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (20_000, *leaf.shape[1:])), outputs(1))
    drawn = np.asarray(sample(out, jax.random.key(7)))
    counts = np.zeros(BINS)
    np.add.at(counts, (drawn[:, 0], drawn[:, 1]), 1)
    assert stats.chisquare(counts.ravel(), 20_000 * joint(outputs(1))[0].ravel()).pvalue > 1e-3


def test_the_likeliest_pair_is_the_largest_of_the_joint() -> None:
    out = outputs(50)
    best = [np.unravel_index(table.argmax(), BINS) for table in joint(out)]
    assert np.asarray(most_likely(out)).tolist() == [list(map(int, pair)) for pair in best]


def test_the_expected_pair_is_nearest_to_the_means_in_their_units() -> None:
    spec = ActionSpec(accelerations=BINS[0], steering_rates=BINS[1])
    out = outputs(50)
    chosen = np.asarray(expected(out, spec))
    table = joint(out)
    for axis, values in enumerate((spec.acceleration_values(), spec.steering_values())):
        means = table.sum(axis=2 - axis) @ values.astype(np.float64)
        np.testing.assert_array_equal(chosen[:, axis], np.abs(values - means[:, None]).argmin(axis=1))


def test_of_a_lopsided_distribution_the_likeliest_is_not_expected() -> None:
    spec = ActionSpec()
    braking = np.full(spec.accelerations, 0.7 / (spec.accelerations - 1))
    braking[-1] = 0.3
    even = jnp.zeros(spec.steering_rates)
    out = Outputs(jnp.asarray(np.log(braking)), even, jnp.zeros(()))
    assert int(most_likely(out)[0]) == spec.accelerations - 1
    assert spec.acceleration_values()[int(expected(out, spec)[0])] == pytest.approx(0.55, abs=0.06)


@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_beyond_the_clip_nothing_pulls_further(advantage: float) -> None:
    out = outputs(6)
    action = most_likely(out)
    beyond = experience(out, action, advantage=advantage, log_ratio=np.sign(advantage) * 0.5)
    within = experience(out, action, advantage=advantage, log_ratio=0.0)

    def loss(logits: jax.Array, lived: Experience) -> jax.Array:
        return improvement_loss(replace(out, acceleration=logits), lived, PLAIN)[0]

    assert float(jnp.abs(jax.grad(loss)(out.acceleration, beyond)).max()) == 0.0
    assert float(jnp.abs(jax.grad(loss)(out.acceleration, within)).max()) > 0.0


def test_where_the_clip_would_help_the_policy_it_does_not_hold() -> None:
    out = outputs(6)
    action = most_likely(out)
    bad_and_likelier = experience(out, action, advantage=-1.0, log_ratio=0.5)
    loss, terms = improvement_loss(out, bad_and_likelier, PLAIN)
    assert float(loss) == pytest.approx(np.exp(0.5), rel=1e-5)
    assert float(terms["clipped"]) == 1.0


def test_advantages_push_probabilities_their_way() -> None:
    out = outputs(6)
    action = most_likely(out)

    def loss(logits: jax.Array, advantage: float) -> jax.Array:
        lived = experience(out, action, advantage=advantage)
        return improvement_loss(replace(out, acceleration=logits), lived, PLAIN)[0]

    for advantage in (1.0, -1.0):
        gradient = jax.grad(loss)(out.acceleration, advantage)
        at_action = jnp.take_along_axis(gradient, action[:, :1], axis=1)
        assert (at_action * advantage < 0).all()


def test_steps_that_are_not_valid_change_nothing() -> None:
    out = outputs(6)
    lived = experience(out, most_likely(out), advantage=1.0)
    lived = replace(lived, valid=jnp.arange(6) < 4, advantage=jnp.arange(6.0))
    spec = ImprovementSpec()
    other = replace(lived, advantage=lived.advantage.at[4:].set(1e6), value=lived.value.at[4:].set(jnp.nan))
    assert float(improvement_loss(out, lived, spec)[0]) == float(improvement_loss(out, other, spec)[0])


def test_the_divergence_counts_only_where_it_is_asked_for() -> None:
    out, reference = outputs(6), outputs(6, seed=5)
    lived = experience(out, most_likely(out), advantage=1.0)
    plain = improvement_loss(out, lived, PLAIN, reference=reference)[0]
    held = improvement_loss(out, lived, replace(PLAIN, cloned=0.5), reference=reference)[0]
    assert float(held - plain) == pytest.approx(0.5 * float(divergence(out, reference).mean()), rel=1e-5)


def test_at_first_the_value_learns_and_the_policy_is_held() -> None:
    out, reference = outputs(6), outputs(6, seed=5)
    action = most_likely(out)
    spec = replace(PLAIN, value=0.5, cloned=0.1, value_first=3)

    def loss(now: Outputs, advantage: float, updates: int) -> jax.Array:
        lived = experience(out, action, advantage=advantage)
        return improvement_loss(now, lived, spec, reference=reference, updates=updates)[0]

    held, improving = (jax.grad(loss)(out, 1.0, updates) for updates in (2, 3))
    np.testing.assert_array_equal(held.value, improving.value)
    assert float(jnp.abs(held.value).max()) > 0.0
    other = jax.grad(loss)(out, -1.0, 2)
    np.testing.assert_array_equal(held.acceleration, other.acceleration)
    assert float(jnp.abs(improving.acceleration - jax.grad(loss)(out, -1.0, 3).acceleration).max()) > 1e-3
    towards = replace(out, acceleration=out.acceleration - 0.1 * held.acceleration)
    assert float(divergence(towards, reference).mean()) < float(divergence(out, reference).mean())


def test_without_a_reference_nothing_waits_for_the_value() -> None:
    out = outputs(6)
    lived = experience(out, most_likely(out), advantage=1.0)
    waiting = improvement_loss(out, lived, replace(PLAIN, value_first=10), updates=0)[0]
    assert float(waiting) == float(improvement_loss(out, lived, PLAIN)[0])


def demonstration(batch: int) -> Demonstration:
    return Demonstration(
        action=jnp.tile(jnp.array([[2, 1]]), (batch, 1)), value=jnp.ones(batch), weight=jnp.ones(batch)
    )


def test_cloning_is_the_surprise_of_the_experts_pair_and_the_error_of_the_value() -> None:
    out = outputs(6)
    shown = demonstration(6)
    loss, terms = cloning_loss(out, shown, CloningSpec(value=0.1))
    surprise = -np.log(joint(out)[:, 2, 1]).mean()
    assert float(terms["cross_entropy"]) == pytest.approx(surprise, rel=1e-5)
    assert float(loss) == pytest.approx(surprise + 0.1 * float(((out.value - 1.0) ** 2).mean()), rel=1e-5)


def test_smoothing_is_least_for_a_distribution_about_the_experts_bin() -> None:
    shown = demonstration(1)
    bins = jnp.arange(float(BINS[0]))
    rate = jnp.zeros((1, BINS[1]))
    about = [Outputs(-((bins - middle) ** 2)[None], rate, jnp.ones(1)) for middle in (1.0, 2.0, 3.0)]
    losses = [float(cloning_loss(out, shown, CloningSpec(smoothing_bins=0.7))[0]) for out in about]
    assert losses[1] < min(losses[0], losses[2])
    assert losses[0] == pytest.approx(losses[2], rel=1e-5)


def test_surprising_steps_count_no_more_than_the_limit() -> None:
    out = outputs(8, spread=0.1)
    strange = replace(out, acceleration=out.acceleration.at[0, 2].set(-30.0))
    shown = demonstration(8)

    def pull(spec: CloningSpec) -> jax.Array:
        loss = jax.grad(lambda logits: cloning_loss(replace(strange, acceleration=logits), shown, spec)[0])
        return jnp.abs(loss(strange.acceleration)[0]).sum() / jnp.abs(loss(strange.acceleration)[1:]).sum()

    assert float(pull(CloningSpec(clip_surprise=1.0))) < 0.5 * float(pull(CloningSpec()))


def test_padding_teaches_nothing() -> None:
    out = outputs(6)
    shown = replace(demonstration(6), weight=jnp.array([1.0, 1, 1, 0, 0, 0]))
    other = replace(shown, action=shown.action.at[3:].set(0), value=shown.value.at[3:].set(jnp.nan))
    assert float(cloning_loss(out, shown, CloningSpec())[0]) == float(cloning_loss(out, other, CloningSpec())[0])


def in_float64(out: Outputs, shown: Demonstration, spec: CloningSpec) -> float:
    """Cross-entropy, step by step from the definition."""
    surprises, weights = [], np.asarray(shown.weight, np.float64)
    for row, pair in enumerate(np.asarray(shown.action)):
        surprise = 0.0
        for logits, chosen in zip((out.acceleration, out.steering_rate), pair, strict=True):
            exact = np.asarray(logits[row], np.float64)
            logs = exact - np.log(np.exp(exact).sum())
            apart = np.arange(exact.size) - chosen
            near = np.exp(-0.5 * (apart / spec.smoothing_bins) ** 2) if spec.smoothing_bins else apart == 0
            surprise -= (near / near.sum() * logs).sum()
        surprises.append(surprise)
    surprise = np.array(surprises)
    if spec.clip_surprise:
        most = spec.clip_surprise * (surprise * weights).sum() / weights.sum()
        weights = weights * np.minimum(1.0, most / surprise)
    return float((surprise * weights).sum() / weights.sum())


@pytest.mark.parametrize("smoothing_bins", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("clip_surprise", [0.0, 0.8, 1.5])
def test_smoothing_and_the_limit_on_surprise_are_those_of_the_definition(
    smoothing_bins: float, clip_surprise: float
) -> None:
    out = outputs(20, seed=3, spread=2.0)
    rows = np.random.default_rng(1)
    action = jnp.asarray(np.stack([rows.integers(0, bins, 20) for bins in BINS], axis=-1), jnp.int32)
    shown = Demonstration(action, jnp.zeros(20), jnp.asarray(rows.uniform(size=20) < 0.8, jnp.float32))
    spec = CloningSpec(value=0.0, smoothing_bins=smoothing_bins, clip_surprise=clip_surprise)
    loss, terms = cloning_loss(out, shown, spec)
    expected = in_float64(out, shown, spec)
    assert float(terms["cross_entropy"]) == pytest.approx(expected, rel=1e-5)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_no_step_pulls_more_than_one_of_the_most_surprise() -> None:
    out = outputs(8, spread=0.1)
    strange = replace(out, acceleration=out.acceleration.at[0, 2].set(-30.0).at[1, 2].set(-60.0))
    shown = demonstration(8)
    spec = CloningSpec(value=0.0, clip_surprise=1.0)
    pull = jax.grad(lambda logits: cloning_loss(replace(strange, acceleration=logits), shown, spec)[0])(
        strange.acceleration
    )
    size = jnp.abs(pull).sum(-1)
    # Twice as surprising, half the weight: what a step adds to the sum is the same.
    assert float(size[0] / size[1]) == pytest.approx(2.0, rel=0.1)
