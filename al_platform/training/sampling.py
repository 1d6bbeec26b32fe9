"""Which frames the batch of a step holds: a function of weights, key and step alone, so that resuming is exact."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.errors import InvalidInput

_ROW_BUCKET = 128


class Sampler:
    """Draws rows with replacement in proportion to weights [N], the batch of a step by `fold_in(key, step)`.

    Weights need not sum to one. A row's share is off by less than 1e-7 of the whole: good for a million rows.
    """

    def __init__(self, weights: NDArray[Any], *, key: jax.Array, batch: int) -> None:
        """Keep the weights, cumulated.

        Raises: InvalidInput without rows, for a weight that is negative or no number, or where all are zero.
        """
        _require_weights(weights)
        cumulated = np.cumsum(weights, dtype=np.float64)
        padding = bucketed(len(weights)) - len(weights)
        self._cumulated = jnp.asarray(np.pad(cumulated, (0, padding), mode="edge"), jnp.float32)
        self._last = int(np.flatnonzero(weights)[-1])
        self._key = key
        self._batch = batch

    def rows(self, first_step: int, steps: int) -> NDArray[Any]:
        """Give the rows of the batches from `first_step` on, int32 [steps, batch]."""
        numbers = jnp.arange(first_step, first_step + steps)
        drawn = _drawn(self._key, self._cumulated, numbers, self._batch)
        return np.minimum(np.asarray(drawn, np.int32), self._last)  # 1 - 2^-24 of the whole may round up to it


def bucketed(count: int) -> int:
    """Give how many rows `count` are padded to: in steps, so that a growing set seldom compiles anew."""
    return count + -count % _ROW_BUCKET


def mixed_weights(groups: Sequence[NDArray[Any]], shares: Sequence[float], rows: int) -> NDArray[Any]:
    """Give the weight of each row, float64 [rows], under which group n is drawn in proportion to `shares[n]`.

    A group is an array of row numbers; a row in two groups counts in both. Within a group all rows are alike.

    Raises: InvalidInput for shares that are negative or no numbers, or all zero, and for a group that has a share
        and no row.
    """
    _require_weights(np.asarray(shares, np.float64))
    weights = np.zeros(rows)
    for number, (group, share) in enumerate(zip(groups, shares, strict=True)):
        if share > 0.0 and len(group) == 0:
            raise InvalidInput(f"group {number} with share {share:g}: holds no row; leave it out or widen it")
        weights[group] += share / max(len(group), 1)
    return weights


@partial(jax.jit, static_argnums=3)
def _drawn(key: jax.Array, cumulated: jax.Array, steps: jax.Array, batch: int) -> jax.Array:
    def at(step: jax.Array) -> jax.Array:
        points = jax.random.uniform(jax.random.fold_in(key, step), (batch,)) * cumulated[-1]
        return jnp.searchsorted(cumulated, points, side="right")

    return jax.vmap(at)(steps)


def _require_weights(weights: NDArray[Any]) -> None:
    if len(weights) == 0:
        raise InvalidInput("no rows to draw from: widen the filter, or give at least one labelled frame")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0.0)))
    if bad.size:
        raise InvalidInput(f"weight {weights[bad[0]]} of row {bad[0]}: must be a number, 0 or more")
    if not weights.any():
        raise InvalidInput(f"all {len(weights)} weights are 0: give at least one row a weight above 0")
