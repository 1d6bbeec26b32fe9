"""When a loop ends by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from al_platform.domain.loops import LoopRound, LoopSpec, Plateau


@dataclass(frozen=True)
class Slope:
    """What a metric gains a round, by least squares, and the two-sided t interval of it."""

    gain: float
    low: float
    high: float


def slope_of(values: Sequence[float], *, confidence: float) -> Slope:
    """Give the slope of at least three values, one a round, in the unit of the values.

    Formula: b = sum (x - mx)(y - my) / sum (x - mx)^2, x = 0, 1, ...; s^2 = sum of squared residuals / (n - 2);
    b ± t(n-2) s / sqrt(sum (x - mx)^2).
    """
    heights = np.asarray(values, np.float64)
    places = np.arange(heights.size) - (heights.size - 1) / 2
    spread = float(places @ places)
    gain = float(places @ heights) / spread
    residuals = heights - heights.mean() - gain * places
    error = math.sqrt(float(residuals @ residuals) / (heights.size - 2) / spread)
    half = float(stdtrit(heights.size - 2, (1 + confidence) / 2)) * error
    return Slope(gain, gain - half, gain + half)


def is_plateau(metrics: Sequence[float], rule: Plateau) -> bool:
    """Say whether the newest rounds of the window surely gain less than the rule's gain; never with fewer rounds."""
    if len(metrics) < rule.window:
        return False
    return slope_of(metrics[-rule.window :], confidence=rule.confidence).high < rule.gain


def stop_reason(spec: LoopSpec, rounds: Sequence[LoopRound]) -> str:
    """Say why a loop ends after these rounds, oldest first, all of them closed; empty where it goes on."""
    rules, appended = spec.stopping, [each for each in rounds if each.appended]
    if spec.rounds is not None and len(appended) >= spec.rounds:
        return f"all {spec.rounds} rounds are done"
    labels = sum(each.labels for each in appended)
    if rules.labels is not None and labels >= rules.labels:
        return f"{labels} labels reach the budget of {rules.labels}"
    metrics = [each.metric for each in appended if each.metric is not None]
    if rules.plateau and is_plateau(metrics, rules.plateau):
        slope = slope_of(metrics[-rules.plateau.window :], confidence=rules.plateau.confidence)
        return (
            f"the last {rules.plateau.window} rounds gain {slope.gain:.4f} a round, "
            f"{slope.low:.4f} to {slope.high:.4f}: surely less than {rules.plateau.gain:g}"
        )
    last = appended[-1].information if appended else None
    if rules.information is not None and last is not None and last < rules.information:
        return f"the pool's mean information {last:.3g} nats is below {rules.information:g}"
    return ""
