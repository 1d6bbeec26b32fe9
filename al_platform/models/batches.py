"""Batches of one size: whatever number of frames comes, the compiled function sees the same shape."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped
from numpy.typing import NDArray

Frames = Shaped[NDArray[Any], "_ ..."]
Result = TypeVar("Result")


@runtime_checkable
class Rows(Protocol):
    """Records [N, ...] by row: an array, or something that reads the rows asked for when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N and the shape of a record."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers in a record."""

    def __len__(self) -> int:
        """Give N."""

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """Give the records of a slice or of an array of row numbers."""


def in_fixed_batches(function: Callable[[Frames], jax.Array], batch: int) -> Callable[[Rows], NDArray[Any]]:
    """`function` over any number of frames, `batch` at a time; what pads the last batch is cut off again.

    The function treats each frame by itself, so padding never changes a result.
    """

    def over_all(frames: Rows) -> NDArray[Any]:
        parts = [np.asarray(function(part))[:count] for part, count in padded_batches(frames, batch)]
        return np.concatenate(parts)

    return over_all


def padded_batches(frames: Rows, batch: int) -> Iterator[tuple[Frames, int]]:
    """(exactly `batch` frames, how many of them are real); the last frame is repeated as padding.

    No frames give one batch of zeros with none real, so that shapes and dtypes are known all the same.
    """
    for start in range(0, max(len(frames), 1), batch):
        part = frames[start : start + batch]
        yield pad_frames(part, batch), len(part)


def pad_frames(frames: Frames, batch: int) -> Frames:
    """At most `batch` frames, filled up to `batch` with copies of the last one (or with zeros)."""
    missing = batch - len(frames)
    if missing == 0:
        return frames
    filler = frames[-1:] if len(frames) else np.zeros((1, *frames.shape[1:]), frames.dtype)
    return np.concatenate([frames, np.repeat(filler, missing, axis=0)])


def in_groups(
    function: Callable[[Array], Result], frames: Shaped[Array | NDArray[Any], "_ ..."], *, at_most: int
) -> Result:
    """`function` over a whole batch, a few frames at a time inside one jit; every result array begins with B.

    On a CPU what goes through the network together should fit into the cache: with 8 heads, 64 frames at once
    are scored at a third of the rate of 16. The group is the largest divisor of the batch up to `at_most`.
    """
    batch = frames.shape[0]
    group = next(size for size in range(min(at_most, batch), 0, -1) if batch % size == 0)
    grouped = jnp.reshape(jnp.asarray(frames), (batch // group, group, *frames.shape[1:]))
    results = jax.lax.map(function, grouped)
    whole: Result = jax.tree.map(lambda part: jnp.reshape(part, (batch, *part.shape[2:])), results)
    return whole
