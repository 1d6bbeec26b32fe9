"""What comes back from Label Studio: believed only after it was checked."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_platform.domain.data import BlobRef
from al_platform.domain.labels import Box
from al_platform.errors import InvalidInput
from al_platform.labeling.label_studio_config import config_problems, controls_of, frame_config
from al_platform.labeling.label_studio_convert import ServerAnnotation, answer_of, label_of, moment, task_json
from tests.al_platform.labeling.label_studio_tasks import (
    CLASSES,
    HEIGHT,
    PERSON,
    WIDTH,
    brief,
    hints,
    region,
    rejection,
    tasks,
)

(TASK,) = tasks("a", 1)
BRIEF = brief(TASK)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def address_of(task_id: str, image: BlobRef) -> str:
    return f"url:{task_id}/{image.hash}"


def annotation(*result: Any, **more: Any) -> ServerAnnotation:
    return ServerAnnotation(1, NOW, list(result), **more)


@settings(deadline=None)
@given(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.data())
def test_a_box_comes_back_as_it_was_proposed(x: int, y: int, data: st.DataObject) -> None:
    box = Box("car", x, y, data.draw(st.integers(x + 1, WIDTH)), data.draw(st.integers(y + 1, HEIGHT)))
    assert answer_of(BRIEF, annotation(region(box))).boxes == (box,)


def test_an_empty_answer_says_that_nothing_is_there() -> None:
    answer = answer_of(BRIEF, annotation())
    assert (answer.boxes, answer.rejected, answer.problem) == ((), "", "")
    label = label_of(BRIEF, answer)
    assert (label.classes, label.boxes, label.width, label.height) == (CLASSES, (), WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (region(rectanglelabels=["tram"]), "label ['tram'] is not one of person, car"),
        (region(rectanglelabels=["person", "car"]), "is not one of person, car"),
        (region(rectanglelabels=None), "label None"),
        (region(x=float("nan")), "is not four numbers"),
        (region(width=float("inf")), "is not four numbers"),
        (region(height="10"), "is not four numbers"),
        (region(x=True), "is not four numbers"),
        (region(x=-5.0), "is not inside the picture"),
        (region(x=95.0), "is not inside the picture"),
        (region(width=0), "it must have an area"),
        (region(height=-3), "it must have an area"),
        (region(rotation=12), "turned by 12 degrees"),
        ({**region(), "image_rotation": 90}, "its picture by 90"),
        ({**region(), "from_name": "other"}, "control 'other' is not of this queue"),
        ({**region(), "type": "brushlabels"}, "is not of this queue"),
        ({**region(), "value": None}, "has no value"),
        ("nonsense", "has no value"),
        (rejection("boring"), "rejection ['boring'] is not one of cannot label, blurred, privacy"),
    ],
)
def test_an_answer_that_cannot_be_is_a_problem_that_names_it(result: Any, problem: str) -> None:
    answer = answer_of(BRIEF, annotation(region(), result))
    assert problem in answer.problem
    assert answer.problem.startswith("region 2: ")
    assert (answer.boxes, answer.rejected) == ((), "")


def test_the_rounding_of_a_browser_is_no_problem_and_stays_inside() -> None:
    answer = answer_of(BRIEF, annotation(region(x=-1e-7, y=0, width=100.0000002, height=100)))
    assert answer.boxes == (Box("person", 0, 0, WIDTH, HEIGHT),)


@pytest.mark.parametrize("reason", ["cannot label", "blurred", "privacy"])
def test_a_frame_is_rejected_with_the_chosen_reason_whatever_boxes_were_left(reason: str) -> None:
    answer = answer_of(BRIEF, annotation(region(), rejection(reason)))
    assert (answer.rejected, answer.boxes) == (reason, ())


def test_a_frame_that_was_passed_over_is_rejected_as_skipped() -> None:
    assert answer_of(BRIEF, annotation(was_cancelled=True)).rejected == "skipped"


def test_time_person_and_review_are_kept() -> None:
    answer = answer_of(BRIEF, annotation(completed_by=7, lead_time=3.5, ground_truth=True))
    assert (answer.annotator, answer.seconds, answer.decisive) == ("user 7", 3.5, True)
    assert answer_of(BRIEF, annotation(lead_time=float("nan"))).seconds is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 10**9))
def test_moments_sort_as_they_follow_each_other(first: datetime, later_us: int) -> None:
    second = first.replace(tzinfo=UTC) + timedelta(microseconds=later_us)
    elsewhere = second.astimezone(timezone(timedelta(hours=5)))
    assert moment(first) <= moment(elsewhere) == moment(second)
    assert len(moment(first)) == len(moment(second))


def test_a_task_carries_our_id_our_order_and_the_proposal_with_its_model() -> None:
    ranked = tasks("a", 2)[0]
    body = task_json(brief(ranked), hints([ranked])[ranked.task_id], address_of)
    data, (prediction,) = body["data"], body["predictions"]
    assert (data["external_id"], data["rank"], data["order"], data["score"]) == (ranked.task_id, 1, "0000000001", 0.5)
    assert (data["image"], data["heatmap"]) == ("url:tsk_a_0/frm_0", "url:tsk_a_0/heat")
    assert (prediction["model_version"], prediction["score"]) == ("ens_1", 0.75)
    assert answer_of(brief(ranked), annotation(*prediction["result"])).boxes == (PERSON,)
    assert task_json(BRIEF, None, address_of)["predictions"] == []


def test_the_config_has_a_control_for_boxes_of_each_class_and_one_for_rejections() -> None:
    assert controls_of(frame_config(("person", '<car> & "bus"'))) == {
        "boxes": ("RectangleLabels", ("person", '<car> & "bus"')),
        "reject": ("Choices", ("cannot label", "blurred", "privacy")),
    }


def test_a_config_that_lost_a_class_or_a_control_is_told() -> None:
    wanted = frame_config(CLASSES)
    assert config_problems(wanted, wanted) == []
    assert config_problems(frame_config(("person",)), wanted) == ["control 'boxes' lacks car"]
    assert config_problems("<View/>", wanted) == [
        "lacks the RectangleLabels control 'boxes'",
        "lacks the Choices control 'reject'",
    ]
    with pytest.raises(InvalidInput, match="is no XML"):
        config_problems("<View", wanted)


@pytest.mark.parametrize("name", ["", " ", "$car", "a\nb", "x" * 101])
def test_a_class_that_a_config_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        frame_config((name,))
