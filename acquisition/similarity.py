"""More like this: the items nearest in direction to some examples and far from others.

Axes: N items, D embedding dimensions, P picks, B items of one block.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from numpy.typing import NDArray

from acquisition.limits import require_budget

_BLOCK = 65_536  # Items that are looked at together: 32 MB of 128 dimensions in float32.


def most_similar(
    embeddings_ND: Float[NDArray[np.floating], "N D"],
    positives: Sequence[int],
    count: int,
    *,
    negatives: Sequence[int] = (),
    allowed: Bool[NDArray[np.bool_], " N"] | None = None,
) -> tuple[Int64[NDArray[np.int64], " P"], Float64[NDArray[np.float64], " P"]]:
    """Give (rows [P], scores [P]) of the `count` best items, best first, equal scores by rising row; no examples.

    The score is the mean cosine to the positives minus the mean cosine to the negatives, in [-2, 2]; higher =
    more like the positives. An embedding of length 0 is like nothing: 0. Because the mean of cosines is the
    product with the mean of unit vectors, one vector stands for all examples. P < count exactly where no more
    items are allowed. Memory is that of a block; `embeddings_ND` may be a memory map.

    score(x) = x/|x| . (mean_p p/|p| - mean_n n/|n|)

    Source: Rocchio 1971 (relevance feedback), on unit vectors.

    Raises:
        ValueError: count below 1, no positive example, a row that is not in the pool or both positive and
            negative, or an embedding that is not finite.
    """
    require_budget(count)
    _require_examples(len(embeddings_ND), positives, negatives)
    direction_D = example_direction(embeddings_ND, positives, negatives=negatives)
    open_N = np.ones(len(embeddings_ND), np.bool_) if allowed is None else allowed.copy()
    open_N[[*positives, *negatives]] = False
    rows: NDArray[np.int64] = np.zeros(0, np.int64)
    scores: NDArray[np.float64] = np.zeros(0)
    for start in range(0, len(embeddings_ND), _BLOCK):
        open_B = start + np.flatnonzero(open_N[start : start + _BLOCK])
        block_BD = np.asarray(embeddings_ND[start : start + _BLOCK])[open_B - start]
        floor = scores[-1] if rows.size == count else -np.inf
        found_B = _may_reach(block_BD, direction_D, floor, first=open_B)
        exact_B = cosines(block_BD[found_B], direction_D)
        rows, scores = np.concatenate([rows, open_B[found_B]]), np.concatenate([scores, exact_B])
        best = np.lexsort((rows, -scores))[:count]
        rows, scores = rows[best], scores[best]
    return rows, scores


def example_direction(
    embeddings_ND: Float[NDArray[np.floating], "N D"], positives: Sequence[int], *, negatives: Sequence[int] = ()
) -> Float64[NDArray[np.float64], " D"]:
    """Mean unit vector of the positives minus that of the negatives, [D], of length 0 to 2."""
    direction_D: NDArray[np.float64] = _units(embeddings_ND[list(positives)]).mean(axis=0)
    if negatives:
        direction_D = direction_D - _units(embeddings_ND[list(negatives)]).mean(axis=0)
    return direction_D


def cosines(
    vectors_BD: Float[NDArray[np.floating], "B D"], direction_D: Float64[NDArray[np.float64], " D"]
) -> Float64[NDArray[np.float64], " B"]:
    """Product of each unit vector with the direction, [B]; equal rows give equal numbers wherever they stand.

    A matrix product would not: how it sums depends on the place of a row in its block.
    """
    products: NDArray[np.float64] = (_units(vectors_BD) * direction_D).sum(axis=1)
    return products


def _may_reach(
    block_BD: NDArray[np.floating], direction_D: NDArray[np.float64], floor: float, *, first: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Items whose score may be `floor` or more, told by one product in the precision of the block."""
    lengths_B = np.sqrt(np.einsum("bd,bd->b", block_BD, block_BD))
    if not np.isfinite(lengths_B).all():
        raise ValueError(f"embeddings in row {int(first[~np.isfinite(lengths_B)][0])}: must be finite")
    rough_B = (block_BD @ direction_D.astype(block_BD.dtype)) / np.where(lengths_B > 0.0, lengths_B, 1.0)
    rounding = 8.0 * (block_BD.shape[1] + 4) * float(np.finfo(block_BD.dtype).eps)
    return np.flatnonzero(rough_B >= floor - rounding)


def _units(vectors_BD: NDArray[np.floating]) -> NDArray[np.float64]:
    vectors = vectors_BD.astype(np.float64)
    lengths_B = np.sqrt((vectors * vectors).sum(axis=1))
    units: NDArray[np.float64] = vectors / np.where(lengths_B > 0.0, lengths_B, 1.0)[:, None]
    return units


def _require_examples(count: int, positives: Sequence[int], negatives: Sequence[int]) -> None:
    if not positives:
        raise ValueError("no positive example: name at least one item to look for")
    for row in (*positives, *negatives):
        if not 0 <= row < count:
            raise ValueError(f"example in row {row}: the pool has {count} items")
    both = sorted(set(positives) & set(negatives))
    if both:
        raise ValueError(f"example in row {both[0]}: is both positive and negative")
