"""A round by form: estimated while it is written, then submitted."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from al_platform.domain.driving import HELD_OUT
from al_platform.errors import InvalidInput, PlatformError
from al_platform.platform import estimates, submissions
from al_platform.platform.described import known_families, known_strategies
from api.dashboard.guard import OPERATOR, READER, Caller, SentForm, ServiceHere, texts_of
from api.dashboard.pages import BASE, render
from api.schemas.base import In
from api.schemas.rounds import RoundIn

Body = TypeVar("Body", bound=In)

router = APIRouter(prefix="/new-round")

DEFAULTS: Mapping[str, str] = {
    "pool": "",
    "test": "",
    "targets": "",
    "classes": "",
    "start": "40",
    "dataset_version_id": "",
    "budget.frames": "40",
    "budget.objects": "",
    "strategy.name": "mixdist",
    "strategy.session_cap": "",
    "strategy.minimum_gap_s": "0",
    "strategy.minimum_distance": "0",
    "strategy.group_quota": "",
    "strategy.group_tag": "",
    "strategy.control_share": "0",
    "strategy.guard": "",
    "filter": "",
    "curriculum": "",
    "seed": "0",
    "family": "prefix-heads",
    "members": "8",
    "policy.policy_id": "",
    "policy.drives": "0",
    "policy.recipe": "",
    "policy.parent_id": "",
    "policy.held_out": f"{HELD_OUT:g}",
    "image.width": "320",
    "image.height": "224",
    "image.cell": "16",
    "settings": "",
    "annotator": "offline",
    "queue": "main",
    "scorers": "1",
}
"""Every field of the form: the path of a field of `RoundIn`, and what stands in it first."""

_LISTS = ("targets", "classes")
_OPTIONAL = ("budget.objects", "strategy.session_cap", "strategy.group_quota", "strategy.guard", "policy.recipe")
_WHOSE_DRIVERS = ("policy.policy_id", "policy.recipe", "policy.parent_id")
"""Any of these makes it a round of scenarios."""
_OF_SCENARIOS = (*_WHOSE_DRIVERS, "policy.drives", "policy.held_out")


@router.get("", dependencies=[OPERATOR])
def form_page(request: Request) -> Response:
    """Show the form; the address may set its fields."""
    given = {name: value for name, value in request.query_params.items() if name in DEFAULTS}
    return _form(request, {**DEFAULTS, **given})


@router.post("/estimate", dependencies=[READER])
def estimate(request: Request, service: ServiceHere, form: SentForm) -> Response:
    """Say what the round of the form would take, or what is wrong with it."""
    try:
        found = estimates.estimate_round(service.platform, round_of(texts_of(form)).meant())
    except PlatformError as error:
        return render(request, "parts/estimate.html.jinja", estimate=None, failed=str(error))
    return render(request, "parts/estimate.html.jinja", estimate=found, failed="")


@router.post("", dependencies=[OPERATOR])
def submit(request: Request, service: ServiceHere, caller: Caller, form: SentForm) -> Response:
    """Submit the round of the form; the same form sent twice is one round."""
    fields = texts_of(form)
    try:
        asked = round_of(fields).meant()
        status, _ = submissions.submit(service, asked, actor=caller, key=f"form {fields.get('form_id', '')}"[:200])
    except PlatformError as error:
        return _form(request, {**DEFAULTS, **fields}, failed=str(error), status=422)
    return RedirectResponse(f"{BASE}/rounds/{status.round.round_id}", status_code=303)


def round_of(fields: Mapping[str, str]) -> RoundIn:
    """Give the round that a form asks for.

    Raises: InvalidInput naming the field that does not fit.
    """
    left_out = () if any(fields.get(name) for name in _WHOSE_DRIVERS) else _OF_SCENARIOS
    asked = {name: fields.get(name, "") for name in DEFAULTS if name not in left_out}
    return body_of(RoundIn, {name: _value(name, text) for name, text in asked.items() if text or name not in _OPTIONAL})


def body_of(kind: type[Body], values: Mapping[str, object]) -> Body:
    """Give a body from {path of a field: its value}.

    Raises: InvalidInput naming the field that does not fit.
    """
    body: dict[str, Any] = {}
    for name, value in values.items():
        group, _, field = name.rpartition(".")
        (body.setdefault(group, {}) if group else body)[field] = value
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{place}: {first['msg']}") from None


def _value(name: str, text: str) -> object:
    if name in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    read = _READ.get(name)
    return read(text) if read is not None else text


def _settings(text: str) -> dict[str, str]:
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidInput(f"settings {part!r}: write NAME=NUMBER, joined by commas, for example steps=250")
        found[name.strip()] = value.strip()
    return found


def _recipe(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f'policy.recipe: {error}; write JSON, such as {{"members": 3, "cloning": {{}}}}') from None


def _curriculum(text: str) -> list[dict[str, str]]:
    lines = (line.strip().partition(" ") for line in text.splitlines() if line.strip())
    return [{"share": share, "filter": filter_text.strip()} for share, _, filter_text in lines]


_READ: Mapping[str, Callable[[str], object]] = {
    "settings": _settings,
    "curriculum": _curriculum,
    "policy.recipe": _recipe,
}
"""Fields that are more than one text."""


def _form(request: Request, fields: Mapping[str, str], *, failed: str = "", status: int = 200) -> Response:
    return render(
        request,
        "new_round.html.jinja",
        status=status,
        fields=fields,
        failed=failed,
        form_id=request.state.request_id,
        strategies=known_strategies(),
        families=known_families(),
    )
