"""The measures of frames on the host."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition import FrameMeasures


@dataclass(frozen=True)
class PoolMeasures:
    """`acquisition.FrameMeasures` of N frames and K classes on the host, each [N, K]; their meaning is told there."""

    mi_sum: NDArray[Any]
    mi_mean: NDArray[Any]
    mi_max: NDArray[Any]
    mi_top: NDArray[Any]
    entropy_sum: NDArray[Any]
    expected_entropy_sum: NDArray[Any]
    variance_sum: NDArray[Any]
    mass_sum: NDArray[Any]
    aleatoric_share: NDArray[Any]

    def items(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Give each measure with its name."""
        for name in MEASURES:
            yield name, getattr(self, name)


MEASURES = tuple(field.name for field in fields(PoolMeasures))


def no_measures(frames: int, classes: int) -> PoolMeasures:
    """Give float32 zeros [frames, classes], to be filled."""
    return PoolMeasures(*(np.zeros((frames, classes), np.float32) for _ in MEASURES))


def on_host(measured: FrameMeasures, count: int) -> PoolMeasures:
    """Give the measures of the first `count` frames of a batch; waits for the device."""
    return PoolMeasures(*(np.asarray(getattr(measured, name))[:count] for name in MEASURES))
