"""Curve points as arrays: one row per seed, one column per round.

Axes: S seeds, R rounds (checkpoints). NaN marks a point that was not measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from al_platform.errors import InvalidInput
from al_platform.experiments.intervals import Array
from al_platform.experiments.records import CurvePoint

Cost = Literal["frames", "positive cells", "objects"]
"""What a label is counted in."""


@dataclass(frozen=True)
class Curve:
    """One arm for some classes, [S, R] each: precision is their mean, positive cells and objects are sums."""

    arm: str
    seeds: tuple[int, ...]
    rounds: tuple[int, ...]
    precision: Array
    frames: Array
    positive_cells: Array
    objects: Array

    def cost(self, unit: Cost) -> Array:
        """What was labelled so far, the start set included."""
        columns = {
            "frames": self.frames,
            "positive cells": self.positive_cells,
            "objects": self.objects,
        }
        if unit not in columns:
            raise InvalidInput(f"cost {unit!r}: must be one of {', '.join(columns)}")
        return columns[unit]

    def cut(self, seeds: Sequence[int], rounds: Sequence[int]) -> "Curve":
        """The same curve at these seeds and rounds, in this order."""
        cells = np.ix_([self.seeds.index(seed) for seed in seeds], [self.rounds.index(r) for r in rounds])
        return replace(
            self,
            seeds=tuple(seeds),
            rounds=tuple(rounds),
            precision=self.precision[cells],
            frames=self.frames[cells],
            positive_cells=self.positive_cells[cells],
            objects=self.objects[cells],
        )

    def whole(self) -> "Curve":
        """Only the seeds that were measured at every round."""
        seeds = [seed for seed, row in zip(self.seeds, self.precision, strict=True) if np.isfinite(row).all()]
        return self.cut(seeds, self.rounds)


def curve_of(points: Sequence[CurvePoint], arm: str, *, classes: Sequence[str]) -> Curve:
    """Collect an arm's points; an arm without points gives a curve without seeds.

    Raises: InvalidInput where two points claim the same arm, seed and round, or no class is named.
    """
    if not classes:
        raise InvalidInput("no classes: name at least one to measure")
    own = {(point.seed, point.round_index): point for point in points if point.arm == arm}
    if len(own) < sum(point.arm == arm for point in points):
        raise InvalidInput(f"arm {arm}: two points for the same seed and round; keep one")
    seeds = tuple(sorted({seed for seed, _ in own}))
    rounds = tuple(sorted({round_index for _, round_index in own}))
    columns = np.full((4, len(seeds), len(rounds)), np.nan)
    for (seed, round_index), point in own.items():
        columns[:, seeds.index(seed), rounds.index(round_index)] = _measures(point, classes)
    return Curve(arm, seeds, rounds, *columns)


def _measures(point: CurvePoint, classes: Sequence[str]) -> tuple[float, float, float, float]:
    precision = sum(point.average_precision.get(name, np.nan) for name in classes) / len(classes)
    return (
        precision if np.isfinite(precision) else np.nan,
        point.frames,
        sum(point.positive_cells.get(name, 0) for name in classes),
        sum(point.objects.get(name, 0) for name in classes),
    )


def paired_curves(
    points: Sequence[CurvePoint], arm: str, baseline: str, *, classes: Sequence[str]
) -> tuple[Curve, Curve]:
    """Two arms at their common seeds and rounds, row for row; neither need be whole."""
    return paired(curve_of(points, arm, classes=classes), curve_of(points, baseline, classes=classes))


def paired(first: Curve, second: Curve) -> tuple[Curve, Curve]:
    """Two curves cut to their common seeds and rounds."""
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    rounds = [r for r in first.rounds if r in second.rounds]
    return first.cut(seeds, rounds), second.cut(seeds, rounds)


def whole_pairs(first: Curve, second: Curve) -> tuple[Curve, Curve]:
    """Of two paired curves, only the seeds that were measured at every round in both."""
    seeds = [seed for seed in first.whole().seeds if seed in second.whole().seeds]
    return first.cut(seeds, first.rounds), second.cut(seeds, second.rounds)
