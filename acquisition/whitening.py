"""Make distances between embeddings comparable in all directions.

Axes: N items, D embedding dimensions, E whitened dimensions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import NDArray


@dataclass(frozen=True)
class Whitening:
    """A shift and a linear map under which the pool that it was fitted on has unit covariance."""

    mean: Float64[NDArray[np.float64], " D"]
    transform: Float64[NDArray[np.float64], "D E"]
    """Columns by falling variance: the first E whitened dimensions are the strongest."""

    def apply(self, embeddings_ND: Float[NDArray[np.floating], "N D"]) -> Float64[NDArray[np.float64], "N E"]:
        """Give whitened embeddings, [N, E], without unit; on the fitted pool of mean 0 and variance 1."""
        whitened: Float64[NDArray[np.float64], "N E"] = (embeddings_ND - self.mean) @ self.transform
        return whitened


def fit_whitening(embeddings_ND: Float[NDArray[np.floating], "N D"], *, dimensions: int | None = None) -> Whitening:
    """Fit on the pool alone: never on the test frames, whose distances would then leak into the selection.

    Principal axes divided by their standard deviation. Axes along which the pool does not vary beyond
    rounding are dropped, so E <= min(D, N - 1); `dimensions` keeps only the strongest that many.

    Raises:
        ValueError: fewer than two items, items that are all alike, embeddings that are not finite, or
            dimensions below 1.
    """
    if len(embeddings_ND) < 2:
        raise ValueError(f"{len(embeddings_ND)} embeddings: at least 2 are needed to fit a whitening")
    if dimensions is not None and dimensions < 1:
        raise ValueError(f"dimensions {dimensions}: must be at least 1, or None for all")
    if not np.isfinite(embeddings_ND).all():
        raise ValueError("embeddings that are not finite: no whitening can be fitted")
    mean_D = embeddings_ND.mean(axis=0, dtype=np.float64)
    centred_ND = embeddings_ND - mean_D
    variance_D, axes_DD = np.linalg.eigh(centred_ND.T @ centred_ND / len(embeddings_ND))
    rounding = variance_D[-1] * len(variance_D) * np.finfo(embeddings_ND.dtype).eps
    strongest_first = np.arange(len(variance_D))[::-1][:dimensions]
    kept = strongest_first[variance_D[strongest_first] > rounding]
    if kept.size == 0:
        raise ValueError(f"{len(embeddings_ND)} embeddings that are all alike: nothing to whiten")
    return Whitening(mean=mean_D, transform=axes_DD[:, kept] / np.sqrt(variance_D[kept]))
