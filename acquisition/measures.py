"""What is kept of each frame and class once the maps of the ensemble are gone.

Axes: M members, *b any batch axes (frames), K classes, H rows and W columns of cells. Meant to be called
inside the jit of the forward pass, so that logits and maps never leave the device.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32

from acquisition.information import (
    mean_probability,
    mutual_information,
    predictive_entropy,
    probability_variance,
    share_of,
)
from acquisition.reductions import (
    REDUCTIONS,
    TOP_SHARE,
    finished,
    max_over_cells,
    mean_over_cells,
    sum_over_cells,
    top_mean,
)

FrameLogits = Float[Array, "M *b K H W"]
ValidCells = Bool[Array, "*b H W"]
PerClass = Float32[Any, "*b K"]  # Any array: measures are made on the device and kept on the host.


def frame_scores(logits_MBKHW: FrameLogits, reduce: str = "mean", *, valid: ValidCells | None = None) -> PerClass:
    """Mutual information of each frame and class, [*b, K] in nats, at least 0; higher = more informative.

    `reduce` names one of REDUCTIONS; cells that are not `valid` change nothing.

    Raises:
        ValueError: no reduction of that name.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce {reduce!r}: must be one of {', '.join(REDUCTIONS)}")
    scores = REDUCTIONS[reduce](mutual_information(_rows(logits_MBKHW)), _valid_rows(logits_MBKHW, valid))
    return scores.reshape(logits_MBKHW.shape[1:-2])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FrameMeasures:
    """Sums, means and maxima over the valid cells of each frame and class; 0 where no cell is valid."""

    mi_sum: PerClass
    """Sum of the mutual information, nats; higher = more to learn."""
    mi_mean: PerClass
    """Mean of the mutual information, nats per cell."""
    mi_max: PerClass
    """Largest mutual information of a cell, nats."""
    mi_top: PerClass
    """Mean mutual information of the best cells, nats per cell."""
    entropy_sum: PerClass
    """Sum of H(m), nats; higher = less certain, for whatever reason."""
    expected_entropy_sum: PerClass
    """Sum of mean_k H(p_k), nats; higher = noisier."""
    variance_sum: PerClass
    """Sum of the variance of the members' probabilities."""
    mass_sum: PerClass
    """Sum of m: the expected number of cells that hold the class."""
    aleatoric_share: PerClass
    """expected_entropy_sum / entropy_sum in [0, 1]: 1 = noise alone, and where both are 0."""


def frame_measures(
    logits_MBKHW: FrameLogits, valid: ValidCells | None = None, *, top_share: float = TOP_SHARE
) -> FrameMeasures:
    """Give all measures of each frame and class in one computation.

    mean_k H(p_k) is taken as H(m) - I, so the three sums agree with each other to rounding.

    Raises:
        ValueError: top_share outside (0, 1].
    """
    cells_valid = _valid_rows(logits_MBKHW, valid)
    information, entropy, variance, probability = _finished_maps(_rows(logits_MBKHW))
    mi_sum = sum_over_cells(information, cells_valid)
    entropy_sum = sum_over_cells(entropy, cells_valid)
    expected_entropy_sum = jnp.maximum(entropy_sum - mi_sum, 0.0)  # Rounding may leave -1e-7 of the entropy.
    measures = FrameMeasures(
        mi_sum=mi_sum,
        mi_mean=mean_over_cells(information, cells_valid),
        mi_max=max_over_cells(information, cells_valid),
        mi_top=top_mean(information, cells_valid, share=top_share),
        entropy_sum=entropy_sum,
        expected_entropy_sum=expected_entropy_sum,
        variance_sum=sum_over_cells(variance, cells_valid),
        mass_sum=sum_over_cells(probability, cells_valid),
        aleatoric_share=share_of(expected_entropy_sum, entropy_sum),
    )
    shaped: FrameMeasures = jax.tree.map(lambda row: row.reshape(logits_MBKHW.shape[1:-2]), measures)
    return shaped


def _finished_maps(logits: Array) -> list[Array]:
    """Each map in one vectorised loop of its own.

    Left alone, XLA on CPU hands the members' probabilities from one map to the other through memory, in some
    twenty loops, which costs more than the exponentials that it saves.
    """
    maps: list[Array] = []
    for measure in (mutual_information, predictive_entropy, probability_variance, mean_probability):
        done, logits = finished((measure(logits), logits))
        maps.append(done)
    return maps


def _rows(logits_MBKHW: Array) -> Array:
    """One row of cells for each frame and class, [M, b * K, H * W].

    Flattened before the maps and not after, because a change of shape at the end of a loop keeps XLA on CPU
    from making it one loop.
    """
    height, width = logits_MBKHW.shape[-2:]
    return logits_MBKHW.reshape(logits_MBKHW.shape[0], -1, height * width)


def _valid_rows(logits_MBKHW: Array, valid: Array | None) -> Array | None:
    if valid is None:
        return None
    each_class = jnp.broadcast_to(valid[..., None, :, :], logits_MBKHW.shape[1:])
    return each_class.reshape(-1, each_class.shape[-2] * each_class.shape[-1])
