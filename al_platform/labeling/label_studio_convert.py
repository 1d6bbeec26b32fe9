"""Between our records and Label Studio's JSON. Nothing that comes back is believed before it is checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from al_platform.domain.labels import Annotation, Answer, Box
from al_platform.labeling.base import Hint, ImageUrl, ScoredBox, TaskBrief
from al_platform.labeling.label_studio_config import BOXES, IMAGE, REJECT, REJECTIONS

SOURCE = "label-studio"
SKIPPED = "skipped"
"""The reason of a frame that its annotator passed over."""
ROUNDING = 1e-3
"""Percent of the picture that a box may stick out, as browsers round."""


@dataclass(frozen=True)
class ServerAnnotation:
    """One annotation as an export gives it."""

    id: int
    updated_at: datetime
    result: list[Any]
    completed_by: int | None = None
    was_cancelled: bool = False
    ground_truth: bool = False
    lead_time: float | None = None


@dataclass(frozen=True)
class ServerTask:
    """One task as an export gives it."""

    id: int
    data: dict[str, Any]
    annotations: list[ServerAnnotation]

    @property
    def external_id(self) -> str:
        """Our task id; empty for a task that others made."""
        return str(self.data.get("external_id", ""))


def task_json(brief: TaskBrief, hint: Hint | None, image_url: ImageUrl) -> dict[str, Any]:
    """Give a task for import: what is shown, our id and order, and the ensemble's proposal where there is one."""
    task, image = brief.task, image_url(brief.task.task_id, brief.frame.image)
    data = {
        "image": image,
        "heatmap": image_url(task.task_id, hint.heatmap) if hint else image,
        "external_id": task.task_id,
        "round_id": task.round_id,
        "item_id": task.item_id,
        "for_class": task.for_class,
        **place_of(task.rank),
        "score": task.score,
    }
    return {"data": data, "predictions": [_prediction(brief, hint)] if hint else []}


def place_of(rank: int) -> dict[str, Any]:
    """Give what of a task's data says where it stands; the server sorts texts, so one of fixed width goes along."""
    return {"rank": rank, "order": f"{rank:010d}"}


def answer_of(brief: TaskBrief, annotation: ServerAnnotation) -> Answer:
    """Give what one annotation says, with the problem where it cannot be used; no box is "nothing there"."""
    boxes, rejected, problem = _read(brief, annotation)
    return answer_from(brief.task.task_id, annotation)(
        boxes=() if problem or rejected else boxes, rejected="" if problem else rejected, problem=problem
    )


def answer_from(task_id: str, annotation: ServerAnnotation) -> partial[Answer]:
    """Give an answer that lacks what is said: by whom, when, and how long it took."""
    return partial(
        Answer,
        task_id=task_id,
        answer_id=str(annotation.id),
        annotator=f"user {annotation.completed_by}" if annotation.completed_by is not None else "unknown",
        changed_at=moment(annotation.updated_at),
        decisive=annotation.ground_truth,
        seconds=_seconds(annotation.lead_time),
    )


def label_of(brief: TaskBrief, answer: Answer) -> Annotation:
    """Give the label that an answer stands for."""
    return Annotation(
        frame_id=brief.task.item_id,
        classes=brief.classes,
        source=SOURCE,
        boxes=answer.boxes,
        width=brief.frame.width,
        height=brief.frame.height,
    )


def moment(when: datetime) -> str:
    """Give a moment as UTC text of fixed width, so that later sorts after."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def box_region(box: Box, *, width: int, height: int, score: float | None = None) -> dict[str, Any]:
    """Give a box as a region, in percent of a picture of `width` x `height` pixels."""
    region: dict[str, Any] = {
        "type": "rectanglelabels",
        "from_name": BOXES,
        "to_name": IMAGE,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": 100 * box.x_min / width,
            "y": 100 * box.y_min / height,
            "width": 100 * (box.x_max - box.x_min) / width,
            "height": 100 * (box.y_max - box.y_min) / height,
            "rotation": 0,
            "rectanglelabels": [box.class_name],
        },
    }
    return region if score is None else {**region, "score": score}


def _prediction(brief: TaskBrief, hint: Hint) -> dict[str, Any]:
    """What the ensemble proposes; the server shows a score as a share, so it is the mean of the boxes' own."""
    sure = [proposal.score for proposal in hint.boxes]
    return {
        "model_version": hint.model_version,
        "score": sum(sure) / len(sure) if sure else 0.0,
        "result": [_proposed(brief, index, proposal) for index, proposal in enumerate(hint.boxes)],
    }


