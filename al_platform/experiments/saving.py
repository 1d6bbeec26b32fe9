"""How many labels a strategy saves, and the area under its curve, per frame and per labelled object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from al_platform.experiments.curves import Cost, Curve, curve_of, paired_curves, whole_pairs
from al_platform.experiments.intervals import (
    Array,
    Interval,
    nothing,
    percentile_limits,
    resamples,
    t_interval,
)
from al_platform.experiments.records import CurvePoint

Bound = Literal["", "<=", ">="]
"""Whether a ratio is known exactly or only from one side."""

ROUNDING = 1e-12
"""Means of equal curves may differ in the last digits, by the order of their sums."""


@dataclass(frozen=True)
class Saving:
    """Labels the baseline needs for its last AP / labels the arm needs for that; above 1 = fewer labels."""

    arm: str
    baseline: str
    cost: Cost
    ratio: float | None
    low: float | None
    high: float | None
    bound: Bound
    """"<=" where the arm never gets there, ">=" where its first model is already there."""
    low_bound: Bound
    high_bound: Bound
    seeds: int
    note: str = ""


def label_saving(
    points: Sequence[CurvePoint],
    arm: str,
    *,
    classes: Sequence[str],
    baseline: str = "random",
    cost: Cost = "frames",
) -> Saving:
    """The ratio on isotonic, linearly interpolated mean curves; percentile bootstrap over paired seeds.

    A resample in which the arm never gets there counts as smaller than every ratio, one in which it starts
    there as larger; a limit that rests on such resamples is a bound.
    """
    first, second = whole_pairs(*paired_curves(points, arm, baseline, classes=classes))
    seeds = len(first.seeds)
    if not seeds or len(first.rounds) < 2:
        return _no_saving(arm, baseline, cost, note=f"no seed has whole curves of both {arm} and {baseline}")
    ratio, bound = _ratio(first, second, cost=cost, weights_S=np.full(seeds, 1 / seeds))
    if not first.cost(cost).any() or not second.cost(cost).any():
        return _no_saving(arm, baseline, cost, note=f"no {cost} were counted", seeds=seeds)
    if not np.isfinite(ratio):
        return _no_saving(arm, baseline, cost, note=f"{baseline} gains nothing on its first model", seeds=seeds)
    if seeds < 2:
        return Saving(arm, baseline, cost, ratio, None, None, bound, "", "", seeds, "one seed: no interval")
    weights_WS, times_W = resamples(seeds)
    drawn = [_ratio(first, second, cost=cost, weights_S=weights_S) for weights_S in weights_WS]
    low, high, low_bound, high_bound = _limits(drawn, times_W)
    return Saving(arm, baseline, cost, ratio, low, high, bound, low_bound, high_bound, seeds)


def _no_saving(arm: str, baseline: str, cost: Cost, *, note: str, seeds: int = 0) -> Saving:
    return Saving(arm, baseline, cost, None, None, None, "", "", "", seeds, note)


def _ratio(arm: Curve, baseline: Curve, *, cost: Cost, weights_S: Array) -> tuple[float, Bound]:
    """NaN where the baseline gains nothing, so that no label buys its last AP."""
    cost_R, other_cost_R = weights_S @ arm.cost(cost), weights_S @ baseline.cost(cost)
    reached_R = isotonic_regression(weights_S @ arm.precision).x
    other_R = isotonic_regression(weights_S @ baseline.precision).x
    goal = other_R[-1] - ROUNDING
    if other_R[0] >= goal:
        return float("nan"), ""
    needed = _cost_to_reach(goal, cost_R, reached_R)
    other_needed = _cost_to_reach(goal, other_cost_R, other_R)
    if reached_R[-1] < goal:
        return _quotient(other_needed, needed), "<="
    if reached_R[0] >= goal:
        return _quotient(other_needed, needed), ">="
    return _quotient(other_needed, needed), ""


def _quotient(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _cost_to_reach(goal: float, cost_R: Array, reached_R: Array) -> float:
    """The least cost at which a non-decreasing curve reaches the goal; its last cost where it never does."""
    at = int(np.searchsorted(reached_R, goal))
    if at in (0, len(cost_R)):
        return float(cost_R[min(at, len(cost_R) - 1)])
    share = (goal - reached_R[at - 1]) / (reached_R[at] - reached_R[at - 1])
    return float(cost_R[at - 1] + share * (cost_R[at] - cost_R[at - 1]))


def _limits(
    drawn: Sequence[tuple[float, Bound]], times_W: NDArray[np.int64]
) -> tuple[float | None, float | None, Bound, Bound]:
    """Percentiles; a resample whose baseline gains nothing (NaN) shows neither saving nor loss: ratio 1."""
    known_W = np.array([1.0 if np.isnan(ratio) else ratio for ratio, _ in drawn])
    ends = {"<=": -np.inf, ">=": np.inf}
    ordered_W = np.array([ends.get(bound, known) for known, (_, bound) in zip(known_W, drawn, strict=True)])
    low, high = percentile_limits(known_W, times_W)
    low_end, high_end = percentile_limits(ordered_W, times_W)
    return (
        low if np.isinf(low_end) else low_end,
        high if np.isinf(high_end) else high_end,
        _bound_of(low_end),
        _bound_of(high_end),
    )


def _bound_of(limit: float) -> Bound:
    if np.isfinite(limit):
        return ""
    return "<=" if limit < 0 else ">="


def shared_bounds(points: Sequence[CurvePoint], *, classes: Sequence[str], cost: Cost) -> tuple[float, float] | None:
    """The costs that the whole curves of all arms and seeds have in common; None where there are none."""
    starts, ends = [], []
    for arm in {point.arm for point in points}:
        curve = curve_of(points, arm, classes=classes).whole()
        for cost_R in curve.cost(cost):
            above = cost_R[cost_R > 0]
            starts.append(above.min() if above.size else np.inf)
            ends.append(cost_R.max())
    if not starts or max(starts) >= min(ends):
        return None
    return float(max(starts)), float(min(ends))


def area_under_curve(
    points: Sequence[CurvePoint],
    arm: str,
    *,
    classes: Sequence[str],
    cost: Cost = "frames",
    baseline: str | None = None,
) -> Interval:
    """Mean AP in [0, 1] over the cost axis, within the bounds common to all arms of all seeds; t interval.

    Over frames the axis is linear (AULC); over positive cells (AULP) and objects it is logarithmic. With a
    baseline: the paired difference of the areas instead; positive = the arm is better.
    """
    bounds = shared_bounds(points, classes=classes, cost=cost)
    if bounds is None:
        return nothing(f"the curves share no range of {cost}")
    areas = _areas(curve_of(points, arm, classes=classes), cost=cost, bounds=bounds)
    if baseline is None:
        return t_interval(list(areas.values()))
    others = _areas(curve_of(points, baseline, classes=classes), cost=cost, bounds=bounds)
    return t_interval(np.round([areas[seed] - others[seed] for seed in areas if seed in others], 12))


def _areas(curve: Curve, *, cost: Cost, bounds: tuple[float, float]) -> dict[int, float]:
    whole = curve.whole()
    rows = zip(whole.seeds, whole.cost(cost), whole.precision, strict=True)
    return {seed: _area(cost_R, value_R, bounds, logarithmic=cost != "frames") for seed, cost_R, value_R in rows}


def _area(cost_R: Array, value_R: Array, bounds: tuple[float, float], *, logarithmic: bool) -> float:
    # of several rounds at one cost the last counts: it has seen the most frames
    last = np.append(np.diff(cost_R) > 0, True) & (cost_R > 0)
    known_R, limits = cost_R[last], np.array(bounds)
    if logarithmic:
        known_R, limits = np.log(known_R), np.log(limits)
    inside = known_R[(known_R > limits[0]) & (known_R < limits[1])]
    grid = np.concatenate([limits[:1], inside, limits[1:]])
    return float(np.trapezoid(np.interp(grid, known_R, value_R[last]), grid) / (limits[1] - limits[0]))
