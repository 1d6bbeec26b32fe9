"""From what the platform says to a page: templates that escape every name, and words for numbers."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from al_platform.domain.judging import PROGRESS, RATES, Estimate
from al_platform.experiments.report.palette import colour_variables
from api.dashboard.guard import MARK
from api.dashboard.sessions import Session

BASE = "/dashboard"
FOLDER = Path(__file__).parent

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "img-src 'self' data:"
)
"""Scripts and styles come from our own files, never from within a page."""

_NAME = re.compile(r"[^\s=!<>,](?:[^=!<>,]*[^\s=!<>,])?")
_VALUE = re.compile(r"[^\s=!<>,|](?:[^,|]*[^\s,|])?")

SHARES = (*RATES, PROGRESS, "route_covered")
"""Measures that are shown as shares."""

NOTHING: Mapping[str, object] = MappingProxyType({})

_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}


def render(
    request: Request, template: str, *, status: int = 200, shown: Mapping[str, object] = NOTHING, **more: object
) -> HTMLResponse:
    """Give a page, or a part of one, by its template and what it shows."""
    session: Session | None = getattr(request.state, "session", None)
    text = _TEMPLATES.get_template(template).render(
        base=BASE,
        path=request.url.path.removeprefix(BASE),
        query=request.query_params,
        actor=session.actor if session else None,
        operates=bool(session and session.actor.scope != "reader"),
        form_mark=session.form_mark if session else "",
        mark_name=MARK,
        **shown,
        **more,
    )
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


def palette_css() -> str:
    """Give the colours of curves as a style sheet, for light and dark pages."""
    light, dark = (_declared(colour_variables(dark=dark)) for dark in (False, True))
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def _declared(variables: dict[str, str]) -> str:
    return "".join(f"{name}:{value};" for name, value in variables.items())


def short(name: str | None, letters: int = 8) -> str:
    """The first letters of an id, enough to tell it from others on a page: rnd_0a1b2c3d."""
    kind, _, rest = (name or "").rpartition("_")
    return f"{kind}_{rest[:letters]}" if kind else rest[:letters]


def queue_name(queue: str) -> str:
    """A queue; that of an experiment's arm with a short id: exp_0a1b2c3d/mixdist/0."""
    first, *rest = queue.split("/")
    return "/".join([short(first), *rest]) if first.startswith("exp_") else queue


def term(value: str, name: str) -> str:
    """The filter that asks for a value of a tag or a column; "" for one that the language cannot write."""
    said = _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    return f"{name}={value}" if said else ""


def number(value: float | None) -> str:
    """A count with its thousands set apart."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u2009")


def decimals(value: float | None, places: int = 3) -> str:
    """A number to so many places."""
    return "–" if value is None else f"{value:.{places}f}"


def percent(value: float | None) -> str:
    """A share."""
    return "–" if value is None else f"{100 * value:.0f}\u2009%"


def share(value: float | None) -> str:
    """A share to a tenth of a percent."""
    return "–" if value is None else f"{100 * value:.1f}\u2009%"


def between(value: Estimate, name: str) -> str:
    """The mean of a measure with its interval; rates and progress as shares."""
    if name in SHARES:
        return f"{share(value.mean)} ({100 * value.low:.1f} to {100 * value.high:.1f})"
    return f"{value.mean:.3g} ({value.low:.3g} to {value.high:.3g})"


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units that matter."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def moment(text: object) -> str:
    """A UTC moment to the second."""
    try:
        return datetime.fromisoformat(str(text)).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return str(text)


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for word in (short, queue_name, term, number, decimals, percent, share, between, duration, moment):
        environment.filters[word.__name__] = word
    return environment


_TEMPLATES = _templates()
