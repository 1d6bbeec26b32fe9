"""Triage of scenarios in Label Studio: watch the clip, confirm the event, accept, reject or merge it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from al_platform.errors import InvalidInput
from al_platform.labeling.label_studio_convert import place_of

EVENTS = ("confirmed", "not confirmed", "unclear")
VERDICTS = ("accept", "reject", "duplicate")
HARDEST = 5
"""Difficulty is 1 (easy) to this."""


@dataclass(frozen=True)
class Triage:
    """What a person said about a scenario; `problem` says why it cannot be used, and is empty where it can."""

    verdict: str = ""
    event: str = ""
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    problem: str = ""


def triage_config(tags: Sequence[str]) -> str:
    """Give the config for triage: the rendered clip, the event, the verdict, these tags, the difficulty.

    Raises: InvalidInput for a tag that is named twice or is empty.
    """
    if len(set(tags)) != len(tags) or not all(tag.strip() for tag in tags):
        raise InvalidInput(f"tags {', '.join(tags)}: each must be named once and have a name")
    view = Element("View")
    SubElement(view, "Header", value="$title")
    SubElement(view, "Video", name="clip", value="$clip")
    _choices(view, "event", "$event: did it happen?", EVENTS, required=True)
    _choices(view, "verdict", "What becomes of the scenario?", VERDICTS, required=True)
    if tags:
        _choices(view, "tags", "Tags", tags, required=False)
    SubElement(view, "Header", value="Difficulty", size="6")
    SubElement(view, "Rating", name="difficulty", toName="clip", maxRating=str(HARDEST))
    return ElementTree.tostring(view, encoding="unicode")


def triage_json(*, external_id: str, title: str, clip_url: str, event: str, rank: int, score: float) -> dict[str, Any]:
    """Give a scenario's task for import; `clip_url` is where the browser finds the rendered clip."""
    data = {"external_id": external_id, "title": title, "clip": clip_url, "event": event}
    return {"data": {**data, **place_of(rank), "score": score}}


def triage_of(result: Sequence[Any], tags: Sequence[str]) -> Triage:
    """Give what the regions of one annotation say; an answer without a verdict or event is no answer."""
    chosen: dict[str, Any] = {}
    for region in result:
        if not isinstance(region, Mapping) or not isinstance(region.get("value"), Mapping):
            return Triage(problem="a region has no value")
        chosen[str(region.get("from_name"))] = region["value"]
    allowed = {"event": EVENTS, "verdict": VERDICTS, "tags": tuple(tags), "difficulty": ()}
    for name, value in chosen.items():
        problem = _problem(name, value, allowed)
        if problem:
            return Triage(problem=problem)
    missing = [name for name in ("event", "verdict") if name not in chosen]
    if missing:
        return Triage(problem=f"says nothing of {', '.join(missing)}")
    return Triage(
        verdict=chosen["verdict"]["choices"][0],
        event=chosen["event"]["choices"][0],
        tags=tuple(sorted(chosen["tags"]["choices"])) if "tags" in chosen else (),
        difficulty=chosen["difficulty"]["rating"] if "difficulty" in chosen else None,
    )


def _problem(name: str, value: Mapping[str, Any], allowed: Mapping[str, tuple[str, ...]]) -> str:
    if name not in allowed:
        return f"control {name!r} is not of this queue"
    if name == "difficulty":
        rating = value.get("rating")
        good = isinstance(rating, int) and not isinstance(rating, bool) and 1 <= rating <= HARDEST
        return "" if good else f"difficulty {rating!r} is not 1 to {HARDEST}"
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or any(choice not in allowed[name] for choice in choices):
        return f"{name} {choices!r} is not of {', '.join(allowed[name])}"
    return f"{name} {choices!r}: one was asked for" if name != "tags" and len(choices) > 1 else ""


def _choices(view: Element, name: str, title: str, values: Sequence[str], *, required: bool) -> None:
    SubElement(view, "Header", value=title, size="6")
    how = {"choice": "single", "required": "true"} if required else {"choice": "multiple"}
    control = SubElement(view, "Choices", {"name": name, "toName": "clip", "showInline": "true", **how})
    for value in values:
        SubElement(control, "Choice", value=value)
