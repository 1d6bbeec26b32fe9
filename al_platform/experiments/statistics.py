"""What an A/B test shows: learning curves, paired differences, relative improvement; 95 % intervals.

Every function takes the points of an experiment and the classes to measure: average precision (AP) is the
mean over the classes, positive cells and objects are summed. Arms are compared seed by seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from al_platform.experiments.curves import Cost, Curve, curve_of, paired, paired_curves, whole_pairs
from al_platform.experiments.intervals import (
    Interval,
    nothing,
    percentile_limits,
    resamples,
    t_interval,
)
from al_platform.experiments.records import CurvePoint

At = int | Literal["mean curve", "end"]
"""Where curves are compared: at a round, on the mean over all rounds but the reference, at the last round."""

Verdict = Literal["better", "worse", "no difference", "not computable"]

BASELINES = ("random", "stratified", "core-set", "entropy", "mass", "manual")
"""Strategies that a new one must not fall behind."""


@dataclass(frozen=True)
class CurveAt:
    """One checkpoint of a learning curve."""

    round_index: int
    cost: float
    """Mean over seeds, in the unit of the axis."""
    average_precision: Interval


@dataclass(frozen=True)
class Comparison:
    """An arm against a baseline at one place of the curve: AP difference, and what may be claimed from it."""

    arm: str
    baseline: str
    at: At
    difference: Interval
    verdict: Verdict


def arms_of(points: Sequence[CurvePoint]) -> tuple[str, ...]:
    """The arms in the order in which they first appear."""
    return tuple(dict.fromkeys(point.arm for point in points))


def is_baseline(arm: str) -> bool:
    """Whether an arm runs one of `BASELINES`, with or without a cap ("random cap 2")."""
    return strategy_of(arm) in BASELINES


def strategy_of(arm: str) -> str:
    """The name of an arm's strategy, without its limits."""
    return arm.partition(" ")[0]


def learning_curve(
    points: Sequence[CurvePoint], arm: str, *, classes: Sequence[str], cost: Cost = "frames"
) -> tuple[CurveAt, ...]:
    """AP in [0, 1] at each round, mean and t interval over the seeds that reached it."""
    curve = curve_of(points, arm, classes=classes)
    found = []
    for column, round_index in enumerate(curve.rounds):
        measured_S = np.isfinite(curve.precision[:, column])
        if measured_S.any():
            spent = float(curve.cost(cost)[measured_S, column].mean())
            found.append(CurveAt(round_index, spent, t_interval(curve.precision[:, column])))
    return tuple(found)


def paired_difference(
    points: Sequence[CurvePoint], arm: str, baseline: str, *, classes: Sequence[str], at: At = "mean curve"
) -> Interval:
    """AP of `arm` minus AP of `baseline`, paired by seed, with its t interval; positive = `arm` is better."""
    return _difference(*paired_curves(points, arm, baseline, classes=classes), at=at)


def _difference(first: Curve, second: Curve, *, at: At) -> Interval:
    """Of two curves at the same seeds and rounds."""
    if not first.seeds:
        return nothing(f"no seed was run with both {first.arm} and {second.arm}")
    rounds = _rounds_at(first, at)
    if not rounds:
        return nothing(f"{first.arm} and {second.arm} have no common checkpoint at {at}")
    first, second = whole_pairs(first.cut(first.seeds, rounds), second.cut(second.seeds, rounds))
    # rounded, so that the last digits of equal curves are no significant difference
    return t_interval(np.round((first.precision - second.precision).mean(axis=1), 12))


def _rounds_at(curve: Curve, at: At) -> tuple[int, ...]:
    if at == "end":
        return curve.rounds[-1:]
    if at == "mean curve":
        return tuple(r for r in curve.rounds if r > 0)
    return tuple(r for r in curve.rounds if r == at)


def gain_over_reference(
    points: Sequence[CurvePoint], arm: str, *, classes: Sequence[str], at: int | Literal["end"] = "end"
) -> Interval:
    """AP minus that of the reference model (round 0) of the same arm and seed, t interval."""
    curve = curve_of(points, arm, classes=classes)
    rounds = _rounds_at(curve, at)
    if not rounds or 0 not in curve.rounds:
        return nothing(f"{arm} has no reference model or nothing at {at}")
    precision = curve.cut(curve.seeds, (0, *rounds)).whole().precision
    return t_interval(precision[:, 1] - precision[:, 0])


def relative_improvement(
    points: Sequence[CurvePoint],
    arm: str,
    *,
    classes: Sequence[str],
    versus: str = "manual",
    at: int | Literal["end"] = "end",
) -> Interval:
    """How many times the gain of `versus` an arm gained over the reference model (round 0); 1 = as much.

    mean_s(arm - reference) / mean_s(versus - reference), with a percentile bootstrap over paired seeds.
    Undefined (None, with a note) where the 95 % interval of the denominator does not lie above 0.
    Source: the A/B test of Haussmann et al. 2019.
    """
    first, second = paired_curves(points, arm, versus, classes=classes)
    rounds = _rounds_at(first, at)
    if not first.seeds or not rounds or 0 not in first.rounds or rounds == (0,):
        return nothing(f"no seed has the reference model and both {arm} and {versus}")
    first, second = whole_pairs(*(curve.cut(curve.seeds, (0, *rounds)) for curve in (first, second)))
    gains_S = first.precision[:, 1] - first.precision[:, 0]
    others_S = second.precision[:, 1] - second.precision[:, 0]
    seeds, denominator = len(first.seeds), t_interval(others_S)
    if denominator.low is None:
        return nothing(f"fewer than two seeds: the gain of {versus} has no interval", seeds=seeds)
    if denominator.low <= 0:
        return nothing(f"the gain of {versus} over the reference is not clearly above 0", seeds=seeds)
    weights_WS, times_W = resamples(seeds)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios_W = (weights_WS @ gains_S) / (weights_WS @ others_S)
    known_W = np.isfinite(ratios_W)
    low, high = percentile_limits(ratios_W[known_W], times_W[known_W])
    return Interval(float(gains_S.mean() / others_S.mean()), low, high, seeds)


def compare_with_baselines(points: Sequence[CurvePoint], *, classes: Sequence[str]) -> tuple[Comparison, ...]:
    """Every arm against every baseline arm that was run: at each round, at the end and on the mean curve."""
    curves = {arm: curve_of(points, arm, classes=classes) for arm in arms_of(points)}
    places: tuple[At, ...] = ("mean curve", "end", *_later_rounds(points))
    return tuple(
        compare(curves[arm], curves[baseline], at=at)
        for arm in curves
        for baseline in curves
        if is_baseline(baseline) and arm != baseline
        for at in places
    )


def compare(curve: Curve, baseline: Curve, *, at: At = "mean curve") -> Comparison:
    """One paired difference and its verdict: better or worse only where the interval excludes 0."""
    difference = _difference(*paired(curve, baseline), at=at)
    return Comparison(curve.arm, baseline.arm, at, difference, _verdict(difference))


def _verdict(difference: Interval) -> Verdict:
    if difference.significant is None or difference.mean is None:
        return "not computable"
    if not difference.significant:
        return "no difference"
    return "better" if difference.mean > 0 else "worse"


def _later_rounds(points: Sequence[CurvePoint]) -> list[int]:
    return sorted({point.round_index for point in points if point.round_index > 0})
