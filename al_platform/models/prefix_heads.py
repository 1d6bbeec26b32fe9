"""Family "prefix-heads": a frozen pretrained prefix, cached once a frame, and small heads on top of it.

Axes: M members, B batch, K classes, H x W cells, D projected features, J hidden units.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float16, Key, Real
from numpy.typing import NDArray

from al_platform.domain.hashing import hash_bytes, hash_record
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput
from al_platform.models.base import Encoder, ImageBatch, ModelFamily, Parameters
from al_platform.models.batches import in_fixed_batches
from al_platform.models.initial import he_normal, rare_bias
from al_platform.models.lite0 import FEATURE_WIDTH, best_form, lite0_cells
from al_platform.models.lite0_weights import pretrained_lite0
from al_platform.models.projection import (
    Projection,
    fit_projection,
    projection_from_bytes,
    projection_to_bytes,
)

NAME = "prefix-heads"
CELL = 16
DEFAULT_PROJECTION = 128
DEFAULT_HIDDEN = 48
CODE_VERSION = 1
"""Raised whenever the same image would give another record."""

ENCODE_BATCH = 16


def fit_encoder(spec: ModelSpec, images: Iterator[ImageBatch]) -> bytes:
    """The projection of the prefix's 592 features per cell to `projection` components, as .npz bytes.

    Raises: InvalidInput where the grid does not fit the prefix or the sample is too small; MissingExtra where
        the pretrained weights are not installed.
    """
    _require_fitting_grid(spec.grid)
    features = _prefix_features()
    rows = (features(batch).reshape(-1, FEATURE_WIDTH) for batch in images)
    return projection_to_bytes(fit_projection(rows, _components(spec)))


def load_encoder(spec: ModelSpec, content: bytes) -> Encoder:
    """Images to float16 [H, W, D]: prefix features, standardised and projected; unit variance on the sample.

    Raises: as `fit_encoder`, and InvalidInput where the bytes hold another number of components.
    """
    _require_fitting_grid(spec.grid)
    projection = projection_from_bytes(content)
    width = projection.components.shape[1]
    if width != _components(spec):
        raise InvalidInput(
            f"encoder with {width} components: the specification asks for {_components(spec)}; fit it again"
        )
    return Encoder(
        key=_encoder_key(spec.grid, content),
        shape=(spec.grid.rows, spec.grid.columns, width),
        dtype=np.dtype(np.float16),
        encode=_projected_features(projection),
    )


def init(spec: ModelSpec, key: Key[Array, ""]) -> Parameters:
    """One member: a perceptron D -> J -> K per cell, whose first answer is "rare" for every class."""
    _require_fitting_grid(spec.grid)
    hidden, width = spec.options.get("hidden", DEFAULT_HIDDEN), _components(spec)
    key_hidden, key_out = jax.random.split(key)
    return {
        "hidden": {"kernel": he_normal(key_hidden, (width, hidden)), "bias": jnp.zeros(hidden)},
        "out": {
            "kernel": he_normal(key_out, (hidden, len(spec.classes))),
            "bias": rare_bias(len(spec.classes)),
        },
    }


def logits(spec: ModelSpec, parameters: Parameters, inputs: Real[Array, "B H W D"]) -> Float[Array, "M B K H W"]:
    """Logits of all members: each layer is one matrix product."""
    del spec
    kernel_MDJ, kernel_MJK = parameters["hidden"]["kernel"], parameters["out"]["kernel"]
    members, width, hidden = kernel_MDJ.shape
    cells_ND = inputs.astype(jnp.float32).reshape(-1, width)
    side_by_side = kernel_MDJ.transpose(1, 0, 2).reshape(width, members * hidden)
    hidden_N = jax.nn.relu(cells_ND @ side_by_side + parameters["hidden"]["bias"].reshape(-1))
    # the members' small kernels on the diagonal of one large one: mostly zeros, and still faster than turning hidden_N
    diagonal = kernel_MJK[:, :, None, :] * jnp.eye(members)[:, None, :, None]
    logits_N: Array = hidden_N @ diagonal.reshape(members * hidden, -1) + parameters["out"]["bias"].reshape(-1)
    return logits_N.reshape(*inputs.shape[:3], members, -1).transpose(3, 0, 4, 1, 2)


def embed(spec: ModelSpec, parameters: Parameters, inputs: Real[Array, "B H W D"]) -> Float[Array, "B D"]:
    """Mean over the cells of the features; the members' parameters play no part."""
    del spec, parameters
    return jnp.mean(inputs.astype(jnp.float32), axis=(1, 2))


PREFIX_HEADS = ModelFamily(
    name=NAME,
    fit_encoder=fit_encoder,
    load_encoder=load_encoder,
    init=init,
    train_logits=logits,
    score_logits=logits,
    embed=embed,
    training=TrainingSpec(steps=250, batch_frames=16, learning_rate=2e-2, weight_decay=1.0),
    options={"projection": DEFAULT_PROJECTION, "hidden": DEFAULT_HIDDEN},
)


def _require_fitting_grid(grid: GridSpec) -> None:
    if grid.cell != CELL or grid.image_height % 32 or grid.image_width % 32:
        raise InvalidInput(
            f"image {grid.image_width}x{grid.image_height}/{grid.cell}: {NAME} needs cell 16 and width and height in"
            " multiples of 32, for example 320x224/16; or use the family unet"
        )


def _components(spec: ModelSpec) -> int:
    return spec.options.get("projection", DEFAULT_PROJECTION)


def _encoder_key(grid: GridSpec, content: bytes) -> str:
    return hash_record(
        {
            "family": NAME,
            "code_version": CODE_VERSION,
            "weights": pretrained_lite0().file_hash,
            "projection": hash_bytes(content),
            "image": (grid.image_height, grid.image_width),
        }
    )


def _prefix_features() -> Callable[[ImageBatch], NDArray[Any]]:
    return in_fixed_batches(_device_features(), ENCODE_BATCH)


def _projected_features(projection: Projection) -> Callable[[ImageBatch], NDArray[Any]]:
    features = _device_features()
    affine = jax.device_put((projection.mean, projection.components / projection.scale[:, None]))
    return in_fixed_batches(lambda images: _project(affine, features(images)), ENCODE_BATCH)


def _device_features() -> Callable[[ImageBatch], Array]:
    """Prefix features [B, H, W, 592]; compiled once a process for each image size."""
    weights, form = pretrained_lite0().weights, best_form()
    return lambda images: _prefix(weights, images, form)


_prefix = jax.jit(lambda weights, images, form: lite0_cells(weights, images, form=form), static_argnums=2)


@jax.jit
def _project(
    affine: tuple[Float[Array, " F"], Float[Array, "F D"]], cells: Float[Array, "B H W F"]
) -> Float16[Array, "B H W D"]:
    mean, matrix = affine
    return ((cells - mean) @ matrix).astype(jnp.float16)
