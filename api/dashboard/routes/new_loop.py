"""A loop by form: the round that it begins with, and the rules by which the others follow."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.loops import CONTROL_SHARE
from al_platform.errors import InvalidInput, PlatformError
from al_platform.platform import loops
from al_platform.platform.described import known_families, known_strategies
from api.dashboard.guard import OPERATOR, Caller, SentForm, ServiceHere, texts_of
from api.dashboard.pages import BASE, render
from api.dashboard.routes.new_round import DEFAULTS, body_of, round_of
from api.schemas.loops import LoopIn

router = APIRouter(prefix="/new-loop", dependencies=[OPERATOR])

RULES: Mapping[str, str] = {
    "name": "",
    "rounds": "",
    "trigger.cron": "",
    "trigger.grown_by": "0",
    "closing.share": "1",
    "deadline_hours": "",
    "stopping.labels": "",
    "stopping.plateau": "",
    "stopping.information": "",
    "warm_start": "no",
}
"""Fields beside those of the round: the path of a field of `LoopIn`, or what is turned into one."""

LOOP_DEFAULTS = {**DEFAULTS, "strategy.control_share": f"{CONTROL_SHARE:g}", **RULES}
"""Every field of the form. The control share of the round is that of all rounds."""

_OPTIONAL = ("rounds", "stopping.labels", "stopping.information")
_HOUR_S = 3600.0


@router.get("")
def form_page(request: Request) -> Response:
    """Show the form; the address may set its fields."""
    given = {name: value for name, value in request.query_params.items() if name in LOOP_DEFAULTS}
    return _form(request, {**LOOP_DEFAULTS, **given})


@router.post("")
def create(request: Request, service: ServiceHere, caller: Caller, form: SentForm) -> Response:
    """Make the loop of the form; the same form sent twice is one loop."""
    fields = texts_of(form)
    try:
        asked = loop_of(fields).meant()
        status, _ = loops.create_loop(service, asked, actor=caller, key=f"form {fields.get('form_id', '')}"[:200])
    except PlatformError as error:
        return _form(request, {**LOOP_DEFAULTS, **fields}, failed=str(error), status=422)
    return RedirectResponse(f"{BASE}/loops/{status.run.loop_id}", status_code=303)


def loop_of(fields: Mapping[str, str]) -> LoopIn:
    """Give the loop that a form asks for.

    Raises: InvalidInput naming the field that does not fit.
    """
    first = round_of(fields)
    texts = {name: fields.get(name, "") for name in RULES}
    values: dict[str, object] = {name: text for name, text in texts.items() if text or name not in _OPTIONAL}
    del values["deadline_hours"]
    values["closing.deadline_s"] = _deadline_s(texts["deadline_hours"])
    values["stopping.plateau"] = _plateau(texts["stopping.plateau"])
    return body_of(LoopIn, {**values, "round": first.model_dump(), "control_share": first.strategy.control_share})


def _deadline_s(hours: str) -> float | None:
    try:
        return float(hours) * _HOUR_S if hours else None
    except ValueError:
        raise InvalidInput(f"deadline {hours!r}: must be a number of hours") from None


def _plateau(text: str) -> dict[str, str] | None:
    window, slash, gain = (part.strip() for part in text.partition("/"))
    return {"window": window, **({"gain": gain} if slash else {})} if text else None


def _form(request: Request, fields: Mapping[str, str], *, failed: str = "", status: int = 200) -> Response:
    return render(
        request,
        "new_loop.html.jinja",
        status=status,
        fields=fields,
        failed=failed,
        form_id=request.state.request_id,
        strategies=known_strategies(),
        families=known_families(),
    )
