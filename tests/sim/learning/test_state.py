"""An update: what is not finite is not made, the rate warms up, the average follows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.learning.state import Learner, OptimiserSpec, begin, improved
from tests.sim.learning.scenes import parameters

AVERAGED = OptimiserSpec(learning_rate=0.1, warm_up=1, average_over=5)


def taught(learner: Learner, optimiser: OptimiserSpec, updates: int) -> list[Learner]:
    """The learner after each update of a loss that pulls every number to 3."""
    made = [learner]
    for _ in range(updates):
        made.append(improved(made[-1], lambda own: (((own["x"] - 3.0) ** 2).sum(), {}), optimiser)[0])
    return made[1:]


@pytest.mark.parametrize("average_over", [0, 5])
def test_an_update_that_is_not_finite_is_not_made(average_over: int) -> None:
    optimiser = OptimiserSpec(learning_rate=1e-3, average_over=average_over)
    before = begin(parameters(), optimiser)
    after, terms = improved(before, lambda made: (jnp.nan * jax.tree.leaves(made)[0].sum(), {}), optimiser)
    assert float(terms["finite"]) == 0.0
    for one, other in zip(jax.tree.leaves(after), jax.tree.leaves(before), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("decay_over", [0, 400])
def test_the_learning_rate_warms_up(decay_over: int) -> None:
    optimiser = OptimiserSpec(learning_rate=0.1, warm_up=10, decay_over=decay_over, most_gradient=1e9)
    first = begin({"x": jnp.ones(3)}, optimiser)
    after, _ = improved(first, lambda made: (made["x"].sum(), {}), optimiser)
    later = after
    for _ in range(12):
        later, _ = improved(later, lambda made: (made["x"].sum(), {}), optimiser)
    assert float(jnp.abs(after.parameters["x"] - first.parameters["x"]).max()) < 0.02
    assert float(jnp.abs(later.parameters["x"] - first.parameters["x"]).max()) > 0.3


def test_the_average_is_that_of_the_parameters_with_exponential_weights() -> None:
    made = taught(begin({"x": jnp.zeros(2)}, AVERAGED), AVERAGED, 12)
    expected = np.zeros(2, np.float64)
    for number, learner in enumerate(made, start=1):
        share = 1.0 / min(number, AVERAGED.average_over)
        expected += share * (np.asarray(learner.parameters["x"], np.float64) - expected)
    assert float(jnp.abs(made[-1].parameters["x"] - made[-1].learned["x"]).min()) > 0.1
    np.testing.assert_allclose(made[-1].learned["x"], expected, rtol=1e-6)


def test_of_few_updates_the_average_is_their_mean_and_nothing_of_what_it_began_with() -> None:
    made = taught(begin({"x": jnp.full(2, -7.0)}, AVERAGED), AVERAGED, 4)
    np.testing.assert_array_equal(made[0].learned["x"], made[0].parameters["x"])
    np.testing.assert_allclose(made[-1].learned["x"], np.mean([own.parameters["x"] for own in made], axis=0), rtol=1e-6)


def test_the_average_does_not_change_how_is_learned() -> None:
    plain = OptimiserSpec(learning_rate=0.1, warm_up=1)
    ends = [taught(begin({"x": jnp.zeros(2)}, spec), spec, 12)[-1] for spec in (plain, AVERAGED)]
    np.testing.assert_array_equal(ends[0].parameters["x"], ends[1].parameters["x"])
    assert ends[0].learned is ends[0].parameters


def test_nothing_of_a_learner_is_held_twice_so_that_it_can_be_given_away() -> None:
    leaves = jax.tree.leaves(begin({"x": jnp.zeros(2)}, AVERAGED))
    pointers = [leaf.unsafe_buffer_pointer() for leaf in leaves]
    assert len(set(pointers)) == len(pointers)
