"""Family "unet": a small U-Net of one lateral step, trained from scratch on decoded images.

Axes: M members, B batch, K classes, H x W cells, h x w pixels, C channels. A strided convolution per factor
of two leads down to the cells, one more to twice their size for context, and back up by addition. No batch
norm. About 240 thousand parameters for cells of 8 pixels.

Source: Ronneberger et al. 2015 (the shape); Lin et al. 2017, section 3 (upsample, add, convolve).
"""

import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from al_platform.domain.hashing import hash_record
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput
from al_platform.models.base import Encoder, ImageBatch, ModelFamily, Parameters
from al_platform.models.convolutions import convolve
from al_platform.models.initial import he_normal, rare_bias
from al_platform.models.lite0 import Form, normalised

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
    """Logits whose gradient is fast: on a CPU matrix products, one member after the other."""
    if jax.default_backend() == "cpu":
        stacked: Array = jax.lax.map(lambda member: _logits(spec, member, inputs, "shifts"), parameters)
        return stacked
    return jax.vmap(lambda member: _logits(spec, member, inputs, "library"))(parameters)


def score_logits(spec: ModelSpec, parameters: Parameters, inputs: UInt8[Array, "B h w 3"]) -> Float[Array, "M B K H W"]:
    """The same logits by the library's convolutions, members unrolled: `vmap` would group their channels."""
    return jnp.stack([_logits(spec, member, inputs, "library") for member in _members(parameters)])


def embed(spec: ModelSpec, parameters: Parameters, inputs: UInt8[Array, "B h w 3"]) -> Float[Array, "B D"]:
    """The coarsest features of every member, averaged over the image, side by side: D = 96 M."""
    members = [_context(spec, member, inputs, "library")[1] for member in _members(parameters)]
    return jnp.concatenate([jnp.mean(context, axis=(1, 2)) for context in members], axis=-1)


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


def _members(parameters: Parameters) -> list[Parameters]:
    count = jax.tree.leaves(parameters)[0].shape[0]
    return [jax.tree.map(lambda leaf, member=member: leaf[member], parameters) for member in range(count)]


def _context(spec: ModelSpec, member: Parameters, images: Array, form: Form) -> tuple[Array, Array]:
    """Features [B, H, W, C] per cell and [B, ceil(H / 2), ceil(W / 2), 96] per two by two cells."""
    x = normalised(images)
    for step in range(_steps_down(spec)):
        x = jax.nn.relu(_layer(x, member[f"down{step}"], form, stride=2))
    cells = jax.nn.relu(x + _layer(x, member["cells"], form))
    context = jax.nn.relu(_layer(cells, member["context_down"], form, stride=2))
    return cells, jax.nn.relu(context + _layer(context, member["context"], form))


def _logits(spec: ModelSpec, member: Parameters, images: Array, form: Form) -> Array:
    """One member's logits [B, K, H, W]."""
    cells, context = _context(spec, member, images, form)
    rows, columns = cells.shape[1:3]
    repeated = jnp.repeat(jnp.repeat(_layer(context, member["up"], form), 2, axis=1), 2, axis=2)
    merged = jax.nn.relu(cells + repeated[:, :rows, :columns])
    merged = jax.nn.relu(merged + _layer(merged, member["merge"], form))
    return _layer(merged, member["out"], form).transpose(0, 3, 1, 2)


def _layer(x: Array, layer: Parameters, form: Form, *, stride: int = 1) -> Array:
    product: Array = convolve(x, layer["kernel"], stride=stride, form=form) + layer["bias"]
    return product
