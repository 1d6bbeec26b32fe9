"""What changed from one policy to the next: a verdict, and the scenarios that got worse or better."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from al_platform.domain.judging import PROGRESS, Change, Estimate, Verdict
from al_platform.errors import InvalidInput
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.wheel import Drive

_FAILURE = ("failure",)
_VIOLATIONS = ("red_light", "stop_line", "off_road", "wrong_way")

COVERED = "route_covered"
"""Progress ratio, at most 1: who races ahead of the recording and then drives properly has not got worse."""

ByScenario = Mapping[str, Sequence[Drive]]


@dataclass(frozen=True)
class ComparisonSpec:
    """What counts as worse, and how much is drawn."""

    progress_margin: float = 0.02
    """A progress ratio that is lower by less is no regression."""
    clips: int = 10
    """Scenarios of which a clip is drawn: so many that got worse and so many that got better, most first."""

    def __post_init__(self) -> None:
        """Refuse negative margins and numbers."""
        if self.clips < 0 or not 0.0 <= self.progress_margin < math.inf:
            raise InvalidInput(f"{self.clips} clips, margin {self.progress_margin}: must be numbers, 0 or more")


def comparable(drives: Sequence[Drive]) -> list[DrivenScenario]:
    """Give the drives with what they are compared by besides their measures."""
    return [
        replace(each.driven, measures={**each.driven.measures, COVERED: min(each.driven.measures[PROGRESS], 1.0)})
        for each in drives
    ]


def verdict_of(differences: Mapping[str, Estimate], spec: ComparisonSpec) -> Verdict:
    """Say whether the second is worse: it fails significantly more often, or gets significantly less far."""
    failure, progress = differences.get("failure"), differences.get(COVERED)
    behind = progress is not None and progress.high < 0.0 and progress.mean < -spec.progress_margin
    if behind or (failure is not None and failure.low > 0.0):
        return "worse"
    return "better" if failure is not None and failure.high < 0.0 else "no difference"


def changes_of(before: ByScenario, after: ByScenario) -> tuple[list[Change], list[Change]]:
    """Give the scenarios that got worse and those that got better: by failures, and among equals by violations."""
    found = []
    for scenario_id, drives in before.items():
        others = after[scenario_id]
        # rounded: shares of three drivers are not exact
        change = tuple(round(_share(others, names) - _share(drives, names), 9) for names in (_FAILURE, _VIOLATIONS))
        found.append((change, _change(drives, others)))
    worse = [(change, each) for change, each in found if change > (0.0, 0.0)]
    better = [(change, each) for change, each in found if change < (0.0, 0.0)]
    worse.sort(key=lambda item: item[0], reverse=True)
    better.sort(key=lambda item: item[0])
    return [each for _, each in worse], [each for _, each in better]


def _trouble(drive: Drive) -> tuple[float, float]:
    return _share([drive], _FAILURE), _share([drive], _VIOLATIONS)


def _change(before: Sequence[Drive], after: Sequence[Drive]) -> Change:
    scenario = before[0].driven.scenario
    return Change(
        scenario_id=scenario.scenario_id,
        session_id=scenario.session_id,
        before=_share(before, _FAILURE),
        after=_share(after, _FAILURE),
        before_reason=worst_of(before).driven.reason,
        after_reason=worst_of(after).driven.reason,
    )


def _share(drives: Sequence[Drive], names: Sequence[str]) -> float:
    return sum(drive.driven.measures[name] for drive in drives for name in names) / len(drives)


def worst_of(drives: Sequence[Drive]) -> Drive:
    """Give the first drive with the most trouble: a failure, else violations."""
    return max(drives, key=_trouble)


def best_of(drives: Sequence[Drive]) -> Drive:
    """Give the first drive with the least trouble."""
    return min(drives, key=_trouble)


def by_scenario(drives: Sequence[Drive]) -> dict[str, list[Drive]]:
    """Give the drives of each scenario, in their order."""
    found: dict[str, list[Drive]] = {}
    for drive in drives:
        found.setdefault(drive.driven.scenario.scenario_id, []).append(drive)
    return found
