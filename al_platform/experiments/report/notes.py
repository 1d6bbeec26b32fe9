"""What could not be computed, said in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from al_platform.experiments.curves import curve_of
from al_platform.experiments.records import ExperimentResult
from al_platform.experiments.report.views import View, arm_of, missing_classes, yardstick
from al_platform.experiments.report.words import listing
from al_platform.experiments.statistics import arms_of


def notes(result: ExperimentResult, views: Sequence[View], improvements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One sentence per gap of the experiment; none where everything could be computed."""
    yield from _classes(result)
    yield from _arms(result)
    yield from _seeds(result, views)
    if len({point.seed for point in result.points}) > 1:
        yield from _undefined(improvements)
    if not result.gallery:
        yield "No pictures were kept, so no gallery is shown."


def _classes(result: ExperimentResult) -> Iterator[str]:
    if not result.points:
        yield "The experiment has no points; every table is empty."
        return
    missing = missing_classes(result)
    if missing:
        yield f"The test set does not show {listing(missing)}: no average precision, no part in any mean."


def _arms(result: ExperimentResult) -> Iterator[str]:
    arms, baseline = arms_of(result.points), yardstick(result.points)
    if len(arms) == 1:
        yield f"{arms[0]} is the only arm: there are no comparisons, savings or verdicts."
    if len(arms) > 1 and arm_of(result.points, "random") is None:
        yield f"There is no random arm: label savings are against {baseline}."
    if len(arms) > 1 and arm_of(result.points, "manual") is None:
        instead = "relative to random" if arm_of(result.points, "random") else "absolute only"
        yield f"There is no manual arm: gains over the reference model are {instead}."


def _seeds(result: ExperimentResult, views: Sequence[View]) -> Iterator[str]:
    seeds = {point.seed for point in result.points}
    if len(seeds) == 1:
        yield "One seed was run: there are no intervals, so no difference can be claimed."
    for arm in arms_of(result.points) if views else ():
        curve = curve_of(result.points, arm, classes=views[0].classes)
        cut = [str(seed) for seed in sorted(seeds) if seed not in curve.whole().seeds]
        if cut:
            yield f"{arm} has no whole curve for seed {listing(cut)}: not in mean curves, savings and areas."


def _undefined(improvements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The ratios without a denominator, one sentence per class and reason."""
    gaps: dict[tuple[str, str], list[str]] = {}
    for row in improvements:
        if row["relative"] is not None and row["relative"].mean is None:
            rounds = gaps.setdefault((row["class"], row["relative"].note), [])
            if str(row["round"]) not in rounds:
                rounds.append(str(row["round"]))
    for (name, reason), rounds in gaps.items():
        yield f"{name}: no relative gain at round {listing(rounds)}: {reason}."
