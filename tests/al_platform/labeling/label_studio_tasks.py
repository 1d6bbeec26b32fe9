"""Tasks and tools for tests of Label Studio: frames of one grey picture, hints without a model."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.labels import Box, LabelTask
from al_platform.labeling.base import Hint, ScoredBox, TaskBrief
from al_platform.labeling.consensus import ReviewPolicy
from al_platform.labeling.label_studio import LabelStudio
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_convert import box_region

CLASSES = ("person", "car")
WIDTH, HEIGHT = 200, 100
PERSON = Box("person", 20.0, 10.0, 60.0, 50.0)
GREY = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


def tasks(name: str, count: int) -> list[LabelTask]:
    """Tasks of a round, ranked against the order of their names."""
    return [
        LabelTask(
            f"tsk_{name}_{number}", f"rnd_{name}", f"frm_{number}", "person", count - 1 - number, 0.5 / (1 + number)
        )
        for number in range(count)
    ]


def brief(task: LabelTask, queue: str = "queue") -> TaskBrief:
    frame = Frame(task.item_id, "d", "s", BlobRef(task.item_id, 1, "image/png"), WIDTH, HEIGHT, 0)
    return TaskBrief(task, queue, CLASSES, frame)


def hints(tasks: Sequence[LabelTask], *, model_version: str = "ens_1") -> Mapping[str, Hint]:
    """A proposal for every task but those of rank 0."""
    heatmap = BlobRef("heat", 1, "image/jpeg")
    return {task.task_id: Hint(model_version, (ScoredBox(PERSON, 0.75),), heatmap) for task in tasks if task.rank}


def tool(
    url: str,
    token: str,
    queue: str,
    *,
    answers: int = 1,
    timeout_s: float = 120.0,
    model_version: str = "ens_1",
    **limits: int,
) -> LabelStudio:
    return LabelStudio(
        LabelStudioClient(url, token, timeout_s=timeout_s),
        describe=lambda tasks: [brief(task, queue) for task in tasks],
        hints=partial(hints, model_version=model_version),
        image_url=lambda task_id, image: GREY,
        policy=ReviewPolicy(answers=answers),
        **limits,
    )


def region(box: Box = PERSON, **value: Any) -> dict[str, Any]:
    """A box as a browser sends it; `value` replaces parts of it."""
    drawn = box_region(box, width=WIDTH, height=HEIGHT)
    return {**drawn, "value": {**drawn["value"], **value}}


def rejection(reason: str) -> dict[str, Any]:
    return {"type": "choices", "from_name": "reject", "to_name": "image", "value": {"choices": [reason]}}
