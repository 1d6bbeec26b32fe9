"""Claims about phi(x) = (1 + x) log(1 + x) - x."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from acquisition.phi import phi


def reference(excess: np.ndarray) -> np.ndarray:
    """The definition in float64, and its series where float64 would cancel."""
    x = excess.astype(np.float64)
    small = np.abs(x) < 1e-2
    series = x**2 * (1 / 2 - x / 6 + x**2 / 12 - x**3 / 20 + x**4 / 30 - x**5 / 42 + x**6 / 56)
    ratio = np.where(small, 1.0, 1.0 + x)
    return np.where(small, series, ratio * np.log(ratio) - x)


def everywhere() -> np.ndarray:
    small = np.logspace(-15, -1, 2_000)
    return np.concatenate([np.linspace(-1 + 1e-6, 63, 200_001), small, -small]).astype(np.float32)


def test_phi_is_the_definition_to_a_relative_millionth() -> None:
    excess = everywhere()
    np.testing.assert_allclose(np.asarray(phi(jnp.asarray(excess))), reference(excess), rtol=1e-6, atol=0)


def test_phi_is_never_negative_and_zero_only_at_zero() -> None:
    assert float(np.asarray(phi(jnp.asarray(everywhere()))).min()) > 0
    assert float(phi(jnp.float32(0.0))) == 0


@pytest.mark.parametrize("excess", [-1.0, np.float32(-1.0) - np.float32(1.2e-7)])
def test_a_member_that_rules_the_answer_out_counts_one_also_after_rounding(excess: float) -> None:
    assert float(phi(jnp.float32(excess))) == 1.0


def test_phi_of_nan_is_nan() -> None:
    assert np.isnan(float(phi(jnp.float32(np.nan))))


def test_phi_rises_by_the_logarithm_of_its_ratio() -> None:
    excess = jnp.asarray([-0.9, -0.2, 0.0, 0.3, 5.0], jnp.float32)
    slope = jax.vmap(jax.grad(phi))(excess)
    np.testing.assert_allclose(slope, np.log1p(np.asarray(excess)), atol=2e-6)
