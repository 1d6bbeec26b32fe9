"""In by a key, and out again."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.errors import Unauthenticated
from api.dashboard.guard import READER, SentForm, texts_of
from api.dashboard.pages import BASE, render
from api.dashboard.sessions import COOKIE, Sessions, set_cookie

router = APIRouter()


@router.get("/login")
def login_page(request: Request) -> Response:
    """Ask for a key."""
    return render(request, "login.html.jinja", failed="")


@router.post("/login")
def login(request: Request, form: SentForm) -> Response:
    """Open a session for whoever sends a key."""
    sessions: Sessions = request.app.state.sessions
    address = request.client.host if request.client else ""
    try:
        cookie = sessions.begin(texts_of(form).get("key", ""), address=address)
    except Unauthenticated as error:
        return render(request, "login.html.jinja", status=401, failed=str(error))
    response = RedirectResponse(f"{BASE}/", status_code=303)
    set_cookie(response, request, cookie, path=BASE)
    return response


@router.post("/logout", dependencies=[READER])
def logout(form: SentForm) -> Response:
    """End the session of this browser."""
    response = RedirectResponse(f"{BASE}/login", status_code=303)
    response.delete_cookie(COOKIE, path=BASE)
    return response
