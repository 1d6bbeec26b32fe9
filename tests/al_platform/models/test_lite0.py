import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.models.lite0 import (
    lite0_cells,
    lite0_features,
    lite0_logits,
    normalised,
    shifted_views,
    space_to_depth,
)
from al_platform.models.lite0_weights import pretrained_lite0


def noise(batch: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


@pytest.mark.real_data
@pytest.mark.parametrize("form", ["shifts", "library"])
def test_it_reproduces_the_original_network(real_data, form):
    reference = np.load(real_data / "backbone" / "reference_io.npz")
    weights, pixels = pretrained_lite0().weights, normalised(reference["image_uint8"][None])
    np.testing.assert_allclose(pixels, reference["input_nhwc"], atol=1e-7)
    with jax.default_matmul_precision("highest"):
        logits = jax.jit(partial(lite0_logits, form=form))(weights, pixels)
        features = jax.jit(partial(lite0_features, form=form))(weights, pixels)
    scale = np.abs(reference["logits"]).max()
    np.testing.assert_allclose(logits, reference["logits"], atol=1e-5 * scale, rtol=0.0)
    for found, name in zip(features, ("block4", "block10", "block15"), strict=True):
        np.testing.assert_allclose(found, reference[name], atol=1e-3, rtol=0.0)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (90, 75)])
def test_both_forms_give_the_same_features_also_where_the_size_is_odd(height, width):
    weights, pixels = pretrained_lite0().weights, normalised(noise(1, height, width))
    shifts, library = (jax.jit(partial(lite0_features, form=form))(weights, pixels) for form in ("shifts", "library"))
    for stride, one, other in zip((8, 16, 32), shifts, library, strict=True):
        assert one.shape[1:3] == (-(-height // stride), -(-width // stride))
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_cells_hold_three_scales_over_the_same_place():
    weights, images = pretrained_lite0().weights, noise(6, 64, 96)
    cells = jax.jit(lite0_cells)(weights, images)
    fine, middle, coarse = jax.jit(lite0_features)(weights, normalised(images))
    assert cells.shape == (6, 4, 6, 592)
    np.testing.assert_allclose(cells[:, 3, 5, :40], fine[:, 6, 10], atol=1e-3)
    np.testing.assert_allclose(cells[:, 3, 5, 120:160], fine[:, 7, 11], atol=1e-3)
    np.testing.assert_allclose(cells[..., 160:272], middle, atol=1e-3)
    np.testing.assert_allclose(cells[:, 3, 5, 272:], coarse[:, 1, 2], atol=1e-3)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(6, 8), (7, 5)])
def test_shifted_views_are_the_taps_of_a_same_convolution(kernel, stride, height, width):
    rng = np.random.default_rng(0)
    x, taps = rng.standard_normal((2, height, width, 4)), rng.standard_normal((kernel, kernel, 4, 3))
    views = jnp.stack(shifted_views(jnp.asarray(x, jnp.float32), kernel, stride))
    found = jnp.einsum("tbhwc,tco->bhwo", views, taps.reshape(-1, 4, 3))
    expected = jax.lax.conv_general_dilated(
        jnp.asarray(x, jnp.float32),
        jnp.asarray(taps, jnp.float32),
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_space_to_depth_keeps_every_number_in_row_order():
    x = jnp.arange(2 * 4 * 4, dtype=jnp.float32).reshape(1, 4, 4, 2)
    found = space_to_depth(x)
    np.testing.assert_array_equal(found[0, 1, 0], x[0, 2:4, 0:2].reshape(-1))


def test_weights_are_a_pytree_of_float32():
    leaves = jax.tree.leaves(pretrained_lite0().weights)
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    assert sum(leaf.size for leaf in leaves) == 4_631_000
    assert dataclasses.is_dataclass(pretrained_lite0().weights)
