"""Claims about exp(x) - 1, log(1 + x) and log(x)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from acquisition.exponentials import exp_and_expm1, log, log1p


def exp(x: jax.Array) -> jax.Array:
    return exp_and_expm1(x)[0]


def expm1(x: jax.Array) -> jax.Array:
    return exp_and_expm1(x)[1]


SMALL = np.logspace(-30, 0, 5_000)
ARGUMENTS = {
    "exp": np.linspace(-70, 87, 200_001),
    "expm1": np.concatenate([np.linspace(-70, 87, 200_001), np.linspace(-1, 1, 100_001), SMALL, -SMALL]),
    "log": np.concatenate(
        [np.linspace(1e-6, 90, 200_001), np.linspace(0.9, 1.1, 20_001), np.logspace(-37, 37, 10_000)]
    ),
    "log1p": np.concatenate([np.linspace(-1 + 1e-6, 90, 200_001), np.logspace(0, 37, 10_000), SMALL, -SMALL[:-1]]),
}
FUNCTIONS = {"exp": (exp, np.exp), "expm1": (expm1, np.expm1), "log": (log, np.log), "log1p": (log1p, np.log1p)}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_is_its_definition_in_float64_to_a_few_roundings_also_near_zero(name: str, compiled: bool) -> None:
    ours, reference = FUNCTIONS[name]
    x = ARGUMENTS[name].astype(np.float32)
    values = (jax.jit(ours) if compiled else ours)(jnp.asarray(x))
    np.testing.assert_allclose(np.asarray(values), reference(x.astype(np.float64)), rtol=3e-7, atol=0)


@pytest.mark.parametrize("ours", [expm1, log1p])
def test_zero_gives_exactly_zero_and_nan_stays(ours: Callable[[jax.Array], jax.Array]) -> None:
    assert float(ours(jnp.float32(0.0))) == 0.0
    assert np.isnan(float(ours(jnp.float32(np.nan))))


@pytest.mark.parametrize("x", [-1.0, np.float32(-1.0) - np.float32(1.2e-7)])
def test_the_logarithm_of_nothing_is_finite_so_that_nothing_times_it_is_nothing(x: float) -> None:
    assert float(log1p(jnp.float32(x))) == float(log(jnp.float32(0.0))) == pytest.approx(-87.3365, rel=1e-6)


def test_the_slopes_are_those_of_the_definitions() -> None:
    x = jnp.asarray([-0.9, -0.2, 0.0, 0.3, 5.0], jnp.float32)
    np.testing.assert_allclose(jax.vmap(jax.grad(expm1))(x), np.exp(np.asarray(x)), rtol=3e-6)
    np.testing.assert_allclose(jax.vmap(jax.grad(log1p))(x), 1 / (1 + np.asarray(x)), rtol=3e-6)
    np.testing.assert_allclose(jax.vmap(jax.grad(log))(1 + x), 1 / (1 + np.asarray(x)), rtol=3e-6)
