"""What Label Studio is told of a task, and how its answers are read: of a frame, or of a scenario."""

from typing import Any

from al_platform.domain.labels import Answer, Label
from al_platform.labeling.base import Brief, Clip, Hint, ImageUrl, SceneBrief, Shown
from al_platform.labeling.label_studio_config import frame_config
from al_platform.labeling.label_studio_convert import ServerAnnotation, answer_of, label_of, task_json
from al_platform.labeling.label_studio_triage import triage_answer, triage_config, triage_json


def config_of(brief: Brief) -> str:
    """Give the labelling config of the project that a task belongs to. Raises: InvalidInput."""
    return triage_config(brief.tags) if isinstance(brief, SceneBrief) else frame_config(brief.classes)


def body_of(brief: Brief, shown: Shown | None, image_url: ImageUrl) -> dict[str, Any]:
    """Give a task for import; a scenario comes with its clip."""
    if isinstance(brief, SceneBrief):
        assert isinstance(shown, Clip)
        return triage_json(brief, shown, image_url)
    return task_json(brief, shown if isinstance(shown, Hint) else None, image_url)


def answer_said(brief: Brief, annotation: ServerAnnotation) -> Answer:
    """Give what one annotation says, with the problem where it cannot be used."""
    return triage_answer(brief, annotation) if isinstance(brief, SceneBrief) else answer_of(brief, annotation)


def label_that_stands(brief: Brief, answer: Answer) -> Label | None:
    """Give the label that an answer stands for; a rejected frame has none, a rejected scenario its triage."""
    if isinstance(brief, SceneBrief):
        return answer.triage
    return None if answer.rejected else label_of(brief, answer)
