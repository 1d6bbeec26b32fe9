import io

import numpy as np
import pytest

from al_platform.errors import InvalidInput
from al_platform.models.projection import (
    Projection,
    fit_projection,
    projection_from_bytes,
    projection_to_bytes,
)


def correlated(rows: int = 4000, features: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((features, features)) * np.geomspace(1.0, 0.3, features)
    return (rng.standard_normal((rows, features)) @ mixing + 5.0).astype(np.float32)


def projected(projection: Projection, rows: np.ndarray) -> np.ndarray:
    return (rows - projection.mean) / projection.scale @ projection.components


def test_components_are_uncorrelated_and_of_unit_variance_on_the_sample():
    rows = correlated()
    found = projected(fit_projection(iter([rows]), 6), rows)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(np.cov(found, rowvar=False), np.eye(6), atol=1e-3)


def test_components_span_what_the_singular_values_say():
    rows = correlated()
    standardised = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    _, _, right = np.linalg.svd(standardised.astype(np.float64), full_matrices=False)
    components = fit_projection(iter([rows]), 4).components.astype(np.float64)
    directions = components / np.linalg.norm(components, axis=0)
    np.testing.assert_allclose(np.abs(np.diag(right[:4] @ directions)), 1.0, atol=1e-4)


def test_how_the_sample_is_cut_into_batches_changes_nothing():
    rows = correlated()
    whole = fit_projection(iter([rows]), 6)
    cut = fit_projection(iter([rows[:17], rows[17:2000], rows[2000:]]), 6)
    np.testing.assert_allclose(whole.components, cut.components, atol=1e-4)


def test_a_feature_that_never_changes_gives_finite_components():
    rows = correlated()
    rows[:, 3] = 2.0
    projection = fit_projection(iter([rows]), 12)
    assert np.isfinite(projected(projection, rows)).all()
    assert projection.scale[3] == 1.0


def test_bytes_are_equal_for_equal_projections_and_hold_plain_arrays():
    projection = fit_projection(iter([correlated()]), 5)
    content = projection_to_bytes(projection)
    again = projection_from_bytes(content)
    assert content == projection_to_bytes(again)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["components", "mean", "scale"]
    np.testing.assert_array_equal(again.components, projection.components)


@pytest.mark.parametrize(("rows", "components"), [(8, 8), (100, 13)])
def test_more_components_than_the_sample_carries_are_refused(rows, components):
    with pytest.raises(InvalidInput, match=f"projection {components}"):
        fit_projection(iter([correlated(rows)]), components)


def test_no_sample_is_refused():
    with pytest.raises(InvalidInput, match="no images"):
        fit_projection(iter([]), 2)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_other_bytes_are_refused(content):
    with pytest.raises(InvalidInput, match="not a projection"):
        projection_from_bytes(content)
