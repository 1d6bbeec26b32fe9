"""Temperature calibration on frames that the member did not train on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from al_platform.training.frames import UNKNOWN

_NEWTON_STEPS = 30
_CLOSE_ENOUGH = 1e-6
_BOUND = 8.0
"""The temperature stays in [1/8, 8]: a few wrong cells in a tiny fold must not turn the ensemble to stone."""


def fit_temperature(logits: NDArray[Any], presence: NDArray[Any]) -> float:
    """Give the T > 0 that minimises the cross-entropy of sigmoid(logits / T) on the known cells.

    Logits and presence have one shape; presence is 1, 0 or 255 (unknown). 1.0 where nothing is known or
    only one outcome occurs, since any sharpening would then look good.
    Source: Guo et al. 2017, Sec. 4.2, for independent sigmoids.
    """
    known = presence != UNKNOWN
    outcomes = presence[known] == 1
    if outcomes.size == 0 or outcomes.all() or not outcomes.any():
        return 1.0
    scale = _best_scale(logits[known].astype(np.float64), outcomes.astype(np.float64))
    return 1.0 / scale


def _best_scale(logits: NDArray[Any], outcomes: NDArray[Any]) -> float:
    """Newton's method on the inverse temperature, in which the loss is convex; at most doubled a step.

    On the host: the number of held-out cells differs from round to round, and would compile anew each time.
    """
    scale = 1.0
    for _ in range(_NEWTON_STEPS):
        chances = expit(logits * scale)
        slope = np.mean((chances - outcomes) * logits)
        curvature = np.mean(chances * (1.0 - chances) * logits**2)
        if curvature <= np.finfo(np.float64).tiny:
            break
        moved = float(np.clip(scale - slope / curvature, scale / 2.0, scale * 2.0))
        moved = float(np.clip(moved, 1.0 / _BOUND, _BOUND))
        if abs(moved - scale) < _CLOSE_ENOUGH:
            return moved
        scale = moved
    return scale
