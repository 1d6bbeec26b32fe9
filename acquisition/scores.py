"""The scores that strategies rank by, each one line of one table.

Axes: N frames of the pool, K classes. Every score is [N, K], at least 0, and higher = more worth a label.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

PerFrame = Float[NDArray[np.floating], "N K"]

CERTAIN_FRAME_NATS = 1.0
"""Added to the entropy in `epishare`, so that frames with next to no uncertainty do not win by its share."""


class Measures(Protocol):
    """What scores are made of: FrameMeasures of the whole pool, on the host."""

    @property
    def mi_sum(self) -> PerFrame:
        """Sum of the mutual information, nats."""
        ...

    @property
    def mi_mean(self) -> PerFrame:
        """Mean of the mutual information, nats per cell."""
        ...

    @property
    def mi_max(self) -> PerFrame:
        """Largest mutual information of a cell, nats."""
        ...

    @property
    def mi_top(self) -> PerFrame:
        """Mean mutual information of the best cells, nats per cell."""
        ...

    @property
    def entropy_sum(self) -> PerFrame:
        """Sum of the entropy of the ensemble's answer, nats."""
        ...

    @property
    def variance_sum(self) -> PerFrame:
        """Sum of the variance of the members' probabilities."""
        ...

    @property
    def mass_sum(self) -> PerFrame:
        """Expected number of cells that hold the class."""
        ...


Score = Callable[[Measures], PerFrame]

SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "mi": lambda m: m.mi_mean,
        "mi_sum": lambda m: m.mi_sum,
        "mi_max": lambda m: m.mi_max,
        "mi_top": lambda m: m.mi_top,
        "entropy": lambda m: m.entropy_sum,
        "variance": lambda m: m.variance_sum,
        "mass": lambda m: m.mass_sum,
        "epishare": lambda m: m.mi_sum / (m.entropy_sum + CERTAIN_FRAME_NATS),
    }
)
"""Name -> score. `mi` is that of Haussmann et al. 2019; `epishare`, for budgets counted in objects, does not
grow with the number of uncertain cells."""


def relative_scores(scores_NK: PerFrame) -> Float[NDArray[np.float64], "N K"]:
    """Each class's score over its mean in the pool, [N, K], at least 0, mean 1 for every class.

    So classes count alike, however often they occur; one that scores 0 everywhere stays 0.

    Raises:
        ValueError: an empty pool, or a score that is negative or not finite.
    """
    if scores_NK.size == 0:
        raise ValueError(f"scores of shape {scores_NK.shape}: an empty pool has no mean score")
    bad_NK = ~(np.isfinite(scores_NK) & (scores_NK >= 0.0))
    if bad_NK.any():
        row, klass = np.argwhere(bad_NK)[0].tolist()
        raise ValueError(f"score {scores_NK[row, klass]} in row {row}, class {klass}: must be finite and at least 0")
    scores = scores_NK.astype(np.float64)
    mean_K = scores.mean(axis=0)
    relative_NK: NDArray[np.float64] = scores / np.where(mean_K > 0.0, mean_K, 1.0)
    return relative_NK
