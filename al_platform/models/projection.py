"""Standardised principal components: many correlated numbers per cell become a few of unit variance."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from al_platform.errors import InvalidInput

VARIANCE_FLOOR = 1e-3
"""Share of one feature's variance below which a component is rounding and not stretched to one."""

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Projection:
    """y = ((x - mean) / scale) @ components: F features to D components of unit variance on the sample."""

    mean: Float[NDArray[Any], " F"]
    scale: Float[NDArray[Any], " F"]
    components: Float[NDArray[Any], "F D"]


def fit_projection(batches: Iterable[Float[NDArray[Any], "_ F"]], components: int) -> Projection:
    """The leading principal components of standardised features, each divided by its standard deviation.

    The largest entry of each component is positive, so equal samples give equal results.
    Source: Jolliffe 2002, section 2.3 (components of the correlation matrix).

    Raises: InvalidInput where the sample holds no more rows than components, or fewer features.
    """
    count, mean, covariance = _moments(batches)
    if not components <= len(mean) or not components < count:
        raise InvalidInput(
            f"projection {components}: must be at most {len(mean)} and less than the {count} cells of the"
            " sample; give more images or a smaller projection"
        )
    deviation = np.sqrt(np.diag(covariance))
    scale = np.where(deviation > 0.0, deviation, 1.0)
    variances, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    leading = vectors[:, ::-1][:, :components]
    strongest = np.take_along_axis(leading, np.abs(leading).argmax(axis=0)[None], axis=0)
    spread = np.sqrt(np.maximum(variances[::-1][:components], VARIANCE_FLOOR))
    whitened = leading * np.sign(strongest) / spread
    return Projection(mean.astype(np.float32), scale.astype(np.float32), whitened.astype(np.float32))


def projection_to_bytes(projection: Projection) -> bytes:
    """An .npz file; equal projections give equal bytes (no clock, no compression)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(vars(projection).items()):
            member = io.BytesIO()
            np.save(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_EPOCH), member.getvalue())
    return buffer.getvalue()


def projection_from_bytes(content: bytes) -> Projection:
    """The projection that `projection_to_bytes` wrote.

    Raises: InvalidInput where the bytes are anything else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Projection(arrays["mean"], arrays["scale"], arrays["components"])
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as reason:
        raise InvalidInput(f"encoder bytes are not a projection ({reason}): fit the encoder again") from reason


def _moments(batches: Iterable[NDArray[Any]]) -> tuple[int, NDArray[Any], NDArray[Any]]:
    """(rows, mean, covariance) in float64, about the first batch's mean; one batch in memory at a time."""
    count = 0
    centre: NDArray[Any] = np.zeros(1)
    total: NDArray[Any] = np.zeros(1)
    products: NDArray[Any] = np.zeros((1, 1))
    for batch in batches:
        if count == 0:
            centre = batch.mean(axis=0, dtype=np.float64)
        deviations = batch.astype(np.float64) - centre
        count += len(batch)
        total = total + deviations.sum(axis=0)
        products = products + deviations.T @ deviations
    if count == 0:
        raise InvalidInput("no images to fit the encoder on: give at least one")
    shift = total / count
    return count, centre + shift, products / count - np.outer(shift, shift)
