"""The model family: a handful of pure functions as a value. One file a family, one line in `FAMILIES`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import ModelSpec, TrainingSpec

Parameters = Any
"""A pytree of arrays."""

ImageBatch = NDArray[np.uint8]
"""uint8 [B, image_height, image_width, 3], RGB."""


@dataclass(frozen=True)
class Encoder:
    """What happens to a frame once, before any training: a record of fixed size, cached by content.

    `key` is the hash of everything that determines the record; `encode` maps a batch of images to
    an array [B, *shape] of `dtype`. `keeps_pixels` says that the record is the decoded image as it is.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    encode: Callable[[ImageBatch], NDArray[Any]]
    keeps_pixels: bool = False


@dataclass(frozen=True)
class ModelFamily:
    """One architecture. Axes: M members, B batch, K classes, H x W cells, D embedding.

    fit_encoder: bytes that make the encoder exact again later (empty where nothing is fitted), from a sample
        of the pool's images; no labels are seen.
    load_encoder: the encoder from those bytes.
    init: parameters of ONE member from a key.
    train_logits: (spec, stacked parameters [M, ...], inputs [B, ...]) -> [M, B, K, H, W]; the form whose
        gradient is fast inside `lax.scan`.
    score_logits: the same numbers in the form whose forward pass is fastest.
    embed: (spec, stacked parameters, inputs) -> [B, D], one vector a frame for diversity.
    training: the recipe that members of this family are trained by where nothing else is asked for.
    options: the sizes that a specification may set, with what they are where it does not.
    members_apart: whether a CPU does best with one member after the other, gradient and all, as convolutions do;
        where not, all members are one computation.
    embeds_with_weights: whether `embed` reads the parameters; where not, its vectors outlive the ensemble.
    """

    name: str
    fit_encoder: Callable[[ModelSpec, Iterator[ImageBatch]], bytes]
    load_encoder: Callable[[ModelSpec, bytes], Encoder]
    init: Callable[[ModelSpec, jax.Array], Parameters]
    train_logits: Callable[[ModelSpec, Parameters, jax.Array], jax.Array]
    score_logits: Callable[[ModelSpec, Parameters, jax.Array], jax.Array]
    embed: Callable[[ModelSpec, Parameters, jax.Array], jax.Array]
    training: TrainingSpec
    options: Mapping[str, int] = field(default_factory=dict, compare=False)
    members_apart: bool = False
    embeds_with_weights: bool = False
