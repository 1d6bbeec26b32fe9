"""The best frames of a pool that never lies in memory, most of them passed over without their exact score.

Axes: M members, B frames of a batch, K classes, H rows and W columns of cells, R rows = frames times classes
of a batch, P places. A cell's mutual information is at most log(1 + chi^2), chi^2 the mean squared distance of
the members from their mean over m (1 - m), which is a third of the work. Where the mean of that over a frame
falls short of the worst place taken so far, the frame is settled. What remains gets the exact score, largest
bound first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int64
from numpy.typing import NDArray

from acquisition.exponentials import log1p
from acquisition.information import mutual_information, variance_bound
from acquisition.limits import require_budget
from acquisition.reductions import finished, mean_over_cells

BatchLogits = Float[Any, "M _ K H W"]  # Batches may differ in size.

_ROWS_AT_ONCE = 32
# What float32 may do to a bound or a score: a member's deviation d carries an error of some roundings of the
# mean m, and (d + error)^2 / m <= (1 + 0.001) d^2 / m + 1e-10, whatever d is.
_RELATIVE_ROUNDING, _ABSOLUTE_ROUNDING_NATS = 1e-3, 1e-10


@dataclass(frozen=True)
class TopFrames:
    """The best frames of each class, best first; of equal scores the earlier frame first."""

    frames: Int64[NDArray[np.int64], "K P"]
    """Position in the stream, counted over all batches."""
    scores: Float32[NDArray[np.float32], "K P"]
    """Mean mutual information, nats per cell, as `frame_scores` gives it; falls along P."""
    exact_share: float
    """Share of the frames and classes that needed their exact score, in (0, 1]."""


def top_frames(batches: Iterable[BatchLogits], count: int) -> TopFrames:
    """Give the `count` frames of highest mean mutual information for each class, of one pass over the batches.

    The same frames in the same order as ranking all of them by `frame_scores`; all frames, if fewer come. No
    more than two batches are held, so memory does not grow with the pool. Batches of some hundred frames
    are fastest: the larger, the better is known what to look at first.

    Raises:
        ValueError: count below 1, no frame at all, batches of different classes, or a logit that is not finite.
    """
    require_budget(count)
    best: list[_Best] = []
    seen = exact = rows = 0
    for logits, bounds in _with_bounds(batches):
        _, frames, classes, _, _ = logits.shape
        best = best or [_Best(count) for _ in range(classes)]
        if len(best) != classes:
            raise ValueError(f"batch of {classes} classes after batches of {len(best)}: all must have the same")
        exact += _take_from_batch(logits, bounds, best, seen)
        seen, rows = seen + frames, rows + frames * classes
    if seen == 0:
        raise ValueError("no frame in any batch: nothing to choose from")
    return TopFrames(
        frames=np.stack([places.frames for places in best]),
        scores=np.stack([places.scores for places in best]),
        exact_share=exact / rows,
    )


def frame_bounds(logits_MBKHW: Float[Array, "M *b K H W"]) -> Float32[Array, "*b K"]:
    """Give what no `frame_scores(logits_MBKHW)` exceeds, [*b, K] nats: room for float32's rounding included.

    Costs little more than reading the logits. Frames keep nearly the order of their scores. Tight for weak
    disagreement and for members that contradict each other: I <= log(1 + Var_k(p_k) / (m (1 - m))).

    Source: Gibbs and Su 2002, Theorem 5, and the concavity of the logarithm.
    """
    bound = mean_over_cells(log1p(variance_bound(_rows(logits_MBKHW))))
    widened = bound * (1.0 + _RELATIVE_ROUNDING) + _ABSOLUTE_ROUNDING_NATS
    return widened.reshape(logits_MBKHW.shape[1:-2])


class _Best:
    """The places of one class, best first. Frames only come in, so the worst score only rises."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.worst = -np.inf
        """Score below which a frame finds no place any more; minus infinity while places are free."""
        self.frames = np.empty(0, np.int64)
        self.scores = np.empty(0, np.float32)

    def take(self, frames: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Let these frames compete for the places."""
        rivals = scores >= self.worst
        if not rivals.any():
            return
        all_frames = np.concatenate([self.frames, frames[rivals]])
        all_scores = np.concatenate([self.scores, scores[rivals]])
        first = np.lexsort((all_frames, -all_scores))[: self.count]
        self.frames, self.scores = all_frames[first], all_scores[first]
        if self.scores.size == self.count:
            self.worst = float(self.scores[-1])


def _with_bounds(batches: Iterable[BatchLogits]) -> Iterator[tuple[Array, Array]]:
    """Give each batch with its bounds, while those of the next one are already being computed."""
    waiting: tuple[Array, Array] | None = None
    for batch in batches:
        logits = jnp.asarray(batch)
        following = logits, _compiled_bounds(logits)
        if waiting is not None:
            yield waiting
        waiting = following
    if waiting is not None:
        yield waiting


def _take_from_batch(logits_MBKHW: Array, bounds_BK: Array, best: list[_Best], first_frame: int) -> int:
    """Let the batch compete; give how many of its rows needed their exact score."""
    classes, exact = len(best), 0
    bounds_R = np.asarray(bounds_BK).ravel()
    _require_finite(bounds_R, classes, first_frame)
    waiting = np.argsort(-bounds_R, kind="stable")
    while True:
        worst_K = np.array([places.worst for places in best])
        # A bound equal to the worst score stays: the frame may tie and come first.
        waiting = waiting[bounds_R[waiting] >= worst_K[waiting % classes]]
        if waiting.size == 0:
            return exact
        rows, waiting = waiting[:_ROWS_AT_ONCE], waiting[_ROWS_AT_ONCE:]
        exact += rows.size
        padded = np.resize(rows, _ROWS_AT_ONCE)
        scores = np.asarray(_compiled_row_scores(logits_MBKHW, padded))[: rows.size]
        for klass, places in enumerate(best):
            of_class = rows % classes == klass
            places.take(first_frame + rows[of_class] // classes, scores[of_class])


def _row_scores(logits_MBKHW: Array, rows_R: Array) -> Array:
    """Mean mutual information of some rows. Gathered first: XLA on CPU does not vectorise a loop that gathers."""
    return mean_over_cells(mutual_information(finished(_rows(logits_MBKHW)[:, rows_R])))


# XLA on CPU keeps to 256 bits unless told: twice as fast where the processor has 512, and nothing elsewhere.
_WIDE = {"xla_cpu_prefer_vector_width": 512}
_compiled_bounds = jax.jit(frame_bounds, compiler_options=_WIDE)
_compiled_row_scores = jax.jit(_row_scores, compiler_options=_WIDE)


def _rows(logits_MBKHW: Array) -> Array:
    height, width = logits_MBKHW.shape[-2:]
    return logits_MBKHW.reshape(logits_MBKHW.shape[0], -1, height * width)


def _require_finite(bounds_R: NDArray[np.float32], classes: int, first_frame: int) -> None:
    """Refuse what cannot be ranked; a logit that is not finite makes its row's bound NaN."""
    bad = np.flatnonzero(~np.isfinite(bounds_R))
    if bad.size:
        frame, klass = first_frame + int(bad[0]) // classes, int(bad[0]) % classes
        raise ValueError(f"frame {frame}, class {klass}: a logit is not finite; mend or leave out the frame")
