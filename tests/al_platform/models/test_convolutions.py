import jax
import numpy as np
import pytest

from al_platform.models.convolutions import columns, convolve

SIZES = [(7, 6), (6, 7), (8, 8), (1, 2), (2, 1)]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_written_out_gradient_is_that_of_the_library(stride, height, width):
    x, kernel = case(height, width)
    weight = jax.random.normal(jax.random.key(2), (2, -(-height // stride), -(-width // stride), 5))

    def loss(x, kernel, gradient):
        return (weight * convolve(x, kernel, stride=stride, gradient=gradient) ** 2).sum()

    slopes = jax.jit(jax.grad(loss, (0, 1)), static_argnums=2)
    found, expected = (slopes(x, kernel, gradient) for gradient in ("products", "library"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_convolution_is_the_product_of_its_columns_and_its_kernel(stride, height, width):
    x, kernel = case(height, width)
    product = columns(x, stride=stride) @ kernel.reshape(36, 5)
    np.testing.assert_allclose(product, convolve(x, kernel, stride=stride, gradient="library"), atol=1e-4, rtol=1e-4)


def case(height: int, width: int) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0))
    return jax.random.normal(keys[0], (2, height, width, 4)), jax.random.normal(keys[1], (3, 3, 4, 5))
