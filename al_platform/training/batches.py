"""Where the batches of a training come from: arrays on the device, or a store from which they are read ahead.

Axes: S steps of a chunk, B frames of a batch, N rows, M members.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import ModelSpec
from al_platform.training.frames import UNKNOWN, LabeledFrames
from al_platform.training.readahead import ReadAhead
from al_platform.training.sampling import Sampler, bucketed


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["rows", "inputs", "presence", "member_weights"],
    meta_fields=[],
)
@dataclass(frozen=True)
class Chunk:
    """What the steps up to the next validation are trained on: arrays, and which of their rows each step takes."""

    rows: jax.Array
    """[S, B] row numbers of the arrays below."""
    inputs: jax.Array
    presence: jax.Array
    member_weights: jax.Array
    """[M, N] 0 where the row is in the member's validation fold, else how much its label counts."""


@runtime_checkable
class BatchSource(Protocol):
    """The chunks of a training. Every source gives the same batches, so that it changes no result."""

    def chunks(self, first_step: int) -> Iterator[Chunk]:
        """Yield the chunks from a step on, until the training ends."""


def batch_source(spec: ModelSpec, frames: LabeledFrames, *, key: jax.Array) -> BatchSource:
    """Give the source for these frames: on the device where their records are an array, else read ahead."""
    weights = np.ones(len(frames.folds)) if frames.weights is None else frames.weights
    sampler = Sampler(weights, key=key, batch=spec.training.batch_frames)
    if isinstance(frames.inputs, np.ndarray):
        return ArrayBatches(spec, frames, sampler)
    return StreamedBatches(spec, frames, sampler)


class ArrayBatches:
    """All rows on the device, padded; a chunk says which of them each step takes."""

    def __init__(self, spec: ModelSpec, frames: LabeledFrames, sampler: Sampler) -> None:
        rows = bucketed(len(frames.folds))
        self._spec = spec
        self._sampler = sampler
        self._inputs = jnp.asarray(padded(frames.inputs[:], rows))
        self._presence = jnp.asarray(padded(frames.presence, rows, fill=UNKNOWN))
        self._member_weights = jnp.asarray(padded(member_weights(spec, frames).T, rows).T)

    def chunks(self, first_step: int) -> Iterator[Chunk]:
        """Yield the chunks from a step on; they share their arrays."""
        for step in range(first_step, self._spec.training.steps, self._spec.training.evaluate_every):
            rows = self._sampler.rows(step, self._spec.training.evaluate_every)
            yield Chunk(jnp.asarray(rows), self._inputs, self._presence, self._member_weights)


class StreamedBatches:
    """Only the rows of a chunk on the device, and those of the next one read meanwhile.

    Memory: three chunks of `evaluate_every` times `batch_frames` records, whatever the number of frames.
    """

    def __init__(self, spec: ModelSpec, frames: LabeledFrames, sampler: Sampler) -> None:
        self._spec = spec
        self._frames = frames
        self._sampler = sampler
        self._member_weights = member_weights(spec, frames)

    def chunks(self, first_step: int) -> Iterator[Chunk]:
        """Yield the chunks from a step on; a chunk's own arrays hold the rows of its steps one after the other."""
        recipe = self._spec.training
        with closing(ReadAhead(self._read, first_step=first_step, ahead=recipe.evaluate_every)) as batches:
            for step in range(first_step, recipe.steps, recipe.evaluate_every):
                inputs = np.concatenate([next(batches) for _ in range(recipe.evaluate_every)])
                rows = self._sampler.rows(step, recipe.evaluate_every)
                yield Chunk(
                    rows=jnp.arange(rows.size, dtype=jnp.int32).reshape(rows.shape),
                    inputs=jnp.asarray(inputs),
                    presence=jnp.asarray(self._frames.presence[rows.ravel()]),
                    member_weights=jnp.asarray(self._member_weights[:, rows.ravel()]),
                )

    def _read(self, step: int) -> NDArray[Any]:
        if step >= self._spec.training.steps:
            return np.empty((0, *self._frames.inputs.shape[1:]), self._frames.inputs.dtype)  # asked for by nobody
        return self._frames.inputs[self._sampler.rows(step, 1)[0]]


def member_weights(spec: ModelSpec, frames: LabeledFrames) -> NDArray[Any]:
    """Give [M, N]: 0 where the frame is in the member's validation fold, else how much its label counts, 1 at most."""
    trains = (~held_out(spec, frames)).astype(np.float32)
    return trains if frames.loss_weights is None else trains * frames.loss_weights.astype(np.float32)


def held_out(spec: ModelSpec, frames: LabeledFrames) -> NDArray[Any]:
    """Give bool [M, N]: which frames stop and calibrate a member instead of training it."""
    member_folds = np.arange(spec.members) % spec.training.validation_folds
    unseen: NDArray[Any] = frames.folds[None, :] == member_folds[:, None]
    return unseen


def padded(array: NDArray[Any], rows: int, *, fill: int = 0) -> NDArray[Any]:
    """Give the array with rows of `fill` after its own, `rows` in all."""
    padding = np.full((rows - len(array), *array.shape[1:]), fill, array.dtype)
    return np.concatenate([array, padding])
