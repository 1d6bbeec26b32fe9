"""3x3 convolutions in two forms that give the same numbers; which is fast depends on where they run.

Axes: B batch, H x W pixels, C channels in, O channels out. On XLA:CPU the library's forward pass is fast, but
its gradient inside `lax.scan` is not, by tens of times: there, what is trained is a matrix product.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from al_platform.models.lite0 import Form, library_convolution, shifted_views


def convolve(
    x_BHWC: Float[Array, "B H W C"], kernel: Float[Array, "n n C O"], *, stride: int, form: Form
) -> Float[Array, "B H2 W2 O"]:
    """'SAME' convolution, H2 = ceil(H / stride); "shifts" is a product over shifted copies (im2col)."""
    if form == "library":
        return library_convolution(x_BHWC, kernel, stride)
    if kernel.shape[0] == 1:
        return x_BHWC @ kernel[0, 0]
    products: Array = _product_convolution(x_BHWC, kernel, stride)
    return products


def _product_convolution_plain(x: Array, kernel: Array, stride: int) -> Array:
    return _columns(x, kernel.shape[0], stride) @ kernel.reshape(-1, kernel.shape[-1])


_product_convolution = jax.custom_vjp(_product_convolution_plain, nondiff_argnums=(2,))
"""Its gradient is written out: left to itself it stores the columns and takes twice the time."""


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _product_convolution_plain(x, kernel, stride), (x, kernel)


def _backward(stride: int, saved: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    x, kernel = saved
    size, _, _, outputs = kernel.shape
    slope_NO = slope.reshape(-1, outputs)
    columns = _columns(x, size, stride)
    kernel_slope = columns.reshape(-1, columns.shape[-1]).T @ slope_NO
    taps = jnp.einsum("no,tco->tnc", slope_NO, kernel.reshape(size * size, -1, outputs))
    _, to_pixels = jax.vjp(lambda pixels: tuple(shifted_views(pixels, size, stride)), x)
    (x_slope,) = to_pixels(tuple(tap.reshape(*slope.shape[:3], -1) for tap in taps))
    return x_slope, kernel_slope.reshape(kernel.shape)


_product_convolution.defvjp(_forward, _backward)


def _columns(x: Array, size: int, stride: int) -> Array:
    return jnp.concatenate(shifted_views(x, size, stride), axis=-1)
