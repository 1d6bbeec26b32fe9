"""The place of the least: that of `argmin`, the first of equals, and of those that differ by next to nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.least import place_of_least, value_at_least


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 32])
def test_the_place_is_that_of_the_least(count: int) -> None:
    costs = np.random.default_rng(count).lognormal(0.0, 4.0, (50, count)).astype(np.float32)
    np.testing.assert_array_equal(place_of_least(jnp.asarray(costs)), costs.argmin(axis=-1))
    np.testing.assert_array_equal(jax.vmap(place_of_least)(jnp.asarray(costs)), costs.argmin(axis=-1))


def test_the_value_is_that_at_the_place_of_the_least() -> None:
    costs, values = np.random.default_rng(0).lognormal(0.0, 4.0, (2, 50, 15)).astype(np.float32)
    found = jax.vmap(value_at_least)(jnp.asarray(costs), jnp.asarray(values))
    np.testing.assert_array_equal(found, values[np.arange(50), costs.argmin(axis=-1)])


def test_of_equals_it_is_the_first() -> None:
    assert int(place_of_least(jnp.asarray([3.0, 0.0, 2.0, 0.0]))) == 1
    assert int(place_of_least(jnp.full(5, jnp.inf))) == 0
    assert float(value_at_least(jnp.zeros(3), jnp.asarray([5.0, 6.0, 7.0]))) == 5.0


def test_costs_that_differ_by_less_than_a_few_millionths_count_as_equal() -> None:
    nearly = np.array([1.0 + 2e-6, *np.full(30, 2.0), 1.0], np.float32)
    assert int(place_of_least(jnp.asarray(nearly))) == 0
    apart = np.array([1.0 + 8e-6, *np.full(30, 2.0), 1.0], np.float32)
    assert int(place_of_least(jnp.asarray(apart))) == 31
