"""Triage in Label Studio's JSON: what is asked, and that nothing that comes back is believed before it is checked."""

from datetime import UTC, datetime
from typing import Any

import pytest

from al_platform.domain.data import BlobRef
from al_platform.domain.labels import LabelTask
from al_platform.domain.triage import Triage, Verdict
from al_platform.errors import InvalidInput
from al_platform.labeling.base import Clip, SceneBrief
from al_platform.labeling.consensus import ReviewPolicy, settle
from al_platform.labeling.label_studio_config import controls_of
from al_platform.labeling.label_studio_convert import ServerAnnotation
from al_platform.labeling.label_studio_kinds import answer_said, body_of, config_of, label_that_stands

TASK = LabelTask("tsk_1", "rnd_1", "scn_1", "off_route", 4, 0.25)
BRIEF = SceneBrief(TASK, "queue", ("night", "rain"), "off_route", "generated/0/17")
PLAIN = SceneBrief(TASK, "queue", ("night", "rain"), "", "generated/0/17")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def said(*result: Any, by: int = 1, **more: Any) -> ServerAnnotation:
    return ServerAnnotation(by, NOW, list(result), completed_by=by, **more)


def choice(name: str, *values: str) -> dict[str, Any]:
    return {"type": "choices", "from_name": name, "to_name": "clip", "value": {"choices": list(values)}}


RATING = {"type": "rating", "from_name": "difficulty", "to_name": "clip", "value": {"rating": 4}}
WORDS = {"type": "textarea", "from_name": "text", "to_name": "clip", "value": {"text": ["the cyclist", 'is "odd"']}}
ACCEPTED, CONFIRMED = choice("verdict", "accept"), choice("event", "confirmed")


def test_people_are_asked_for_all_that_a_triage_holds() -> None:
    assert set(controls_of(config_of(BRIEF))) == {"event", "verdict", "tags", "difficulty", "text"}
    assert "tags" not in controls_of(config_of(SceneBrief(TASK, "queue", (), "", "x")))
    with pytest.raises(InvalidInput, match="each must be named once"):
        config_of(SceneBrief(TASK, "queue", ("a", "a"), "", "x"))


def test_a_task_shows_clip_event_rank_and_score() -> None:
    data = body_of(BRIEF, Clip(BlobRef("gif", 1, "image/gif")), lambda task_id, blob: f"url:{task_id}/{blob.hash}")[
        "data"
    ]
    assert (data["external_id"], data["item_id"], data["clip"]) == ("tsk_1", "scn_1", "url:tsk_1/gif")
    assert (data["event"], data["rank"], data["order"]) == ("off route: did it happen?", 4, "0000000004")
    assert data["title"] == "Scenario generated/0/17, rank 4, picked for: off_route, score 0.25"


def test_everything_that_was_said_becomes_one_triage() -> None:
    answer = answer_said(BRIEF, said(CONFIRMED, ACCEPTED, choice("tags", "rain", "night"), RATING, WORDS))
    assert label_that_stands(BRIEF, answer) == Triage(
        "scn_1",
        Verdict.ACCEPT,
        "label-studio",
        tags=("night", "rain"),
        difficulty=4,
        text='the cyclist\nis "odd"',
        events={"off_route": True},
    )
    assert (answer.rejected, answer.problem) == ("", "")


@pytest.mark.parametrize(
    ("event", "known"), [("confirmed", {"off_route": True}), ("not confirmed", {"off_route": False}), ("unclear", {})]
)
def test_an_unclear_event_says_nothing_of_precision(event: str, known: dict[str, bool]) -> None:
    triage = answer_said(BRIEF, said(choice("event", event), ACCEPTED)).triage
    assert triage is not None
    assert dict(triage.events) == known


@pytest.mark.parametrize(("verdict", "reason"), [("reject", "bad recording"), ("duplicate", "duplicate")])
def test_a_rejected_scenario_keeps_its_triage(verdict: str, reason: str) -> None:
    answer = answer_said(BRIEF, said(CONFIRMED, choice("verdict", verdict)))
    assert answer.rejected == reason
    assert label_that_stands(BRIEF, answer) == Triage(
        "scn_1", Verdict(verdict), "label-studio", events={"off_route": True}
    )


def test_without_an_event_the_verdict_suffices() -> None:
    assert label_that_stands(PLAIN, answer_said(PLAIN, said(ACCEPTED))) == Triage(
        "scn_1", Verdict.ACCEPT, "label-studio"
    )


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ([], "says nothing of event, verdict"),
        ([CONFIRMED], "says nothing of verdict"),
        ([ACCEPTED], "says nothing of event"),
        ([choice("verdict", "maybe")], "verdict ['maybe'] is not of accept, reject, duplicate"),
        ([choice("verdict", "accept", "reject")], "one was asked for"),
        ([choice("tags", "snow")], "tags ['snow'] is not of night, rain"),
        ([choice("colour", "red")], "control 'colour' is not of this queue"),
        ([{"from_name": "difficulty", "value": {"rating": 9}}], "difficulty 9 is not 1 to 5"),
        ([{"from_name": "text", "value": {"text": 3}}], "text is no text"),
        ([None], "a region has no value"),
    ],
)
def test_triage_that_cannot_be_is_a_problem_that_names_it(result: list[Any], problem: str) -> None:
    answer = answer_said(BRIEF, said(*result))
    assert problem in answer.problem
    assert label_that_stands(BRIEF, answer) is None


def test_people_who_contradict_each_other_call_a_reviewer() -> None:
    both = [
        answer_said(BRIEF, said(choice("event", event), ACCEPTED, by=who))
        for who, event in enumerate(("confirmed", "not confirmed"), start=1)
    ]
    policy = ReviewPolicy(answers=2)
    assert "a reviewer has to decide" in settle(both, policy).waits
    agreed = [answer_said(BRIEF, said(CONFIRMED, ACCEPTED, by=who)) for who in (1, 2)]
    stands = settle(agreed, policy).answer
    assert stands is not None
    assert stands.triage == agreed[0].triage
