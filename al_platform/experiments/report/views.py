"""What a report looks at: each class that can be measured, their mean, and who is compared to whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_platform.experiments.records import CurvePoint, ExperimentResult
from al_platform.experiments.statistics import BASELINES, arms_of, is_baseline, strategy_of

TARGET_MEAN = "mean of targets"


@dataclass(frozen=True)
class View:
    """One way to look at the results: a class, or the mean of all targets."""

    name: str
    classes: tuple[str, ...]
    target: bool


def views_of(result: ExperimentResult) -> tuple[View, ...]:
    """The targets, their mean where there are several, the other classes: what the test set can measure."""
    measured = measured_classes(result.points)
    targets = tuple(name for name in result.spec.targets if name in measured)
    others = tuple(name for name in result.spec.model.classes if name in measured and name not in targets)
    mean = (View(TARGET_MEAN, targets, True),) if len(targets) > 1 else ()
    return (
        *(View(name, (name,), True) for name in targets),
        *mean,
        *(View(name, (name,), False) for name in others),
    )


def main_view(views: Sequence[View]) -> View | None:
    """What the headline is about: the mean of the targets, or the only target."""
    targets = [view for view in views if view.target]
    return targets[-1] if targets else None


def measured_classes(points: Sequence[CurvePoint]) -> set[str]:
    """The classes that have an average precision somewhere."""
    return {name for point in points for name, value in point.average_precision.items() if np.isfinite(value)}


def missing_classes(result: ExperimentResult) -> tuple[str, ...]:
    """Classes of the model that the test set cannot measure."""
    measured = measured_classes(result.points)
    return tuple(name for name in result.spec.model.classes if name not in measured)


def arm_of(points: Sequence[CurvePoint], strategy: str) -> str | None:
    """The first arm that runs a strategy; None where none does."""
    return next((arm for arm in arms_of(points) if strategy_of(arm) == strategy), None)


def yardstick(points: Sequence[CurvePoint]) -> str | None:
    """The arm the others are measured against: random, else the first baseline, else the first of several."""
    arms = arms_of(points)
    named = [arm for name in BASELINES if (arm := arm_of(points, name)) is not None]
    if len(arms) < 2:
        return None
    return named[0] if named else arms[0]


def tested_arm(points: Sequence[CurvePoint]) -> str | None:
    """The arm of the headline: the first that is no baseline, else the first that is not the yardstick."""
    others = [arm for arm in arms_of(points) if arm != yardstick(points)]
    return next((arm for arm in others if not is_baseline(arm)), others[0] if others else None)


def improvement_reference(points: Sequence[CurvePoint]) -> str | None:
    """The arm whose gain over the reference model counts as 1: manual curation, else random."""
    return arm_of(points, "manual") or arm_of(points, "random")
