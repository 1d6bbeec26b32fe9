"""A family that is a logistic regression of each cell on its own features, and data for it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.models.base import Encoder, ImageBatch, ModelFamily, Parameters
from al_platform.training.frames import UNKNOWN, LabeledFrames

FEATURES = 3
GRID = GridSpec(image_height=16, image_width=24, cell=8)
SPEC = ModelSpec(
    classes=("person", "bicycle"),
    family="linear",
    members=3,
    grid=GRID,
    training=TrainingSpec(
        steps=60, batch_frames=8, learning_rate=0.1, weight_decay=1e-3, evaluate_every=10, validation_folds=4
    ),
)


def _fit_encoder(spec: ModelSpec, images: Iterator[ImageBatch]) -> bytes:
    return b""


def _load_encoder(spec: ModelSpec, content: bytes) -> Encoder:
    shape = (spec.grid.rows, spec.grid.columns, FEATURES)
    return Encoder("mean-colour", shape, np.dtype(np.float32), partial(_mean_colours, spec.grid))


def _mean_colours(grid: GridSpec, images: ImageBatch) -> NDArray[Any]:
    cells = images.reshape(len(images), grid.rows, grid.cell, grid.columns, grid.cell, 3)
    return np.asarray(cells.mean(axis=(2, 4), dtype=np.float32))


def _init(spec: ModelSpec, key: jax.Array) -> Parameters:
    weights = 0.1 * jax.random.normal(key, (FEATURES, len(spec.classes)))
    return {"weights": weights, "bias": jnp.zeros(len(spec.classes))}


def _logits(spec: ModelSpec, parameters: Parameters, inputs: jax.Array) -> jax.Array:
    logits_MBKHW = jnp.einsum("bhwf,mfk->mbkhw", inputs, parameters["weights"])
    return jnp.add(logits_MBKHW, parameters["bias"][:, None, :, None, None])


def _embed(spec: ModelSpec, parameters: Parameters, inputs: jax.Array) -> jax.Array:
    return inputs.mean(axis=(1, 2))


LINEAR = ModelFamily("linear", _fit_encoder, _load_encoder, _init, _logits, _logits, _embed, training=SPEC.training)


def labelled(count: int, *, seed: int = 0, noise: float = 0.0) -> LabeledFrames:
    """Frames whose classes follow the sign of two features, this share of the cells flipped, some unknown."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, GRID.rows, GRID.columns, FEATURES)).astype(np.float32)
    presence = (np.moveaxis(inputs[..., :2], -1, 1) > 0).astype(np.uint8)
    presence ^= (draw.random(presence.shape) < noise).astype(np.uint8)
    presence[draw.random(presence.shape) < 0.1] = UNKNOWN
    return LabeledFrames(inputs, presence, np.arange(count, dtype=np.int32) % 4)
