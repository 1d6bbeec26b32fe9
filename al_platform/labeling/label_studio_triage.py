"""Triage of scenarios in Label Studio: watch the clip, confirm the event, accept, reject or merge it."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from al_platform.domain.labels import Answer
from al_platform.domain.triage import HARDEST, Triage, Verdict
from al_platform.errors import InvalidInput
from al_platform.labeling.base import Clip, ImageUrl, SceneBrief
from al_platform.labeling.label_studio_convert import SKIPPED, SOURCE, ServerAnnotation, answer_from, place_of

EVENTS = {"confirmed": True, "not confirmed": False, "unclear": None}
"""What can be said of a detected event, and what is known then."""
NO_EVENT = "No event was detected; leave this open"
_CLIP = "clip"


def triage_config(tags: Sequence[str]) -> str:
    """Give the config for triage: the clip, the event, the verdict, these tags, the difficulty, and room for words.

    Raises: InvalidInput for a tag that is named twice or is empty.
    """
    if len(set(tags)) != len(tags) or not all(tag.strip() for tag in tags):
        raise InvalidInput(f"tags {', '.join(tags)}: each must be named once and have a name")
    view = Element("View")
    SubElement(view, "Header", value="$title")
    SubElement(view, "Image", name=_CLIP, value="$clip", zoom="true")  # a video control plays no animated picture
    _choices(view, "event", "$event", tuple(EVENTS))
    _choices(view, "verdict", "What becomes of the scenario?", tuple(Verdict), required=True)
    if tags:
        _choices(view, "tags", "Tags", tags, multiple=True)
    SubElement(view, "Header", value="Difficulty", size="6")
    SubElement(view, "Rating", name="difficulty", toName=_CLIP, maxRating=str(HARDEST))
    SubElement(view, "Header", value="Anything else", size="6")
    SubElement(view, "TextArea", name="text", toName=_CLIP, rows="3", maxSubmissions="1", editable="true")
    return ElementTree.tostring(view, encoding="unicode")


def triage_json(brief: SceneBrief, clip: Clip, image_url: ImageUrl) -> dict[str, Any]:
    """Give a scenario's task for import."""
    task = brief.task
    data = {
        "external_id": task.task_id,
        "round_id": task.round_id,
        "item_id": task.item_id,
        "for_class": task.for_class,
        "title": f"Scenario {brief.name}, rank {task.rank}, picked for: {task.for_class}, score {task.score:.4g}",
        "clip": image_url(task.task_id, clip.picture),
        "event": f"{brief.event.replace('_', ' ')}: did it happen?" if brief.event else NO_EVENT,
        **place_of(task.rank),
        "score": task.score,
    }
    return {"data": data, "predictions": []}


def triage_answer(brief: SceneBrief, annotation: ServerAnnotation) -> Answer:
    """Give what one annotation says, with the problem where it cannot be used."""
    answer = answer_from(brief.task.task_id, annotation)
    if annotation.was_cancelled:
        return answer(rejected=SKIPPED)
    triage, problem = triage_of(brief, annotation.result)
    return answer(problem=problem) if triage is None else answer(triage=triage, rejected=triage.rejected)


def triage_of(brief: SceneBrief, result: Sequence[Any]) -> tuple[Triage | None, str]:
    """Give what the regions of one annotation say, or the problem with it.

    An answer without a verdict is none, nor is one that passes over the event.
    """
    said: dict[str, Mapping[str, Any]] = {}
    for region in result:
        if not isinstance(region, Mapping) or not isinstance(region.get("value"), Mapping):
            return None, "a region has no value"
        said[str(region.get("from_name"))] = region["value"]
    for name, value in said.items():
        problem = _problem(name, value, brief.tags)
        if problem:
            return None, problem
    missing = [name for name in ("event", "verdict") if name not in said and (name == "verdict" or brief.event)]
    if missing:
        return None, f"says nothing of {', '.join(missing)}"
    happened = EVENTS[said["event"]["choices"][0]] if "event" in said else None
    return Triage(
        scenario_id=brief.task.item_id,
        verdict=Verdict(said["verdict"]["choices"][0]),
        source=SOURCE,
        tags=tuple(sorted(said["tags"]["choices"])) if "tags" in said else (),
        difficulty=said["difficulty"]["rating"] if "difficulty" in said else None,
        text="\n".join(said["text"]["text"]) if "text" in said else "",
        events={brief.event: happened} if brief.event and happened is not None else {},
    ), ""


def _problem(name: str, value: Mapping[str, Any], tags: Sequence[str]) -> str:
    allowed: Mapping[str, Sequence[str]] = {"event": tuple(EVENTS), "verdict": tuple(Verdict), "tags": tags}
    if name == "difficulty":
        rating = value.get("rating")
        good = isinstance(rating, int) and not isinstance(rating, bool) and 1 <= rating <= HARDEST
        return "" if good else f"difficulty {rating!r} is not 1 to {HARDEST}"
    if name == "text":
        words = value.get("text")
        return "" if isinstance(words, list) and all(isinstance(each, str) for each in words) else "text is no text"
    if name not in allowed:
        return f"control {name!r} is not of this queue"
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or any(choice not in allowed[name] for choice in choices):
        return f"{name} {choices!r} is not of {', '.join(allowed[name])}"
    return f"{name} {choices!r}: one was asked for" if name != "tags" and len(choices) > 1 else ""


def _choices(
    view: Element, name: str, title: str, values: Sequence[str], *, required: bool = False, multiple: bool = False
) -> None:
    SubElement(view, "Header", value=title, size="6")
    how = {"choice": "multiple" if multiple else "single", **({"required": "true"} if required else {})}
    control = SubElement(view, "Choices", {"name": name, "toName": _CLIP, "showInline": "true", **how})
    for value in values:
        SubElement(control, "Choice", value=value)
