"""The lists of the summary: one flat row per number, and where it belongs."""

from collections.abc import Iterator, Sequence
from typing import Any

from al_platform.domain.hashing import to_plain
from al_platform.experiments.curves import Cost
from al_platform.experiments.records import CurvePoint
from al_platform.experiments.report.views import View, improvement_reference, yardstick
from al_platform.experiments.saving import area_under_curve, label_saving, shared_bounds
from al_platform.experiments.selections import yields
from al_platform.experiments.statistics import (
    arms_of,
    compare_with_baselines,
    gain_over_reference,
    learning_curve,
    relative_improvement,
)

COSTS: tuple[Cost, ...] = ("frames", "positive cells", "objects")

Points = Sequence[CurvePoint]
Rows = Iterator[dict[str, Any]]


def curve_rows(points: Points, view: View) -> Rows:
    """One row per arm and checkpoint."""
    for arm in arms_of(points):
        curves = [learning_curve(points, arm, classes=view.classes, cost=cost) for cost in COSTS]
        for frames, cells, objects in zip(*curves, strict=True):
            yield {
                "arm": arm,
                "class": view.name,
                "round": frames.round_index,
                "frames": frames.cost,
                "positive_cells": cells.cost,
                "objects": objects.cost,
                "average_precision": frames.average_precision,
            }


def saving_rows(points: Points, view: View) -> Rows:
    """One row per arm and unit of cost, against the yardstick; none where there is no yardstick."""
    baseline = yardstick(points)
    for arm in arms_of(points) if baseline is not None else ():
        for cost in COSTS if arm != baseline else ():
            saving = label_saving(points, arm, baseline=str(baseline), classes=view.classes, cost=cost)
            yield {"class": view.name, **to_plain(saving)}


def area_rows(points: Points, view: View) -> Rows:
    """One row per arm for AULC (frames) and AULP (positive cells), with the difference to the yardstick."""
    baseline = yardstick(points)
    for cost in COSTS[:2]:
        bounds = shared_bounds(points, classes=view.classes, cost=cost)
        for arm in arms_of(points):
            compared = baseline is not None and arm != baseline
            yield {
                "arm": arm,
                "class": view.name,
                "cost": cost,
                "bounds": bounds,
                "area": area_under_curve(points, arm, classes=view.classes, cost=cost),
                "baseline": baseline if compared else None,
                "difference": area_under_curve(points, arm, classes=view.classes, cost=cost, baseline=baseline)
                if compared
                else None,
            }


def improvement_rows(points: Points, view: View) -> Rows:
    """One row per arm and checkpoint: the gain over the reference model, also relative to manual curation."""
    versus = improvement_reference(points)
    for arm in arms_of(points):
        for round_index in sorted({p.round_index for p in points if p.arm == arm and p.round_index > 0}):
            relative = (
                relative_improvement(points, arm, classes=view.classes, versus=versus, at=round_index)
                if versus is not None
                else None
            )
            yield {
                "arm": arm,
                "versus": versus,
                "class": view.name,
                "round": round_index,
                "gain": gain_over_reference(points, arm, classes=view.classes, at=round_index),
                "relative": relative,
            }


def comparison_rows(points: Points, view: View) -> Rows:
    """One row per arm, baseline and place of the curve."""
    for found in compare_with_baselines(points, classes=view.classes):
        yield {
            "arm": found.arm,
            "baseline": found.baseline,
            "class": view.name,
            "at": found.at,
            "difference": found.difference,
            "half_width": found.difference.half_width,
            "verdict": found.verdict,
        }


def selection_rows(points: Points, targets: Sequence[str]) -> Rows:
    """One row per arm and round, and one over all its rounds (round None)."""
    for arm in arms_of(points):
        for found in yields(points, arm, targets=targets):
            plain = to_plain(found)
            yield {"arm": arm, "round": plain.pop("round_index"), **plain}
