"""Draws: a function of weights, key and step alone."""

from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from al_platform.errors import InvalidInput
from al_platform.training.sampling import Sampler, mixed_weights

KEY = jax.random.key(3)


def sampler(weights: list[float] | NDArray[Any], batch: int = 16) -> Sampler:
    return Sampler(np.asarray(weights, np.float64), key=KEY, batch=batch)


def reference(weights: NDArray[Any], step: int, batch: int) -> list[int]:
    """The first row whose cumulated weight lies beyond the point, row by row."""
    cumulated = [np.float32(sum(weights[: row + 1])) for row in range(len(weights))]
    points = np.asarray(jax.random.uniform(jax.random.fold_in(KEY, step), (batch,))) * cumulated[-1]
    return [next(row for row, limit in enumerate(cumulated) if limit > point) for point in points]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40).filter(any), st.integers(0, 10**6))
def test_the_rows_of_a_step_are_those_of_the_definition(weights: list[int], step: int) -> None:
    found = sampler([float(weight) for weight in weights]).rows(step, 1)[0]
    assert found.tolist() == reference(np.array(weights, float), step, 16)


def test_a_step_gives_the_same_rows_alone_and_among_others() -> None:
    draws = sampler(np.ones(1000))
    together = draws.rows(7, 5)
    assert together.shape == (5, 16)
    for offset in range(5):
        np.testing.assert_array_equal(draws.rows(7 + offset, 1)[0], together[offset])
    assert (together[0] != together[1]).any()


def test_rows_are_drawn_in_proportion_to_their_weights_and_never_with_weight_zero() -> None:
    weights = np.array([0.0, 3.0, 0.0, 1.0, 0.0])
    counts = np.bincount(sampler(weights, batch=1000).rows(0, 40).ravel(), minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    assert counts[1] / counts.sum() == pytest.approx(0.75, abs=0.01)


def test_a_hundred_thousand_rows_are_all_within_reach() -> None:
    rows = sampler(np.full(100_000, 1e-9), batch=100_000).rows(0, 20)
    counts = np.bincount(rows.ravel(), minlength=100_000)
    assert counts.var() == pytest.approx(20.0, rel=0.05)
    assert counts.mean() == 20.0


def test_a_group_is_drawn_by_its_share_however_many_rows_it_has() -> None:
    night, rare = np.arange(90), np.arange(90, 93)
    weights = mixed_weights([night, rare, np.arange(100)], [6.0, 3.0, 1.0], 100)
    assert weights.sum() == pytest.approx(10.0)
    assert weights[90:93].sum() == pytest.approx(3.0 + 0.03)
    np.testing.assert_allclose(weights[93:], 0.01)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "no rows to draw from"),
        ([1.0, -0.5], "weight -0.5 of row 1: must be a number, 0 or more"),
        ([1.0, float("nan")], "weight nan of row 1"),
        ([float("inf")], "weight inf of row 0"),
        ([0.0, 0.0], "all 2 weights are 0: give at least one row a weight above 0"),
    ],
)
def test_weights_that_nothing_can_be_drawn_by_are_named(weights: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sampler(weights)


def test_a_group_with_a_share_and_no_row_is_named() -> None:
    with pytest.raises(InvalidInput, match="group 1 with share 2: holds no row"):
        mixed_weights([np.arange(3), np.arange(0)], [1.0, 2.0], 3)
    assert mixed_weights([np.arange(3), np.arange(0)], [1.0, 0.0], 3).sum() == pytest.approx(1.0)
    with pytest.raises(InvalidInput, match="weight -1"):
        mixed_weights([np.arange(3)], [-1.0], 3)
