"""Who may see a page and send a form: a session with the scope for it; forms come from our own pages alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.datastructures import FormData
from starlette.routing import Mount

from al_platform.domain.access import Actor, Scope
from al_platform.errors import InvalidInput
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.service import Service
from api.dashboard.sessions import COOKIE, Session, Sessions
from api.errors import Forbidden

OPEN = ("/login", "/static/palette.css")
"""What can be had without a session."""

MARK = "form_mark"
"""The field that every form of a session carries."""

_OWN = ("same-origin", "none")


class Shown:
    """The dependency of a page that only sessions of a scope may see."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> None:
        """Know the session again and remember who it is.

        Raises: Unauthenticated, Forbidden, TooManyRequests.
        """
        sessions: Sessions = request.app.state.sessions
        session = sessions.of(request.cookies.get(COOKIE, ""))
        if not session.actor.scope.covers(self.scope):
            raise Forbidden(f"your key is a {session.actor.scope}, this needs {self.scope}")
        request_id = getattr(request.state, "request_id", "")
        request.state.session = session
        request.state.actor = replace(session.actor, request_id=request_id)


READER = Depends(Shown(Scope.READER))
OPERATOR = Depends(Shown(Scope.OPERATOR))


async def sent_form(request: Request) -> FormData:
    """Give the fields of a form that one of our own pages sent.

    Raises: Forbidden for a form of another site; Unauthenticated for one without this session's mark.
    """
    require_own_site(request)
    form = await request.form()
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        sessions: Sessions = request.app.state.sessions
        sessions.require_form(session, str(form.get(MARK, "")))
    return form


def require_own_site(request: Request) -> None:
    """Refuse what a page of another site sent, as far as browsers say.

    Raises: Forbidden.
    """
    origin = request.headers.get("origin", "")
    foreign = origin and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign or request.headers.get("sec-fetch-site", "none") not in _OWN:
        raise Forbidden("this form was sent by a page of another site; open the page here and send it again")


def texts_of(form: FormData) -> Mapping[str, str]:
    """Give the text fields of a form, stripped; the last where one comes twice."""
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


def pages_of(app: FastAPI) -> list[RouteContext]:
    """Give every page and form of the application."""
    return list(iter_route_contexts([route for route in app.routes if not isinstance(route, Mount)]))


def require_shown(pages: Iterable[RouteContext]) -> None:
    """Refuse a page without a scope, and a form that anybody's page may send.

    Raises: InvalidInput naming it.
    """
    for page in pages:
        used = [getattr(found, "dependency", None) for found in page.dependencies]
        if page.path not in OPEN and not any(isinstance(found, Shown) for found in used):
            raise InvalidInput(f"page {page.path}: needs no session; give it READER or OPERATOR")
        asked = {found.call for found in page.dependant.dependencies}
        if "POST" in (page.methods or ()) and sent_form not in asked:
            raise InvalidInput(f"form {page.path}: is not checked; take its fields by SentForm")


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _links(request: Request) -> PictureLinks:
    links: PictureLinks = request.app.state.links
    return links


async def _caller(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


ServiceHere = Annotated[Service, Depends(_service)]
Links = Annotated[PictureLinks, Depends(_links)]
Caller = Annotated[Actor, Depends(_caller)]
SentForm = Annotated[FormData, Depends(sent_form)]
