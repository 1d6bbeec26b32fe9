"""Claims about learning what people reject from what they rejected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from acquisition.guard import FOLDS, fit_rejections, held_out_chances, log_loss


@st.composite
def verdicts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Few features of few verdicts, of both kinds; some are told apart perfectly, some not at all."""
    count, features = draw(st.integers(4, 60)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=(count, features)) * rng.choice([0.01, 1.0, 300.0], features) + rng.normal(size=features)
    rejected = expit(draw(st.sampled_from([0.0, 1.0, 50.0])) * rng.normal(size=count) + values[:, 0]) > 0.5
    rejected[:2] = [True, False]
    return values, rejected


def cost(values_NF: np.ndarray, rejected_N: np.ndarray, weights_F: np.ndarray, intercept: float) -> float:
    """The definition, one verdict at a time."""
    total = 0.5 * sum(weight * weight for weight in weights_F)
    for row, rejected in zip(values_NF, rejected_N, strict=True):
        reach = sum(weight * value for weight, value in zip(weights_F, row, strict=True)) + intercept
        total += float(np.logaddexp(0.0, -reach if rejected else reach))
    return total


@settings(max_examples=60, deadline=None)
@given(verdicts(), st.integers(0, 2**32 - 1))
def test_no_other_weights_are_more_probable(told: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    values, rejected = told
    model, rng = fit_rejections(values, rejected), np.random.default_rng(seed)
    standard = (values - np.array(model.centre)) / np.array(model.scale)
    best = cost(standard, rejected, np.array(model.weights), model.intercept)
    for size in (1e-3, 1e-1, 1.0):
        step = size * rng.normal(size=len(model.weights) + 1)
        other = cost(standard, rejected, np.array(model.weights) + step[:-1], model.intercept + step[-1])
        assert other > best - 1e-9


@settings(max_examples=60, deadline=None)
@given(verdicts())
def test_the_mean_chance_is_the_share_that_was_rejected(told: tuple[np.ndarray, np.ndarray]) -> None:
    values, rejected = told
    assert fit_rejections(values, rejected).chances(values).mean() == pytest.approx(rejected.mean(), abs=1e-6)


def test_units_and_order_change_nothing_and_equal_verdicts_give_an_equal_model() -> None:
    rng = np.random.default_rng(0)
    values, rejected = rng.normal(size=(40, 3)), rng.random(40) < 0.4
    chances = fit_rejections(values, rejected).chances(values)
    turned = rng.permutation(40)
    other = fit_rejections(1000.0 * values[turned] + 7.0, rejected[turned])
    np.testing.assert_allclose(other.chances(1000.0 * values + 7.0), chances, rtol=1e-6)
    assert fit_rejections(values, rejected) == fit_rejections(values.copy(), rejected.copy())


def test_what_is_the_same_for_all_verdicts_has_no_weight() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(size=30), np.full(30, 4.0)])
    model = fit_rejections(values, values[:, 0] > 0.3)
    assert model.weights[1] == 0.0
    assert model.weights[0] > 0.5


def test_chances_are_calibrated_where_the_world_is_logistic() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4_000, 2))
    true = expit(values @ [1.5, -0.5] - 1.0)
    chances = fit_rejections(values, rng.random(4_000) < true).chances(values)
    assert np.abs(chances - true).max() < 0.05


def test_few_verdicts_move_chances_less_than_many() -> None:
    values = np.array([[0.0], [0.1], [0.9], [1.0]])
    rejected = np.array([False, False, True, True])
    few = fit_rejections(values, rejected).chances(values)
    many = fit_rejections(np.tile(values, (30, 1)), np.tile(rejected, 30)).chances(values)
    assert 0.5 < few[3] < many[3]
    assert many[0] < few[0] < 0.5


def test_a_held_out_chance_does_not_know_the_verdicts_of_its_group() -> None:
    rng = np.random.default_rng(2)
    values, groups = rng.normal(size=(60, 2)), np.repeat(np.arange(20), 3)
    rejected = values[:, 0] > 0.0
    first = held_out_chances(values, rejected, groups)
    mixed = next(group for group in range(20) if 0 < rejected[groups == group].sum() < 3)
    inside = np.flatnonzero(groups == mixed)
    other = rejected.copy()
    other[inside] = np.roll(rejected[inside], 1)  # as many rejections as before, so that groups are dealt alike
    assert (other != rejected).any()
    np.testing.assert_array_equal(held_out_chances(values, other, groups)[inside], first[inside])
    assert log_loss(first, rejected) < log_loss(np.full(60, rejected.mean()), rejected)


def test_signs_that_say_nothing_do_no_better_than_the_share_on_held_out_verdicts() -> None:
    rng = np.random.default_rng(3)
    values, rejected = rng.normal(size=(200, 6)), rng.random(200) < 0.3
    chances = held_out_chances(values, rejected, np.arange(200))
    assert log_loss(chances, rejected) > log_loss(np.full(200, rejected.mean()), rejected)


def test_where_all_rejections_are_of_one_group_the_others_tell_their_share() -> None:
    rejected = np.arange(20) < 4
    groups = np.where(rejected, 0, np.arange(20))
    chances = held_out_chances(np.arange(20.0)[:, None], rejected, groups)
    alike = chances[rejected]
    assert (alike == alike[0]).all()
    assert 0.0 < alike[0] < 0.1
    assert len(np.unique(groups)) > FOLDS


def test_verdicts_of_one_kind_and_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="0 of 3 rejected: needs verdicts of both kinds"):
        fit_rejections(np.zeros((3, 1)), np.zeros(3, bool))
    with pytest.raises(ValueError, match="features of verdict 1: must be finite"):
        fit_rejections(np.array([[0.0], [np.nan]]), np.array([True, False]))


def test_a_certain_chance_that_was_wrong_is_a_finite_surprise() -> None:
    """Clean recordings hardly differ in a sign, so one of another fleet lies a thousand deviations away."""
    clean, bad = np.linspace(0.0, 0.01, 20)[:, None], np.linspace(0.01, 0.02, 20)[:, None]
    model = fit_rejections(np.vstack([clean, bad]), np.arange(40) >= 20)
    chances = model.chances(np.array([[9.0]]))
    assert chances[0] == 1.0
    surprise = log_loss(chances, np.array([False]))
    assert np.isfinite(surprise)
    assert surprise > 37.0 > log_loss(chances, np.array([True]))
