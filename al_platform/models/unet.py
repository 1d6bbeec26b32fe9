"""Family "unet": a small U-Net of one lateral step, trained from scratch on decoded images.

Axes: M members, B batch, K classes, H x W cells, h x w pixels, C channels. A strided convolution per factor
of two leads down to the cells, one more to twice their size for context, and back up by addition. No batch
norm. About 240 thousand parameters for cells of 8 pixels.

Source: Ronneberger et al. 2015 (the shape); Lin et al. 2017, section 3 (upsample, add, convolve).
"""

import math
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from al_platform.domain.hashing import hash_record
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput
from al_platform.models.base import Encoder, ImageBatch, ModelFamily, Parameters
from al_platform.models.convolutions import Gradient, columns, convolve
from al_platform.models.initial import he_normal, rare_bias
from al_platform.models.lite0 import normalised

NAME = "unet"
WIDTHS = (16, 32, 64)
"""Channels after each step down; the last one repeats."""

CONTEXT_WIDTH = 96
CODE_VERSION = 1
"""Raised whenever the same image would give another record."""


def fit_encoder(spec: ModelSpec, images: Iterator[ImageBatch]) -> bytes:
    """Nothing is fitted: the record of a frame is its pixels."""
    del images
    _require_fitting_grid(spec.grid)
    return b""


def load_encoder(spec: ModelSpec, content: bytes) -> Encoder:
    """Decoded images uint8 [h, w, 3] as they are; the network normalises them itself.

    Raises: InvalidInput where the grid does not fit, or for the bytes of another family's encoder.
    """
    _require_fitting_grid(spec.grid)
    if content:
        raise InvalidInput(f"encoder of {len(content)} bytes: {NAME} fits none; load the one fitted for it")
    size = (spec.grid.image_height, spec.grid.image_width)
    return Encoder(
        key=hash_record({"family": NAME, "code_version": CODE_VERSION, "image": size}),
        shape=(*size, 3),
        dtype=np.dtype(np.uint8),
        encode=lambda images: images,
        keeps_pixels=True,
    )


