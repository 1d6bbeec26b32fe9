import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acquisition.driving import (
    action_information,
    action_surprise,
    action_uncertainty,
    outcome_information,
    outcome_uncertainty,
    progress_disagreement,
)

SHAPE = {"members": 4, "batch": 3, "accelerations": 7, "rates": 5}


def logits(seed: int, *, members: int = 4, spread: float = 2.0) -> tuple[jax.Array, jax.Array]:
    generator = np.random.default_rng(seed)
    pair = (generator.normal(0, spread, (members, SHAPE["batch"], SHAPE[name])) for name in ("accelerations", "rates"))
    first, second = (jnp.asarray(values, jnp.float32) for values in pair)
    return first, second


def joint(pair: tuple[jax.Array, jax.Array]) -> np.ndarray:
    """[M, B, A, S] in float64."""
    shares = [np.exp(np.asarray(values, np.float64)) for values in pair]
    first, second = (share / share.sum(-1, keepdims=True) for share in shares)
    return first[..., :, None] * second[..., None, :]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.floats(0.0, 6.0))
def test_information_is_the_divergence_of_each_joint_from_their_mean(seed: int, spread: float) -> None:
    pair = logits(seed, spread=spread)
    table = joint(pair).reshape(SHAPE["members"], SHAPE["batch"], -1)
    exact = stats.entropy(table, table.mean(axis=0)[None], axis=-1).mean(axis=0)
    np.testing.assert_allclose(action_information(*pair), exact, atol=3e-6)


def test_members_that_agree_hold_no_information() -> None:
    first, second = (jnp.tile(values[:1], (4, 1, 1)) for values in logits(1))
    assert float(action_information(first, second).max()) < 2e-6


def test_members_that_contradict_each_other_hold_all_there_is() -> None:
    first = 80.0 * jnp.eye(4, SHAPE["accelerations"])[:, None]
    second = jnp.zeros((4, 1, SHAPE["rates"]))
    assert float(action_information(first, second)[0]) == pytest.approx(np.log(4), rel=1e-5)


def test_the_joint_does_not_count_twice_what_both_choices_share() -> None:
    brake_and_swerve = 80.0 * jnp.array([[[1.0, 0, 0]], [[0, 0, 1.0]]])
    both = float(action_information(brake_and_swerve, brake_and_swerve)[0])
    one = float(action_information(brake_and_swerve, jnp.zeros((2, 1, 3)))[0])
    assert both == pytest.approx(one, rel=1e-5)
    assert both == pytest.approx(np.log(2), rel=1e-5)


def test_neighbouring_bins_are_no_disagreement_once_blurred_and_far_ones_are() -> None:
    near = 80.0 * jax.nn.one_hot(jnp.array([[10], [11]]), 31)
    far = 80.0 * jax.nn.one_hot(jnp.array([[2], [28]]), 31)
    rate = jnp.zeros((2, 1, 5))
    tolerance = (3.0, 0.0)
    assert float(action_information(near, rate, tolerance_bins=tolerance)[0]) < 0.02
    assert float(action_information(far, rate, tolerance_bins=tolerance)[0]) == pytest.approx(np.log(2), rel=1e-3)
    assert float(action_information(near, rate)[0]) == pytest.approx(np.log(2), rel=1e-5)


def test_the_members_own_entropy_is_apart() -> None:
    pair = logits(5)
    table = joint(pair).reshape(SHAPE["members"], SHAPE["batch"], -1)
    np.testing.assert_allclose(action_uncertainty(*pair), stats.entropy(table, axis=-1).mean(axis=0), rtol=1e-5)


def test_surprise_is_that_of_the_mean() -> None:
    pair = logits(6)
    taken = jnp.array([[0, 4], [6, 0], [3, 2]])
    mean = joint(pair).mean(axis=0)
    exact = [-np.log(mean[row, a, s]) for row, (a, s) in enumerate(np.asarray(taken))]
    np.testing.assert_allclose(action_surprise(*pair, taken), exact, rtol=1e-5)


def test_outcomes_inform_where_members_fare_differently_and_not_where_all_fail() -> None:
    happened = jnp.array([[0.0, 1.0, 0.0, 0.5], [0.0, 1.0, 1.0, 0.5]])
    np.testing.assert_allclose(outcome_information(happened), [0.0, 0.0, np.log(2), 0.0], atol=1e-6)
    np.testing.assert_allclose(outcome_uncertainty(happened), [0.0, 0.0, 0.0, np.log(2)], atol=1e-6)


def test_progress_disagrees_by_its_variance() -> None:
    progress = jnp.array([[10.0, 5.0], [14.0, 5.0]])
    assert progress_disagreement(progress).tolist() == pytest.approx([4.0, 0.0])
