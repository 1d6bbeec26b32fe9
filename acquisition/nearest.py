"""How far items are from the nearest of others.

Axes: N items, L references, D embedding dimensions, B items of one block.
"""

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import NDArray

_TILE = 1024  # Side of the products that distances come from: large enough for threads, small for the cache.


def nearest_squared_distance(
    points_ND: Float[NDArray[np.floating], "N D"], references_LD: Float[NDArray[np.floating], "L D"]
) -> Float64[NDArray[np.float64], " N"]:
    """Squared Euclidean distance of each point to its nearest reference, [N] in [0, inf); inf if L = 0.

    Which reference is nearest comes from a matrix product, in blocks; the distance itself from the
    difference, so that a point that is a reference is exactly 0 away.
    """
    nearest_N = np.full(len(points_ND), np.inf)
    for start in range(0, len(references_LD), _TILE):
        references = references_LD[start : start + _TILE].astype(np.float64)
        origin = references.mean(axis=0)  # Distances do not depend on it, but the digits of a product do.
        centred = references - origin
        squares = np.square(centred).sum(axis=1)
        for first in range(0, len(points_ND), _TILE):
            points = points_ND[first : first + _TILE].astype(np.float64)
            remoteness = (points - origin) @ (-2.0 * centred.T)
            remoteness += squares
            nearest = nearest_N[first : first + _TILE]
            np.minimum(nearest, _squared_distance(points, references[remoteness.argmin(axis=1)]), out=nearest)
    return nearest_N


def _squared_distance(points_BD: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    difference = points_BD - other
    squared: NDArray[np.float64] = np.einsum("bd,bd->b", difference, difference)
    return squared