def init(spec: ModelSpec, key: Key[Array, ""]) -> Parameters:
    """One member, whose first answer is "rare" for every class."""
    _require_fitting_grid(spec.grid)
    shapes = _kernel_shapes(spec)
    keys = jax.random.split(key, len(shapes))
    layers = {
        name: {"kernel": he_normal(layer_key, shape), "bias": jnp.zeros(shape[-1])}
        for layer_key, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    return {**layers, "out": {**layers["out"], "bias": rare_bias(len(spec.classes))}}


def train_logits(spec: ModelSpec, parameters: Parameters, inputs: UInt8[Array, "B h w 3"]) -> Float[Array, "M B K H W"]:
    """Logits whose gradient is fast: on a CPU one member after the other."""
    if jax.default_backend() == "cpu":
        return _member_after_member(lambda member, stem: _logits(spec, member, stem, "products"), parameters, inputs)
    stem = _stem_columns(inputs)
    return jax.vmap(lambda member: _logits(spec, member, stem, "library"))(parameters)


def score_logits(spec: ModelSpec, parameters: Parameters, inputs: UInt8[Array, "B h w 3"]) -> Float[Array, "M B K H W"]:
    """The same logits; never by `vmap`, which would make of the members' convolutions a grouped one."""
    return _member_after_member(lambda member, stem: _logits(spec, member, stem, "library"), parameters, inputs)


def embed(spec: ModelSpec, parameters: Parameters, inputs: UInt8[Array, "B h w 3"]) -> Float[Array, "B D"]:
    """The coarsest features of every member, averaged over the image, side by side: D = 96 M."""

    def mean_context(member: Parameters, stem: Array) -> Array:
        return jnp.mean(_context(spec, member, stem, "library")[1], axis=(1, 2))

    means_MBC = _member_after_member(mean_context, parameters, inputs)
    return means_MBC.swapaxes(0, 1).reshape(len(inputs), -1)


UNET = ModelFamily(
    name=NAME,
    fit_encoder=fit_encoder,
    load_encoder=load_encoder,
    init=init,
    train_logits=train_logits,
    score_logits=score_logits,
    embed=embed,
    training=TrainingSpec(steps=600, batch_frames=16, learning_rate=3e-3, weight_decay=1e-3, evaluate_every=50),
    members_apart=True,
    embeds_with_weights=True,
)


def _require_fitting_grid(grid: GridSpec) -> None:
    if grid.cell < 2 or grid.cell & (grid.cell - 1):
        raise InvalidInput(f"cell {grid.cell}: {NAME} needs a power of two, for example 8 or 16")


def _steps_down(spec: ModelSpec) -> int:
    return int(math.log2(spec.grid.cell))


def _kernel_shapes(spec: ModelSpec) -> dict[str, tuple[int, int, int, int]]:
    widths = [WIDTHS[min(step, len(WIDTHS) - 1)] for step in range(_steps_down(spec))]
    last = widths[-1]
    down = {
        f"down{step}": (3, 3, inputs, outputs)
        for step, (inputs, outputs) in enumerate(zip([3, *widths[:-1]], widths, strict=True))
    }
    return {
        **down,
        "cells": (3, 3, last, last),
        "context_down": (3, 3, last, CONTEXT_WIDTH),
        "context": (3, 3, CONTEXT_WIDTH, CONTEXT_WIDTH),
        "up": (1, 1, CONTEXT_WIDTH, last),
        "merge": (3, 3, last, last),
        "out": (1, 1, last, len(spec.classes)),
    }


def _member_after_member(
    of_member: Callable[[Parameters, Array], Array], parameters: Parameters, images: Array
) -> Float[Array, "M ..."]:
    """Give of_member(member, stem) of every member; the stem is made once for them all.

    A loop on a CPU, so that what a member leaves in the cache is what it reads next; else unrolled.
    """
    stem = _stem_columns(images)
    if jax.default_backend() == "cpu":
        stacked: Array = jax.lax.map(lambda member: of_member(member, stem), parameters)
        return stacked
    return jnp.stack([of_member(member, stem) for member in _members(parameters)])


def _members(parameters: Parameters) -> list[Parameters]:
    count = jax.tree.leaves(parameters)[0].shape[0]
    return [jax.tree.map(lambda leaf, member=member: leaf[member], parameters) for member in range(count)]


def _stem_columns(images: UInt8[Array, "B h w 3"]) -> Float[Array, "B H2 W2 27"]:
    """What the first convolution multiplies: with three channels, laying it out costs as much as the product."""
    return columns(normalised(images), stride=2)


def _context(spec: ModelSpec, member: Parameters, stem: Array, gradient: Gradient) -> tuple[Array, Array]:
    """Features [B, H, W, C] per cell and [B, ceil(H / 2), ceil(W / 2), 96] per two by two cells."""
    first = member["down0"]
    x = jax.nn.relu(stem @ first["kernel"].reshape(stem.shape[-1], -1) + first["bias"])
    for step in range(1, _steps_down(spec)):
        x = jax.nn.relu(_layer(x, member[f"down{step}"], gradient, stride=2))
    cells = jax.nn.relu(x + _layer(x, member["cells"], gradient))
    context = jax.nn.relu(_layer(cells, member["context_down"], gradient, stride=2))
    return cells, jax.nn.relu(context + _layer(context, member["context"], gradient))


def _logits(spec: ModelSpec, member: Parameters, stem: Array, gradient: Gradient) -> Array:
    """One member's logits [B, K, H, W]."""
    cells, context = _context(spec, member, stem, gradient)
    rows, columns_out = cells.shape[1:3]
    repeated = jnp.repeat(jnp.repeat(_mix(context, member["up"]), 2, axis=1), 2, axis=2)
    merged = jax.nn.relu(cells + repeated[:, :rows, :columns_out])
    merged = jax.nn.relu(merged + _layer(merged, member["merge"], gradient))
    return _mix(merged, member["out"]).transpose(0, 3, 1, 2)


def _layer(x: Array, layer: Parameters, gradient: Gradient, *, stride: int = 1) -> Array:
    convolved: Array = convolve(x, layer["kernel"], stride=stride, gradient=gradient) + layer["bias"]
    return convolved


def _mix(x: Array, layer: Parameters) -> Array:
    """A 1x1 convolution."""
    mixed: Array = x @ layer["kernel"][0, 0] + layer["bias"]
    return mixed
