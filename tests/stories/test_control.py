"""What a strategy keeps besides its ranking, over a whole round: control, quotas and distances, verified."""

import pytest

from al_platform.domain.labels import CONTROL_CLASS
from al_platform.domain.rounds import Budget, RoundState, StrategySpec
from al_platform.errors import InvalidInput
from al_platform.experiments.records import ExperimentSpec
from al_platform.loop.rounds import submit_round
from al_platform.platform.experiments import run_ab
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, round_details, run_one_round, verify_round
from tests.fleet import MODEL, POOL, START, TARGETS, TEST, contents, round_spec

pytestmark = pytest.mark.story


def test_control_picks_are_labelled_shown_and_verified_like_all_others(platform: Platform) -> None:
    spec = round_spec(platform, "mi", budget=8, control_share=0.25, group_quota=3, group_tag="weather")
    round_ = run_one_round(platform, spec)
    assert round_.state is RoundState.APPENDED
    picks = round_details(platform, round_.round_id).selections
    assert [pick.rank for pick in picks if pick.for_class == CONTROL_CLASS] == [3, 7]
    assert {pick.score for pick in picks if pick.for_class == CONTROL_CLASS} == {0.0}
    tasks = contents(platform)["tasks"]
    assert [task["state"] for task in tasks if task["for_class"] == CONTROL_CLASS] == ["labeled", "labeled"]
    assert verify_round(platform, round_.round_id) == []


@pytest.mark.parametrize("strategy", ["epishare", "mixdist"])
def test_picks_that_keep_their_distance_are_verified_too(platform: Platform, strategy: str) -> None:
    limits = {"minimum_distance": 1e-3, "control_share": 0.25}
    round_ = run_one_round(platform, round_spec(platform, strategy, budget=4, **limits))
    assert len(round_details(platform, round_.round_id).selections) == 4
    assert verify_round(platform, round_.round_id) == []


def test_what_no_round_can_keep_is_refused_before_anything_is_kept(platform: Platform) -> None:
    for limits, message in (
        ({"group_quota": 2, "group_tag": "surprise"}, "tag 'surprise': no frame carries it; known are "),
        ({"control_share": 0.1}, "strategy manual: cannot keep control_share 0.1"),
    ):
        with pytest.raises(InvalidInput, match=message):
            submit_round(
                loop_context(platform),
                round_spec(platform, "mi" if "group_tag" in limits else "manual", **limits),
            )
    assert contents(platform)["rounds"] == []


def test_a_report_shows_control_picks_without_a_score(platform: Platform) -> None:
    spec = ExperimentSpec(
        name="control",
        model=MODEL,
        targets=TARGETS,
        pool_filter=POOL,
        test_filter=TEST,
        strategies=(StrategySpec("mi", control_share=0.5),),
        budget=Budget(4),
        start=START,
        rounds=1,
        seeds=1,
    )
    result, report = run_ab(platform, spec)
    control = [picked for picked in result.gallery if picked.for_class == CONTROL_CLASS]
    assert [picked.rank for picked in control] == [1, 3]
    assert {point.arm for point in result.points} == {"mi control 0.5"}
    assert result.points[-1].picked == 4  # control is paid for, and counted
    page = report.read_text()
    shown, without_score = page.count('<figure class="picture">'), page.count("<b>control</b>")
    assert 0 < without_score < shown
    assert page.count("· score ") == shown - without_score