def _proposed(brief: TaskBrief, index: int, proposal: ScoredBox) -> dict[str, Any]:
    frame = brief.frame
    region = box_region(proposal.box, width=frame.width, height=frame.height, score=proposal.score)
    return {"id": f"proposal{index}", **region}


def _read(brief: TaskBrief, annotation: ServerAnnotation) -> tuple[tuple[Box, ...], str, str]:
    """Boxes, the reason of a rejection, and the first problem."""
    if annotation.was_cancelled:
        return (), SKIPPED, ""
    boxes: list[Box] = []
    rejected = ""
    for number, region in enumerate(annotation.result, start=1):
        if not isinstance(region, Mapping) or not isinstance(region.get("value"), Mapping):
            return (), "", f"region {number}: has no value"
        read = _CONTROLS.get((str(region.get("type")), str(region.get("from_name"))))
        if read is None:
            return (), "", f"region {number}: control {region.get('from_name')!r} is not of this queue"
        found, problem = read(brief, region)
        if problem:
            return (), "", f"region {number}: {problem}"
        if isinstance(found, Box):
            boxes.append(found)
        else:
            rejected = str(found)
    return tuple(boxes), rejected, ""


def _box(brief: TaskBrief, region: Mapping[str, Any]) -> tuple[Box | None, str]:
    value, names = region["value"], region["value"].get("rectanglelabels")
    if not isinstance(names, list) or len(names) != 1 or names[0] not in brief.classes:
        return None, f"label {names!r} is not one of {', '.join(brief.classes)}"
    edges = [value.get(name) for name in ("x", "y", "width", "height")]
    if not all(_is_number(edge) for edge in edges):
        return None, f"box {edges} is not four numbers"
    turned = [value.get("rotation") or 0, region.get("image_rotation") or 0]
    if not all(_is_number(turn) and turn % 360 == 0 for turn in turned):
        return None, f"box is turned by {turned[0]} degrees, its picture by {turned[1]}; draw it upright"
    x, y, wide, high = edges
    if wide <= 0 or high <= 0:
        return None, f"box is {wide:g} % x {high:g} % of the picture; it must have an area"
    if min(x, y) < -ROUNDING or max(x + wide, y + high) > 100 + ROUNDING:
        return None, f"box from {x:g}, {y:g} to {x + wide:g}, {y + high:g} % is not inside the picture"
    return _in_pixels(brief, str(names[0]), (x, y, x + wide, y + high)), ""


def _in_pixels(brief: TaskBrief, name: str, percent: Sequence[float]) -> Box:
    x_min, y_min, x_max, y_max = (min(max(edge, 0.0), 100.0) / 100 for edge in percent)
    width, height = brief.frame.width, brief.frame.height
    return Box(name, *(_tidy(edge) for edge in (x_min * width, y_min * height, x_max * width, y_max * height)))


def _tidy(pixels: float) -> float:
    """Percent and back leaves dust in the last digits, which would look like a correction."""
    return round(pixels, 6)


def _rejection(brief: TaskBrief, region: Mapping[str, Any]) -> tuple[str | None, str]:
    choices = region["value"].get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or choices[0] not in REJECTIONS:
        return None, f"rejection {choices!r} is not one of {', '.join(REJECTIONS)}"
    return str(choices[0]), ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(lead_time: float | None) -> float | None:
    return lead_time if lead_time is not None and math.isfinite(lead_time) and lead_time >= 0 else None


_CONTROLS = {("rectanglelabels", BOXES): _box, ("choices", REJECT): _rejection}
"""Type and name of a region's control to what reads it."""
