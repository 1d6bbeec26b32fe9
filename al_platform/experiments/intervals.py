"""95 % intervals over seeds: Student's t for means of differences, a percentile bootstrap for ratios.

Axes: S seeds, W distinct resamples of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

CONFIDENCE = 0.95
DRAWS = 2000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % interval; None where too few seeds were run, and `note` says why."""

    mean: float | None
    low: float | None
    high: float | None
    seeds: int
    note: str = ""

    @property
    def half_width(self) -> float | None:
        """Half the interval; the mean is its middle for t intervals only."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2

    @property
    def significant(self) -> bool | None:
        """Whether the interval excludes 0; None where there is no interval."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0


def nothing(note: str, *, seeds: int = 0) -> Interval:
    """An interval that could not be computed, and why."""
    return Interval(mean=None, low=None, high=None, seeds=seeds, note=note)


def t_interval(values: Sequence[float] | Array) -> Interval:
    """Mean ± t(n-1) s / sqrt(n), s with n-1 in the denominator. One value has a mean and no interval."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return nothing("no seed has this value")
    mean = float(known.mean())
    if known.size == 1:
        return Interval(mean=mean, low=None, high=None, seeds=1, note="one seed: no interval")
    error = float(known.std(ddof=1)) / np.sqrt(known.size)
    half = float(stdtrit(known.size - 1, (1 + CONFIDENCE) / 2)) * float(error)
    return Interval(mean=mean, low=mean - half, high=mean + half, seeds=known.size)


def resamples(seeds: int, *, draws: int = DRAWS, key: int = 0) -> tuple[Array, NDArray[np.int64]]:
    """Seeds drawn with replacement: the distinct draws as weights [W, S] that sum to 1, and their counts.

    The same draws for the same arguments, so that every arm is resampled alike (paired).
    """
    drawn = np.random.default_rng(key).integers(0, seeds, (draws, seeds))
    counts = np.stack([(drawn == seed).sum(axis=1) for seed in range(seeds)], axis=1)
    distinct, times = np.unique(counts, axis=0, return_counts=True)
    return distinct / seeds, times.astype(np.int64)


def percentile_limits(values_W: Array, times_W: NDArray[np.int64]) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of values that came `times` each: order statistics, so inf is fine."""
    order = np.argsort(values_W, kind="stable")
    reached = np.cumsum(times_W[order]) / times_W.sum()
    tail = (1 - CONFIDENCE) / 2
    low, high = (min(int(np.searchsorted(reached, q - 1e-12)), order.size - 1) for q in (tail, 1 - tail))
    return float(values_W[order[low]]), float(values_W[order[high]])
