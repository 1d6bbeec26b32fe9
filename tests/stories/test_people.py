"""A round labelled by people: sent to the real Label Studio, answered there, collected, and corrected afterwards."""

from dataclasses import replace
from typing import Any

import pytest

from al_platform.catalog.annotations import annotations_by_id
from al_platform.catalog.datasets import version_items
from al_platform.domain.labels import Annotation, Box, TaskState
from al_platform.domain.rounds import Round, RoundSpec, RoundState
from al_platform.errors import InvalidInput, LabelingUnavailable
from al_platform.labeling.label_studio_convert import box_region
from al_platform.loop.rounds import submit_round
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform
from al_platform.platform.labels import annotators_of_round
from al_platform.platform.rounds import correct_round, loop_context, run_one_round
from al_platform.settings import LabelStudioSettings
from tests.fleet import START, contents, round_spec
from tests.label_studio import TOKEN, Server, free_port

pytestmark = [pytest.mark.story, pytest.mark.label_studio]
BUDGET = 5
REJECTED = {"type": "choices", "from_name": "reject", "to_name": "image", "value": {"choices": ["blurred"]}}


@pytest.fixture
def people(platform: Platform, label_studio: Server) -> Platform:
    """The test's own home, with the server in its settings."""
    server = LabelStudioSettings(label_studio.url, TOKEN)
    return replace(platform, settings=replace(platform.settings, label_studio=server))


def wanted_round(platform: Platform, queue: str) -> RoundSpec:
    return round_spec(platform, test="", budget=BUDGET, annotator="label-studio", queue=queue)


def labels(platform: Platform, version_id: str | None) -> dict[str, Annotation]:
    with platform.catalog.transaction() as tx:
        items = version_items(tx, platform.blobs, version_id or "")
        found = annotations_by_id(tx, [item.annotation_id for item in items])
    return {item.item_id: found[item.annotation_id] for item in items}


def drawn(task: dict[str, Any], name: str = "person") -> dict[str, Any]:
    """A box over the upper left quarter of a task's frame."""
    region = box_region(Box(name, 0, 0, 50, 50), width=100, height=100)
    assert task["data"]["image"].startswith("data:image/")
    return region


def test_a_round_is_labelled_by_people_and_corrected_afterwards(people: Platform, label_studio: Server) -> None:
    spec = wanted_round(people, "story")
    sent = run_one_round(people, spec)
    assert (sent.state, sent.message) == (
        RoundState.SENT,
        f"{BUDGET} of {BUDGET} labels are still out; run the round again when they are in",
    )
    tasks = sorted(label_studio.tasks("story"), key=lambda task: task["data"]["rank"])
    assert [task["data"]["rank"] for task in tasks] == list(range(BUDGET))
    assert all(task["data"]["heatmap"].startswith("data:image/jpeg") for task in tasks)
    assert all(task["total_predictions"] == 1 for task in tasks)

    drew = label_studio.annotate(tasks[0]["id"], [drawn(tasks[0])])
    label_studio.annotate(tasks[1]["id"], [])
    label_studio.annotate(tasks[2]["id"], [REJECTED])
    label_studio.annotate(tasks[3]["id"], [drawn(tasks[3], "tram")])
    waiting = run_one_round(people, spec)
    assert waiting.state is RoundState.SENT
    assert waiting.message.startswith(f"2 of {BUDGET} labels are still out")
    assert f"task {tasks[3]['data']['external_id']}: user " in waiting.message
    assert "label ['tram'] is not one of person, bicycle, car" in waiting.message
    assert run_one_round(people, spec).message == waiting.message  # the reason stays until it is mended

    label_studio.annotate(tasks[3]["id"], [drawn(tasks[3], "car"), drawn(tasks[3])])
    label_studio.annotate(tasks[4]["id"], [REJECTED])
    appended = run_one_round(people, spec)
    assert appended.state is RoundState.APPENDED
    frames = [task["data"]["item_id"] for task in tasks]
    first = labels(people, appended.dataset_version_id)
    assert len(first) == START + 3
    assert [len(first[frame].boxes) for frame in (frames[0], frames[1], frames[3])] == [1, 0, 2]
    assert_corner(first[frames[0]])
    assert states(people, appended) == {
        **dict.fromkeys((frames[0], frames[1], frames[3]), TaskState.LABELED),
        **dict.fromkeys((frames[2], frames[4]), TaskState.REJECTED),
    }
    (person,) = annotators_of_round(people, appended.round_id)
    assert (person.answers, person.rejected, person.unusable, person.seconds) == (6, 2, 1, 45.0)
    (person,) = annotators_of_round(people, appended.round_id, gold=appended.dataset_version_id or "")
    assert person.gold_agreement == 1.0
    with pytest.raises(InvalidInput, match="asked for no frame with boxes"):
        annotators_of_round(people, appended.round_id, gold=spec.dataset_version_id)

    assert correct_round(people, appended.round_id) is None
    label_studio.change(drew, result=[])
    label_studio.annotate(tasks[1]["id"], [REJECTED])
    label_studio.annotate(tasks[2]["id"], [drawn(tasks[2])])
    version = correct_round(people, appended.round_id)
    assert version is not None
    assert version.parent_id == appended.dataset_version_id
    second = labels(people, version.version_id)
    assert (second[frames[0]].boxes, second[frames[0]].revision) == ((), 2)
    assert frames[1] not in second
    assert len(second[frames[2]].boxes) == 1
    assert labels(people, appended.dataset_version_id) == first
    assert correct_round(people, appended.round_id) is None
    assert run_one_round(people, spec) == appended
    assert version.version_id in lineage(people, version.version_id)


def test_a_server_that_is_down_leaves_the_round_where_it_was_and_says_why(
    people: Platform, label_studio: Server
) -> None:
    nowhere = LabelStudioSettings(f"http://127.0.0.1:{free_port()}", TOKEN)
    down = replace(people, settings=replace(people.settings, label_studio=nowhere))
    spec = wanted_round(people, "down")
    with pytest.raises(LabelingUnavailable, match="cannot be reached"):
        run_one_round(down, spec)
    waiting = submit_round(loop_context(people), spec)
    assert waiting.state is RoundState.SELECTED
    assert waiting.message.startswith("send: Label Studio at http://127.0.0.1")
    assert run_one_round(people, spec).state is RoundState.SENT
    with pytest.raises(LabelingUnavailable, match="cannot be reached"):
        run_one_round(down, spec)
    assert submit_round(loop_context(people), spec).state is RoundState.SENT
    assert len(label_studio.tasks("down")) == BUDGET
    with pytest.raises(InvalidInput, match="is sent; run it again, which takes in every change"):
        correct_round(people, waiting.round_id)


def assert_corner(label: Annotation) -> None:
    (box,) = label.boxes
    assert (box.x_min, box.y_min) == (0, 0)
    assert (box.x_max, box.y_max) == (label.width / 2, label.height / 2)
    assert label.source == "label-studio"


def states(platform: Platform, round_: Round) -> dict[str, str]:
    rows = contents(platform)["tasks"]
    return {row["item_id"]: row["state"] for row in rows if row["round_id"] == round_.round_id}
