import jax
import numpy as np
import pytest

from al_platform.models.convolutions import convolve


@pytest.mark.parametrize("stride", [1, 2])
def test_the_written_out_gradient_is_that_of_the_library(stride):
    keys = jax.random.split(jax.random.key(0), 3)
    x, kernel = jax.random.normal(keys[0], (2, 7, 6, 4)), jax.random.normal(keys[1], (3, 3, 4, 5))
    weight = jax.random.normal(keys[2], (2, -(-7 // stride), -(-6 // stride), 5))

    def loss(x, kernel, form):
        return (weight * convolve(x, kernel, stride=stride, form=form) ** 2).sum()

    slopes = jax.jit(jax.grad(loss, (0, 1)), static_argnums=2)
    found, expected = (slopes(x, kernel, form) for form in ("shifts", "library"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3, rtol=1e-4)
