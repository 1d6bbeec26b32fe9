"""The forward pass of EfficientNet-Lite0 as pure functions, in the form that is fast where it runs.

Axes: B batch, H x W cells or pixels, C channels. On XLA:CPU a depthwise convolution as shifted multiply-adds
and a 1x1 convolution as a matrix product are about ten times the library path; on a GPU the library is right.
"""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8
from numpy.typing import NDArray

from al_platform.models.batches import in_groups
from al_platform.models.lite0_weights import BLOCK_STRIDES, Block, Convolution, Lite0Weights

Form = Literal["shifts", "library"]

CPU_GROUP = 4
"""Images that go through the network together on a CPU: a larger group falls out of the cache."""

FEATURE_BLOCKS = (4, 10, 15)
FEATURE_WIDTH = 4 * 40 + 112 + 320
"""Numbers per 16-pixel cell: stride 8 as 2 x 2 blocks, stride 16, stride 32."""


class Features(NamedTuple):
    """What the network sees at three scales."""

    stride8: Float[Array, "B H8 W8 40"]
    stride16: Float[Array, "B H16 W16 112"]
    stride32: Float[Array, "B H32 W32 320"]


def best_form() -> Form:
    """The faster form on the default device."""
    return "shifts" if jax.default_backend() == "cpu" else "library"


def normalised(images: UInt8[Array | NDArray[Any], "B H W 3"]) -> Float[Array, "B H W 3"]:
    """RGB in 0..255 to about [-1, 1], as the weights were trained: (x - 127) / 128."""
    return (jnp.asarray(images).astype(jnp.float32) - 127.0) / 128.0


def lite0_features(weights: Lite0Weights, pixels: Float[Array, "B H W 3"], *, form: Form = "shifts") -> Features:
    """Outputs of blocks 4, 10 and 15 for normalised pixels: [B, ceil(H / 8), ceil(W / 8), 40] and so on."""
    outputs = _block_outputs(weights, pixels, form)
    return Features(*(outputs[block] for block in FEATURE_BLOCKS))


def lite0_logits(
    weights: Lite0Weights, pixels: Float[Array, "B H W 3"], *, form: Form = "shifts"
) -> Float[Array, "B 1000"]:
    """Logits of the ImageNet classes for normalised pixels."""
    last = _block_outputs(weights, pixels, form)[-1]
    pooled = jnp.mean(_relu6(_convolve(last, weights.head, 1, form)), axis=(1, 2))
    return pooled @ weights.classifier.kernel + weights.classifier.bias


def lite0_cells(
    weights: Lite0Weights, images: UInt8[Array | NDArray[Any], "B H W 3"], *, form: Form = "shifts"
) -> Float[Array, "B H16 W16 592"]:
    """Features of all three scales per 16-pixel cell; H and W are multiples of 32.

    The finer scale is laid side by side (space to depth), the coarser one repeated: nothing is averaged away.
    """
    if form == "library":
        return _cells(weights, images, form)
    return in_groups(lambda part: _cells(weights, part, form), images, at_most=CPU_GROUP)


def _cells(weights: Lite0Weights, images: Array | NDArray[Any], form: Form) -> Array:
    features = lite0_features(weights, normalised(images), form=form)
    fine = space_to_depth(features.stride8)
    coarse = jnp.repeat(jnp.repeat(features.stride32, 2, axis=1), 2, axis=2)
    return jnp.concatenate([fine, features.stride16, coarse], axis=-1)


def space_to_depth(x_BHWC: Float[Array, "B H W C"]) -> Float[Array, "B H//2 W//2 4*C"]:
    """Each 2 x 2 neighbourhood becomes one cell of four times the channels."""
    batch, height, width, channels = x_BHWC.shape
    split = x_BHWC.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 2, width // 2, 4 * channels)


def shifted_views(x_BHWC: Float[Array, "B H W C"], kernel: int, stride: int) -> list[Array]:
    """The inputs [B, H', W', C] under each tap of a `kernel` x `kernel` 'SAME' convolution, row by row."""
    (top, rows), (left, columns) = (_same_padding(size, kernel, stride) for size in x_BHWC.shape[1:3])
    bottom = max((rows - 1) * stride + kernel - x_BHWC.shape[1] - top, 0)
    right = max((columns - 1) * stride + kernel - x_BHWC.shape[2] - left, 0)
    padded = jnp.pad(x_BHWC, ((0, 0), (top, bottom), (left, right), (0, 0)))
    return [
        padded[:, y : y + (rows - 1) * stride + 1 : stride, x : x + (columns - 1) * stride + 1 : stride]
        for y in range(kernel)
        for x in range(kernel)
    ]


def library_convolution(
    x_BHWC: Float[Array, "B H W C"], kernel: Float[Array, "n n I O"], stride: int, *, groups: int = 1
) -> Float[Array, "B H2 W2 O"]:
    """XLA's own 'SAME' convolution; depthwise where there are as many groups as channels."""
    return jax.lax.conv_general_dilated(
        x_BHWC,
        kernel,
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(padding before, output size): the odd padding pixel goes after, as in TensorFlow."""
    outputs = -(-size // stride)
    return max((outputs - 1) * stride + kernel - size, 0) // 2, outputs


def _block_outputs(weights: Lite0Weights, pixels: Array, form: Form) -> list[Array]:
    x = _relu6(_convolve(pixels, weights.stem, 2, form))
    outputs = []
    for block, stride in zip(weights.blocks, BLOCK_STRIDES, strict=True):
        x = _inverted_residual(x, block, stride, form)
        outputs.append(x)
    return outputs


def _inverted_residual(x: Array, block: Block, stride: int, form: Form) -> Array:
    wide = x if block.expand is None else _relu6(_convolve(x, block.expand, 1, form))
    filtered = _relu6(_filter_channels(wide, block.depthwise, stride, form))
    narrow = _convolve(filtered, block.project, 1, form)
    return x + narrow if stride == 1 and x.shape == narrow.shape else narrow


def _convolve(x: Array, convolution: Convolution, stride: int, form: Form) -> Array:
    if form == "library":
        return library_convolution(x, convolution.kernel, stride) + convolution.bias
    size, _, inputs, outputs = convolution.kernel.shape
    columns = x if size == 1 else jnp.concatenate(shifted_views(x, size, stride), axis=-1)
    return columns @ jnp.reshape(convolution.kernel, (size * size * inputs, outputs)) + convolution.bias


def _filter_channels(x: Array, convolution: Convolution, stride: int, form: Form) -> Array:
    size, _, channels = convolution.kernel.shape
    if form == "library":
        kernel = jnp.reshape(convolution.kernel, (size, size, 1, channels))
        return library_convolution(x, kernel, stride, groups=channels) + convolution.bias
    taps = jnp.reshape(convolution.kernel, (size * size, channels))
    total: Array = convolution.bias
    for index, view in enumerate(shifted_views(x, size, stride)):
        total = total + view * taps[index]
    return total


def _relu6(x: Array) -> Array:
    return jnp.clip(x, 0.0, 6.0)
