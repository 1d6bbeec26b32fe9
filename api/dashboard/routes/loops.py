"""Loops: what is done about each, what its rounds showed, and the buttons that change it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.loops import LoopState
from al_platform.platform import loops
from api.dashboard.guard import OPERATOR, READER, Caller, SentForm, ServiceHere
from api.dashboard.pages import BASE, render
from api.paging import cursor_of, page_of
from api.schemas.loops import LoopOut, LoopRoundOut

router = APIRouter(prefix="/loops")
Id = Annotated[str, Path(min_length=1, max_length=200)]
Cursor = Annotated[str, Query(max_length=2000)]

_SHOWN = 20


@router.get("", dependencies=[READER])
def loops_page(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Show all loops, newest first."""
    return render(request, "loops.html.jinja", shown=_loops(service, cursor))


@router.get("/table", dependencies=[READER])
def loops_table(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Give the table of loops as it is now."""
    return render(request, "parts/loops.html.jinja", shown=_loops(service, cursor))


@router.get("/{loop_id}", dependencies=[READER])
def loop_page(request: Request, service: ServiceHere, loop_id: Id) -> Response:
    """Show a loop, its rules and its rounds."""
    return render(request, "loop.html.jinja", shown=_loop(service, loop_id))


@router.get("/{loop_id}/live", dependencies=[READER])
def loop_live(request: Request, service: ServiceHere, loop_id: Id) -> Response:
    """Give how far a loop is now."""
    return render(request, "parts/loop_live.html.jinja", shown=_loop(service, loop_id))


@router.post("/{loop_id}/pause", dependencies=[OPERATOR])
def pause(service: ServiceHere, caller: Caller, form: SentForm, loop_id: Id) -> Response:
    """Let no further round begin."""
    loops.pause_loop(service, loop_id, actor=caller)
    return RedirectResponse(f"{BASE}/loops/{loop_id}", status_code=303)


@router.post("/{loop_id}/resume", dependencies=[OPERATOR])
def resume(service: ServiceHere, caller: Caller, form: SentForm, loop_id: Id) -> Response:
    """Go on with a paused loop."""
    loops.resume_loop(service, loop_id, actor=caller)
    return RedirectResponse(f"{BASE}/loops/{loop_id}", status_code=303)


@router.post("/{loop_id}/cancel", dependencies=[OPERATOR])
def cancel(service: ServiceHere, caller: Caller, form: SentForm, loop_id: Id) -> Response:
    """End a loop for good, and the round of it that is on its way."""
    loops.cancel_loop(service, loop_id, actor=caller)
    return RedirectResponse(f"{BASE}/loops/{loop_id}", status_code=303)


def _loops(service: ServiceHere, cursor: str) -> dict[str, object]:
    found = loops.list_loops(service.platform, None, page_of(_SHOWN, cursor))
    return {
        "loops": [LoopOut.of(status) for status in found.items],
        "busy": any(status.run.state is LoopState.ACTIVE for status in found.items),
        "cursor": cursor,
        "next_cursor": cursor_of(found.after),
    }


def _loop(service: ServiceHere, loop_id: str) -> dict[str, object]:
    status = loops.show_loop(service.platform, loop_id)
    return {
        "loop": LoopOut.of(status),
        "rounds": [LoopRoundOut.of(round_) for round_ in reversed(status.rounds)],
        "active": status.run.state is LoopState.ACTIVE,
        "paused": status.run.state is LoopState.PAUSED,
    }
