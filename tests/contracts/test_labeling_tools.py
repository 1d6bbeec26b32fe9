"""What holds for every labelling tool."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from al_platform.domain.labels import Annotation, Box, LabelTask
from al_platform.labeling.base import LabelingTool
from al_platform.labeling.label_studio_convert import box_region
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers
from tests.al_platform.labeling.label_studio_tasks import CLASSES, HEIGHT, PERSON, WIDTH, rejection, tasks, tool
from tests.label_studio import TOKEN, Server

Said = Mapping[str, Sequence[Box] | str]
"""What people say of frames, by frame id: boxes, or a reason to reject."""


@dataclass(frozen=True)
class Case:
    """A labelling tool, another process's instance of it, and a way to make people answer."""

    tool: LabelingTool
    again: LabelingTool
    say: Callable[[Sequence[LabelTask], Said], None]


def _offline(folder: Path) -> Case:
    sealed, blobs = SealedAnswers(str(folder / "sealed")), BlobStore(str(folder / "blobs"))

    def say(wanted: Sequence[LabelTask], said: Said) -> None:
        boxes = {frame_id: its for frame_id, its in said.items() if not isinstance(its, str)}
        sealed.seal([Annotation(f, CLASSES, "d", boxes=tuple(b), width=WIDTH, height=HEIGHT) for f, b in boxes.items()])

    return Case(OfflineAnnotator(sealed, blobs), OfflineAnnotator(sealed, blobs), say)


def _label_studio(server: Server, queue: str) -> Case:
    def say(wanted: Sequence[LabelTask], said: Said) -> None:
        ids = {task["data"]["external_id"]: task["id"] for task in server.tasks(queue)}
        for task in wanted:
            its = said.get(task.item_id)
            if isinstance(its, str):
                server.annotate(ids[task.task_id], [rejection(its)])
            elif its is not None:
                server.annotate(ids[task.task_id], [box_region(box, width=WIDTH, height=HEIGHT) for box in its])

    return Case(tool(server.url, TOKEN, queue), tool(server.url, TOKEN, queue), say)


@pytest.fixture(params=["offline", pytest.param("label-studio", marks=pytest.mark.label_studio)])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if request.param == "offline":
        return _offline(tmp_path)
    return _label_studio(request.getfixturevalue("label_studio"), f"contract {request.node.originalname[:30]}")


def test_the_tool_goes_by_the_name_under_which_rounds_ask_for_it(case: Case) -> None:
    assert case.tool.name in ("offline", "label-studio")


def test_what_people_said_comes_back_for_its_task_in_the_order_asked_for(case: Case) -> None:
    wanted = tasks("contract", 3)
    case.tool.send(wanted)
    case.say(wanted, {"frm_0": [PERSON], "frm_1": [], "frm_2": "blurred"})
    asked = [wanted[2], wanted[0], wanted[1]]
    rejected, boxed, empty = case.tool.collect(asked)
    assert [result.task_id for result in (rejected, boxed, empty)] == [task.task_id for task in asked]
    assert rejected.annotation is None
    assert rejected.rejected
    for result, task, boxes in ((boxed, wanted[0], (PERSON,)), (empty, wanted[1], ())):
        label = result.annotation
        assert label is not None
        assert (label.frame_id, label.boxes, label.revision) == (task.item_id, boxes, 1)
        assert (set(label.classes), label.width, label.height) == (set(CLASSES), WIDTH, HEIGHT)
        assert not result.rejected
        assert not result.waits


def test_results_are_of_the_tasks_asked_for_alone(case: Case) -> None:
    wanted = tasks("alone", 2)
    case.tool.send(wanted)
    case.say(wanted, {"frm_0": [PERSON], "frm_1": [PERSON]})
    assert [result.task_id for result in case.tool.collect(wanted[1:])] == [wanted[1].task_id]
    assert list(case.tool.collect([])) == []


def test_sending_and_collecting_again_changes_nothing(case: Case) -> None:
    wanted = tasks("again", 1)
    case.tool.send(wanted)
    case.say(wanted, {"frm_0": [PERSON]})
    first = list(case.tool.collect(wanted))
    case.tool.send(wanted)
    case.again.send(wanted)
    assert list(case.tool.collect(wanted)) == first
    assert list(case.again.collect(wanted)) == first


def test_nothing_is_nothing(case: Case) -> None:
    case.tool.send([])
    assert list(case.tool.collect([])) == []
