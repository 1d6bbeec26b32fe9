"""What changed between two policies: verdicts, and the scenarios that got worse or better."""

from dataclasses import replace

import numpy as np
import pytest

from al_platform.domain.judging import Change, Estimate
from al_platform.errors import InvalidInput
from al_platform.policies.changes import COVERED, ComparisonSpec, best_of, by_scenario, changes_of, verdict_of, worst_of
from al_platform.policies.wheel import Drive
from tests.al_platform.policies.test_driven import drive

HIT, RED = {"collision": 1.0}, {"red_light": 2.0}
SPEC = ComparisonSpec()


def drives(*events: dict[str, float], members: int = 1) -> dict[str, list[Drive]]:
    """Scenarios 0, 1, ... in which this happens to every driver."""
    numbered = [(number, each, member) for number, each in enumerate(events) for member in range(members)]
    driven = [drive(number, events=each, member=member) for number, each, member in numbered]
    return by_scenario([Drive(each, np.zeros((2, 3), np.float32), overlaps=False) for each in driven])


def around(mean: float, width: float) -> Estimate:
    return Estimate(mean, mean - width, mean + width, 50)


def test_scenarios_are_listed_by_how_much_worse_they_got() -> None:
    before = drives({}, {}, HIT, HIT, {})
    after = drives({}, HIT, HIT, {}, RED)
    worse, better = changes_of(before, after)
    assert [(change.scenario_id, change.before, change.after) for change in worse] == [
        ("scn_1", 0.0, 1.0),
        ("scn_4", 0.0, 0.0),
    ]
    assert [change.scenario_id for change in better] == ["scn_3"]
    assert (worse[0].before_reason, worse[0].after_reason) == ("", "collision at 1.0 s (not at fault)")
    assert worse[1].after_reason == "red light at 2.0 s"
    assert changes_of(after, before) == ([mirrored(each) for each in better], [mirrored(each) for each in worse])


def mirrored(change: Change) -> Change:
    """The same change, looked at from the other policy."""
    return replace(
        change,
        before=change.after,
        after=change.before,
        before_reason=change.after_reason,
        after_reason=change.before_reason,
    )


def test_equal_shares_of_drivers_are_no_change() -> None:
    same = drives(HIT, {}, RED, members=3)
    assert changes_of(same, same) == ([], [])


def test_the_worst_and_the_best_drive_are_those_to_be_seen() -> None:
    mixed = [*drives({})["scn_0"], *drives(RED)["scn_0"], *drives(HIT)["scn_0"]]
    assert worst_of(mixed).driven.events == HIT
    assert best_of(mixed).driven.events == {}


@pytest.mark.parametrize(
    ("failure", "progress", "verdict"),
    [
        (around(0.1, 0.05), around(0.0, 0.1), "worse"),
        (around(-0.1, 0.05), around(0.0, 0.1), "better"),
        (around(0.1, 0.2), around(0.0, 0.1), "no difference"),
        (around(-0.1, 0.05), around(-0.5, 0.1), "worse"),
        (around(0.0, 0.0), around(-0.01, 0.001), "no difference"),
    ],
)
def test_who_fails_less_because_it_stands_still_is_not_better(
    failure: Estimate, progress: Estimate, verdict: str
) -> None:
    assert verdict_of({"failure": failure, COVERED: progress}, SPEC) == verdict


def test_a_comparison_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="0 or more"):
        ComparisonSpec(clips=-1)
    for margin in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match=f"margin {margin}: must be numbers, 0 or more"):
            ComparisonSpec(progress_margin=margin)
