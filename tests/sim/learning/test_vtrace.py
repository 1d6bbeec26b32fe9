import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.learning.losses import discounted_returns
from sim.learning.vtrace import vtrace

STEPS = 9


def sequence(seed: int, *, off_policy: bool) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        "log_rho_tm1": generator.normal(0.0, 0.7, STEPS) * off_policy,
        "v_tm1": generator.normal(0.0, 3.0, STEPS),
        "v_t": generator.normal(0.0, 3.0, STEPS),
        "r_t": generator.normal(0.0, 1.0, STEPS),
        "discount_t": np.where(generator.uniform(size=STEPS) < 0.2, 0.0, 0.97),
    }


def by_definition(
    given: dict[str, np.ndarray], most_rho: float, most_c: float, trace: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """The sum of Espeholt et al. 2018, Eq. 1, term by term in float64."""
    rho = np.minimum(most_rho, np.exp(given["log_rho_tm1"]))
    c = trace * np.minimum(most_c, np.exp(given["log_rho_tm1"]))
    v, v_next, r, discount = (given[name] for name in ("v_tm1", "v_t", "r_t", "discount_t"))
    targets = np.zeros(STEPS)
    for start in range(STEPS):
        total, factor = v[start], 1.0
        for step in range(start, STEPS):
            total += factor * rho[step] * (r[step] + discount[step] * v_next[step] - v[step])
            factor *= discount[step] * c[step]
            if factor == 0.0:
                break
        targets[start] = total
    # Behind a step comes the target of the next state where that is the same state, corrected by how they differ.
    excess = trace * np.append(targets[1:] - v[1:], 0.0)
    return targets, rho * (r + discount * (v_next + excess) - v)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), most_rho=st.floats(0.5, 2.0), most_c=st.floats(0.5, 1.5), trace=st.floats(0.0, 1.0))
def test_targets_are_those_of_the_definition(seed: int, most_rho: float, most_c: float, trace: float) -> None:
    steps = sequence(seed, off_policy=True)
    exact = by_definition(steps, most_rho, most_c, trace)
    arrays = {name: jnp.asarray(values, jnp.float32) for name, values in steps.items()}
    found = vtrace(**arrays, most_rho=most_rho, most_c=most_c, trace=trace)
    np.testing.assert_allclose(found.value, exact[0], rtol=2e-5, atol=2e-4)
    np.testing.assert_allclose(found.advantage, exact[1], rtol=2e-5, atol=2e-4)


def test_on_its_own_policy_the_target_is_the_return() -> None:
    steps = sequence(3, off_policy=False)
    steps["v_t"][:-1] = steps["v_tm1"][1:]
    arrays = {name: jnp.asarray(values, jnp.float32) for name, values in steps.items()}
    returns = discounted_returns(arrays["r_t"], arrays["discount_t"], arrays["v_t"][-1])
    np.testing.assert_allclose(vtrace(**arrays).value, returns, rtol=1e-5, atol=1e-5)


def test_what_comes_behind_the_end_of_an_episode_changes_nothing_before_it() -> None:
    arrays = {name: jnp.asarray(values, jnp.float32) for name, values in sequence(5, off_policy=True).items()}
    arrays["discount_t"] = arrays["discount_t"].at[4].set(0.0)
    other = {**arrays, "r_t": arrays["r_t"].at[5:].add(7.0), "v_t": arrays["v_t"].at[4:].add(3.0)}
    first, second = vtrace(**arrays), vtrace(**other)
    np.testing.assert_array_equal(first.value[:5], second.value[:5])
    np.testing.assert_array_equal(first.advantage[:5], second.advantage[:5])


def test_no_gradient_flows_through_the_targets() -> None:
    arrays = {name: jnp.asarray(values, jnp.float32) for name, values in sequence(2, off_policy=True).items()}

    def total(v_tm1: jax.Array) -> jax.Array:
        found = vtrace(**{**arrays, "v_tm1": v_tm1})
        return found.value.sum() + found.advantage.sum()

    assert float(jnp.abs(jax.grad(total)(arrays["v_tm1"])).max()) == 0.0


def test_returns_add_up_by_hand() -> None:
    found = discounted_returns(jnp.array([1.0, 2.0, 4.0]), jnp.array([0.5, 0.5, 0.5]), jnp.float32(8.0))
    assert found.tolist() == pytest.approx([4.0, 6.0, 8.0])


def test_on_its_own_policy_the_advantages_are_the_generalised_ones() -> None:
    steps = sequence(4, off_policy=False)
    steps["v_t"][:-1] = steps["v_tm1"][1:]
    delta = steps["r_t"] + steps["discount_t"] * steps["v_t"] - steps["v_tm1"]
    expected, later = np.zeros(STEPS), 0.0
    for step in reversed(range(STEPS)):  # Schulman et al. 2016, Eq. 16
        later = expected[step] = delta[step] + 0.9 * steps["discount_t"][step] * later
    arrays = {name: jnp.asarray(values, jnp.float32) for name, values in steps.items()}
    np.testing.assert_allclose(vtrace(**arrays, trace=0.9).advantage, expected, rtol=1e-5, atol=1e-5)
