"""Claims about whitening."""

import numpy as np
import pytest

from acquisition.whitening import fit_whitening


def pool(count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(2)
    return (rng.normal(size=(count, 5)) @ rng.normal(size=(5, 5)) * 30 + 7).astype(np.float32)


def test_the_pool_it_was_fitted_on_has_no_mean_and_unit_covariance() -> None:
    white = fit_whitening(pool()).apply(pool())
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(5), atol=1e-4)


def test_the_scale_of_a_direction_does_not_change_whitened_distances() -> None:
    stretched = pool() * np.array([1, 10, 0.1, 3, 7], np.float32)
    one, other = (fit_whitening(x).apply(x) for x in (pool(), stretched))
    distances = [np.square(w[:50, None] - w[None, :50]).sum(axis=2) for w in (one, other)]
    np.testing.assert_allclose(distances[0], distances[1], rtol=1e-3, atol=1e-3)


def test_directions_without_variation_are_dropped() -> None:
    flat = np.concatenate([pool(), pool()[:, :1] * 2, np.full((400, 1), 3, np.float32)], axis=1)
    assert fit_whitening(flat).transform.shape == (7, 5)


def test_only_the_strongest_dimensions_are_kept_when_asked() -> None:
    full, two = fit_whitening(pool()), fit_whitening(pool(), dimensions=2)
    np.testing.assert_array_equal(full.apply(pool())[:, :2], two.apply(pool()))


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.ones((1, 3)), "at least 2"),
        (np.ones((5, 3)), "all alike"),
        (np.array([[1.0], [np.nan]]), "not finite"),
    ],
)
def test_pools_that_define_no_scale_are_refused(embeddings: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_whitening(embeddings)


def test_no_dimension_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="dimensions 0"):
        fit_whitening(pool(), dimensions=0)
