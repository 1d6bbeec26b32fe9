"""What each arm's labels held (positives, objects, sessions, hard negatives) and the time they took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from al_platform.experiments.intervals import Interval, t_interval
from al_platform.experiments.records import CurvePoint


@dataclass(frozen=True)
class RoundYield:
    """What one round of an arm gave, or all its rounds (`round_index` None); intervals over seeds."""

    arm: str
    round_index: int | None
    frames: Interval
    """Labelled frames so far, the start set included."""
    positives_per_label: Interval
    """Cells newly labelled with a target class per newly labelled frame."""
    objects: Mapping[str, Interval]
    """Per class: labelled objects so far."""
    sessions: Interval
    """Distinct sessions so far."""
    hard_negative_share: Interval
    """Share in [0, 1] of the frames labelled here that show no target class."""
    seconds: Mapping[str, float]
    """Per step: mean over the seeds and rounds in which it ran (a cached step did not)."""


def yields(points: Sequence[CurvePoint], arm: str, *, targets: Sequence[str]) -> tuple[RoundYield, ...]:
    """One record per round after the reference model, then one over all of them; empty where none was run."""
    seeds: dict[int, dict[int, CurvePoint]] = {}
    for point in points:
        if point.arm == arm:
            seeds.setdefault(point.seed, {})[point.round_index] = point
    rounds = sorted({r for by_round in seeds.values() for r in by_round if r > 0})
    found = [_round_yield(arm, r, _steps(seeds, r - 1, r), targets) for r in rounds]
    if rounds:
        found.append(_round_yield(arm, None, _steps(seeds, 0, rounds[-1]), targets))
    return tuple(found)


_Step = tuple[CurvePoint, CurvePoint, list[CurvePoint]]
"""Of one seed: the point before, the point after, and the points of the rounds up to it."""


def _steps(seeds: Mapping[int, Mapping[int, CurvePoint]], before: int, after: int) -> list[_Step]:
    return [
        (
            by_round[before],
            by_round[after],
            [by_round[r] for r in range(before + 1, after + 1) if r in by_round],
        )
        for by_round in seeds.values()
        if before in by_round and after in by_round
    ]


def _round_yield(arm: str, round_index: int | None, steps: list[_Step], targets: Sequence[str]) -> RoundYield:
    classes = dict.fromkeys(name for _, after, _ in steps for name in after.objects)
    return RoundYield(
        arm=arm,
        round_index=round_index,
        frames=t_interval([after.frames for _, after, _ in steps]),
        positives_per_label=t_interval([_positives_per_label(step, targets) for step in steps]),
        objects={name: t_interval([after.objects.get(name, 0) for _, after, _ in steps]) for name in classes},
        sessions=t_interval([after.sessions for _, after, _ in steps]),
        hard_negative_share=t_interval([_hard_negative_share(within) for _, _, within in steps]),
        seconds=_seconds([point for _, _, within in steps for point in within]),
    )


def _positives_per_label(step: _Step, targets: Sequence[str]) -> float:
    before, after, _ = step
    frames = after.frames - before.frames
    cells = sum(after.positive_cells.get(name, 0) - before.positive_cells.get(name, 0) for name in targets)
    return cells / frames if frames > 0 else float("nan")


def _hard_negative_share(within: Sequence[CurvePoint]) -> float:
    picked = sum(point.picked for point in within)
    return sum(point.picked_without_target for point in within) / picked if picked else float("nan")


def _seconds(points: Sequence[CurvePoint]) -> dict[str, float]:
    steps = dict.fromkeys(step for point in points for step in point.seconds)
    return {step: float(np.mean([p.seconds[step] for p in points if step in p.seconds])) for step in steps}
