"""3x3 convolutions whose gradient is fast where it runs; the forward pass is the library's everywhere.

Axes: B batch, H x W pixels, C channels in, O channels out. On XLA:CPU the library's forward pass is fast, but its
gradient inside `lax.scan` is not, by tens of times: there the gradient by the kernel is one matrix product, and the
gradient by the input a forward convolution with another kernel.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from al_platform.models.lite0 import library_convolution, shifted_views

Gradient = Literal["products", "library"]
"""Written out for a CPU, or derived by the library."""

_SIZE = 3


def convolve(
    x_BHWC: Float[Array, "B H W C"], kernel: Float[Array, "3 3 C O"], *, stride: int, gradient: Gradient
) -> Float[Array, "B H2 W2 O"]:
    """'SAME' convolution of stride 1 or 2, H2 = ceil(H / stride); the two gradients are equal to rounding."""
    if gradient == "library":
        return library_convolution(x_BHWC, kernel, stride)
    convolved: Array = _with_products(x_BHWC, kernel, stride)
    return convolved


def columns(x_BHWC: Float[Array, "B H W C"], *, stride: int) -> Float[Array, "B H2 W2 9*C"]:
    """Each output pixel's 3x3 neighbourhood side by side (im2col): times the kernel, this is the convolution."""
    return jnp.concatenate(shifted_views(x_BHWC, _SIZE, stride), axis=-1)


def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    return library_convolution(x, kernel, stride)


_with_products = jax.custom_vjp(_convolve, nondiff_argnums=(2,))


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _convolve(x, kernel, stride), (x, kernel)


def _backward(stride: int, saved: tuple[Array, Array], slope_BHWO: Array) -> tuple[Array, Array]:
    x, kernel = saved
    pixels = (0, 1, 2)
    # contracted as it lies: written as a transpose and a product, the columns would be copied once more
    kernel_slope = jax.lax.dot_general(columns(x, stride=stride), slope_BHWO, ((pixels, pixels), ((), ())))
    by_input = _slope_by_pixel if stride == 1 else _slope_by_block
    return by_input(slope_BHWO, kernel, x.shape), kernel_slope.reshape(kernel.shape)


_with_products.defvjp(_forward, _backward)


def _slope_by_pixel(slope_BHWO: Array, kernel: Array, shape: tuple[int, ...]) -> Array:
    """At stride 1 the slope, convolved with the kernel turned round."""
    del shape
    return library_convolution(slope_BHWO, kernel[::-1, ::-1].swapaxes(2, 3), 1)


def _slope_by_block(slope_BHWO: Array, kernel: Array, shape: tuple[int, ...]) -> Array:
    """At stride 2 the same for each 2 x 2 block of pixels at once, as 4 C channels of half the resolution.

    A 3x3 kernel, with a row and a column of zeros, is a 2x2 kernel over blocks. The library's own way is to put zeros
    between the slopes and to multiply them all.
    """
    batch, rows, columns_out, outputs = slope_BHWO.shape
    _, height, width, channels = shape
    blocks = jnp.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0))).reshape(2, 2, 2, 2, channels, outputs)
    turned = blocks.transpose(0, 2, 5, 1, 3, 4).reshape(2, 2, outputs, 4 * channels)[::-1, ::-1]
    numbers = ("NHWC", "HWIO", "NHWC")
    padding = ((1, 0), (1, 0))
    slopes = jax.lax.conv_general_dilated(slope_BHWO, turned, (1, 1), padding, dimension_numbers=numbers)
    split = slopes.reshape(batch, rows, columns_out, 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    pixels = split.reshape(batch, 2 * rows, 2 * columns_out, channels)
    top, left = height % 2, width % 2  # 'SAME' pads an odd size on both sides, an even one only after
    return pixels[:, top : top + height, left : left + width]
