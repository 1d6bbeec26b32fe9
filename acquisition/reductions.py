"""From many cells to one number.

Axes: *r rows, usually one for each frame and class, of N cells. `valid` is None where all cells count. Cells
that are not valid are padding: their values, NaN included, change nothing. Where no cell is valid, the result
is 0.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

T = TypeVar("T")

Cells = Float[Array, "*r N"]
ValidCells = Bool[Array, "*r N"]
Reduced = Float[Array, "*r"]

TOP_SHARE = 0.01
"""The share of a frame's cells that counts as its top, where nothing else is asked for."""
_PARTS = 8


def sum_over_cells(cells: Cells, valid: ValidCells | None = None) -> Reduced:
    """Sum over the valid cells, [*r] in the map's unit; grows with the number of cells of interest."""
    rest = finished(_padded(cells, valid, 0.0))
    while rest.shape[-1] > 1:
        rest = finished(_folded(rest))
    return rest[..., 0]


def mean_over_cells(cells: Cells, valid: ValidCells | None = None) -> Reduced:
    """Mean over the valid cells, [*r] in the map's unit; favours frames full of what the map finds.

    Source: Haussmann et al. 2019, the aggregation that selected best there.
    """
    return sum_over_cells(cells, valid) / jnp.maximum(_count(cells, valid), 1)


def max_over_cells(cells: Cells, valid: ValidCells | None = None) -> Reduced:
    """Largest valid cell, [*r] in the map's unit; finds one small object in an empty scene."""
    return _best_cells(cells, valid, 1)[..., 0]


def top_mean(cells: Cells, valid: ValidCells | None = None, *, share: float = TOP_SHARE) -> Reduced:
    """Mean over the best cells, [*r] in the map's unit: between the largest cell and the mean.

    The best ceil(share * valid cells) are taken.

    Raises:
        ValueError: share outside (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share {share}: must be in (0, 1]")
    best = _best_cells(cells, valid, math.ceil(share * cells.shape[-1]))
    wanted = jnp.ceil(share * _count(cells, valid))
    taken = jnp.where(jnp.arange(best.shape[-1]) < wanted[..., None], best, 0.0)
    return taken.sum(axis=-1) / jnp.maximum(wanted, 1.0)


Reduction = Callable[[Cells, ValidCells | None], Reduced]

REDUCTIONS: Mapping[str, Reduction] = MappingProxyType(
    {"mean": mean_over_cells, "max": max_over_cells, "top": top_mean, "sum": sum_over_cells}
)


def finished(arrays: T) -> T:
    """Give the same arrays, computed to the end: XLA then fuses nothing before this with what comes after."""
    return jax.lax.optimization_barrier(arrays)  # type: ignore[no-any-return]


def _folded(cells: Array) -> Array:
    """Add up to eight equal parts of the last axis, in pairs.

    Part by part, because that is a vectorised loop whose sums do not depend on how many rows there are: equal
    frames get equal scores, to the last bit, in whatever batch they come. A product with ones does not.
    """
    parts = min(_PARTS, cells.shape[-1])
    width = math.ceil(cells.shape[-1] / parts)
    missing = parts * width - cells.shape[-1]
    whole = jnp.pad(cells, [(0, 0)] * (cells.ndim - 1) + [(0, missing)]) if missing else cells
    sums = [whole[..., part * width : (part + 1) * width] for part in range(parts)]
    while len(sums) > 1:
        sums = [*map(jnp.add, sums[::2], sums[1::2]), *sums[len(sums) // 2 * 2 :]]
    return sums[0]


def _padded(cells: Array, valid: Array | None, padding: float) -> Array:
    return cells if valid is None else jnp.where(valid, cells, padding)


def _count(cells: Array, valid: Array | None) -> Array:
    return jnp.full(cells.shape[:-1], cells.shape[-1]) if valid is None else valid.sum(axis=-1)


def _best_cells(cells: Array, valid: Array | None, wanted: int) -> Array:
    """Give the largest cells in falling order, [*r, wanted]; 0 where fewer are valid.

    Also the way to a maximum: on CPU, XLA would fuse a plain one with the map and vectorise neither.
    """
    best, _ = jax.lax.top_k(finished(_padded(cells, valid, -jnp.inf)), wanted)
    best = jnp.where(jnp.arange(wanted) < _count(cells, valid)[..., None], best, 0.0)
    # top_k ranks a NaN by its sign, so that it can come last and be lost; a sum never loses it.
    return jnp.where(jnp.isnan(sum_over_cells(cells, valid))[..., None], jnp.nan, best)
