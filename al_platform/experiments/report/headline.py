"""What was found, in sentences that claim no more than their intervals allow."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.experiments.curves import curve_of
from al_platform.experiments.intervals import Interval
from al_platform.experiments.records import CurvePoint, ExperimentResult
from al_platform.experiments.report.views import View, main_view, tested_arm, yardstick
from al_platform.experiments.report.words import listing, plus_minus, times_within
from al_platform.experiments.saving import Saving, area_under_curve, label_saving
from al_platform.experiments.statistics import arms_of, compare, is_baseline, paired_difference


@dataclass(frozen=True)
class Headline:
    """One sentence of what was found, and the sentences that belong with it."""

    sentence: str
    details: tuple[str, ...] = ()
    arm: str | None = None
    baseline: str | None = None
    class_name: str | None = None


def headline(result: ExperimentResult, views: Sequence[View]) -> Headline:
    """Judge the first strategy that is no baseline against random, on the mean of the targets."""
    points, view = result.points, main_view(views)
    arm, baseline = tested_arm(points), yardstick(points)
    if not points:
        return Headline("Nothing was measured: the experiment has no points.")
    if view is None:
        return Headline("Nothing can be claimed: the test set shows none of the target classes.")
    if arm is None or baseline is None:
        return Headline("Nothing can be claimed: there is no second strategy to compare with.")
    singles = [one for one in views if one.target and one != view]
    details = (
        *(claim(points, arm, baseline, view=one) for one in singles),
        _mean_curve(points, arm, baseline, view=view),
        _per_object(points, arm, baseline, view=view),
        _against_all(points, arm, view=view),
    )
    return Headline(
        sentence=claim(points, arm, baseline, view=view),
        details=tuple(detail for detail in details if detail),
        arm=arm,
        baseline=baseline,
        class_name=view.name,
    )


def claim(points: Sequence[CurvePoint], arm: str, baseline: str, *, view: View) -> str:
    """Labels saved at equal AP: claimed where the ratio's interval excludes 1 and the paired t excludes 0.

    Both are asked for because a bootstrap of few seeds alone is too narrow.
    """
    saving = label_saving(points, arm, baseline=baseline, classes=view.classes)
    difference = paired_difference(points, arm, baseline, classes=view.classes)
    if saving.ratio is None:
        return f"How many labels {arm} saves for {_same(view)} cannot be computed: {saving.note}."
    numbers = f"label saving {ratio_text(saving)}, where 1 is none; on the mean curve {_text(difference)}"
    if saving.seeds < 2:
        return f"Nothing can be claimed for {_of(view)} from one seed ({numbers})."
    if difference.significant and _agrees(saving, difference):
        return _saves(saving, view) if saving.ratio > 1 else _costs(saving, view)
    if difference.significant:
        text = f"{arm} and {baseline} differ in {_of(view)}, but no label saving can be claimed"
        return f"{text} ({numbers})."
    return f"No difference between {arm} and {baseline} can be claimed for {_of(view)} ({numbers})."


def _agrees(saving: Saving, difference: Interval) -> bool:
    if saving.low is None or saving.high is None or difference.mean is None:
        return False
    above = saving.low > 1 and not saving.low_bound and difference.mean > 0
    return above or (below_one(saving.high, saving.high_bound) and difference.mean < 0)


def below_one(high: float, bound: str) -> bool:
    """Whether an upper limit excludes 1; an arm that never gets there needs more than it was given."""
    return high < 1 or (high == 1 and bound == "<=")


def _saves(saving: Saving, view: View) -> str:
    return (
        f"{saving.arm} needs {ratio_text(saving)} times fewer labelled frames than {saving.baseline} for {_same(view)}."
    )


def _costs(saving: Saving, view: View) -> str:
    if saving.bound == "<=" or saving.ratio is None or saving.low is None or saving.high is None:
        return f"{saving.arm} is worse than {saving.baseline}: it never reaches its last {_of(view)}."
    bounds = ("", "", ">=" if saving.low_bound else "")
    text = times_within(1 / saving.ratio, 1 / saving.high, 1 / saving.low, bounds)
    return f"{saving.arm} needs {text} times more labelled frames than {saving.baseline} for {_same(view)}."


def ratio_text(saving: Saving) -> str:
    """A ratio with its interval and its bounds."""
    bounds = saving.bound, saving.low_bound, saving.high_bound
    return times_within(saving.ratio, saving.low, saving.high, bounds)


def _mean_curve(points: Sequence[CurvePoint], arm: str, baseline: str, *, view: View) -> str:
    difference = paired_difference(points, arm, baseline, classes=view.classes)
    if difference.mean is None:
        return ""
    text = f"{_text(difference)}{_doubt(difference)}"
    return f"On the mean curve, {_of(view)} of {arm} minus {baseline} is {text}."


def _per_object(points: Sequence[CurvePoint], arm: str, baseline: str, *, view: View) -> str:
    """The same comparison where each labelled object has its price: at equal numbers of positive cells."""
    difference = area_under_curve(points, arm, classes=view.classes, cost="positive cells", baseline=baseline)
    if difference.mean is None:
        return ""
    return (
        f"At equal numbers of labelled positive cells, {_of(view)} of {arm} minus {baseline} is "
        f"{_text(difference)}{_doubt(difference)}."
    )


def _text(difference: Interval) -> str:
    return plus_minus(difference.mean, difference.half_width)


def _doubt(difference: Interval) -> str:
    if difference.significant is None:
        return " (one seed: no interval)"
    return "" if difference.significant else ": no difference can be claimed"


def _against_all(points: Sequence[CurvePoint], arm: str, *, view: View) -> str:
    verdicts: dict[str, list[str]] = {}
    own = curve_of(points, arm, classes=view.classes)
    for baseline in (other for other in arms_of(points) if is_baseline(other) and other != arm):
        found = compare(own, curve_of(points, baseline, classes=view.classes))
        verdicts.setdefault(found.verdict, []).append(baseline)
    parts = [
        f"{opening} {listing(verdicts[verdict])}"
        for verdict, opening in (
            ("better", "better than"),
            ("no difference", "not distinguishable from"),
            ("worse", "worse than"),
        )
        if verdict in verdicts
    ]
    return f"Per frame, on the mean curve, {arm} is {'; '.join(parts)}." if parts else ""


def _of(view: View) -> str:
    return f"AP of {view.name}" if len(view.classes) == 1 else f"mean AP of {listing(view.classes)}"


def _same(view: View) -> str:
    return f"the same {_of(view)}"
