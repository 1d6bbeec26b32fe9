"""How good an ensemble is on a frozen test set: average precision and calibration, per class over cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.training.frames import UNKNOWN


def average_precision(scores: NDArray[Any], outcomes: NDArray[Any]) -> float:
    """Area under the precision-recall curve as a step function, in [0, 1]; NaN without a positive.

    Ties are one step, so the order of equal scores does not matter.
    Formula: sum over thresholds t of (recall_t - recall_{t-1}) * precision_t.
    """
    positives = int(outcomes.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(outcomes[order])
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    recall = hits[ends] / positives
    precision = hits[ends] / (ends + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def expected_calibration_error(probabilities: NDArray[Any], outcomes: NDArray[Any], *, bins: int = 15) -> float:
    """Mean gap between predicted probability and observed frequency over equal-width bins, in [0, 1]."""
    if probabilities.size == 0:
        return float("nan")
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    counts = np.bincount(places, minlength=bins)
    gaps = np.abs(np.bincount(places, probabilities - outcomes, minlength=bins))
    return float(gaps.sum() / counts.sum())


def measure(
    probabilities_NKHW: NDArray[Any], presence_NKHW: NDArray[Any], classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Give {metric: {class: value}} over known cells: average precision, cross-entropy in nats, calibration."""
    found: dict[str, dict[str, float]] = {
        "average_precision": {},
        "cross_entropy": {},
        "calibration_error": {},
    }
    for index, name in enumerate(classes):
        known = presence_NKHW[:, index] != UNKNOWN
        outcomes = (presence_NKHW[:, index][known] == 1).astype(np.float64)
        chances = probabilities_NKHW[:, index][known].astype(np.float64)
        found["average_precision"][name] = average_precision(chances, outcomes)
        found["calibration_error"][name] = expected_calibration_error(chances, outcomes)
        found["cross_entropy"][name] = _cross_entropy(chances, outcomes)
    return found


def _cross_entropy(chances: NDArray[Any], outcomes: NDArray[Any]) -> float:
    if chances.size == 0:
        return float("nan")
    given = np.where(outcomes == 1.0, chances, 1.0 - chances)
    smallest = np.finfo(np.float32).tiny  # float32 probabilities underflow below this; the log stays finite
    return float(-np.mean(np.log(np.maximum(given, smallest))))
