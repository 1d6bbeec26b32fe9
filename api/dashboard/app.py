"""The application of the pages: what it needs, its routes, its errors as pages."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from al_platform.errors import PlatformError, Unauthenticated
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.service import Service
from al_platform.platform.signing import Signer
from api.access import Gate
from api.dashboard.guard import pages_of, require_shown
from api.dashboard.pace import Pace
from api.dashboard.pages import BASE, FOLDER, palette_css, render
from api.dashboard.routes import (
    data,
    frames,
    learning,
    loops,
    new_loop,
    new_round,
    overview,
    people,
    pool,
    rounds,
    scenarios,
    session,
)
from api.dashboard.sessions import Sessions
from api.errors import PROBLEMS, problem_of

_ROUTERS = (session, overview, rounds, new_round, loops, new_loop, pool, frames, scenarios, learning, data, people)


def create_dashboard(service: Service, gate: Gate, signer: Signer, links: PictureLinks, *, dev: bool) -> FastAPI:
    """Give the application of the pages, to be mounted at BASE.

    Raises: InvalidInput for a page or a form that somebody forgot to guard.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service, app.state.links, app.state.pace = service, links, Pace()
    app.state.sessions = Sessions(service.keys, signer, gate, dev=dev)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_api_route("/static/palette.css", _palette)
    require_shown(pages_of(app))
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    for kind in (*PROBLEMS, PlatformError, HTTPException, Exception):
        app.add_exception_handler(kind, _failed)
    return app


def _palette() -> Response:
    return Response(palette_css(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def _failed(request: Request, error: Exception) -> Response:
    """An error as a page that says what to do; whoever has no session is asked for a key."""
    if isinstance(error, Unauthenticated) and request.method == "GET":
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": f"{BASE}/login"})
        return RedirectResponse(f"{BASE}/login", status_code=303)
    problem, status = problem_of(type(error)), 500
    title, detail = problem.title, str(error)
    if isinstance(error, HTTPException):
        status, title = error.status_code, HTTPStatus(error.status_code).phrase
        detail = "There is no such page." if status == 404 else str(error.detail)
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        status, detail = problem.status, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    elif problem.status != 500 or isinstance(error, PlatformError):
        status = problem.status
    else:
        detail = f"{type(error).__name__}; the log tells more under request {getattr(request.state, 'request_id', '')}"
    return render(request, "error.html.jinja", status=status, title=title, detail=detail)
