"""A round: how far it is, what it picked and why, and what its labels showed."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.labels import CONTROL_CLASS, LabelTask
from al_platform.platform import insight, listing, queues, submissions
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.rounds import round_details
from api.dashboard.guard import OPERATOR, READER, Caller, Links, SentForm, ServiceHere
from api.dashboard.pages import BASE, render
from api.dashboard.rounds_view import STEPS, views_of
from api.paging import cursor_of, place_of
from al_platform.domain.paging import PageRequest

router = APIRouter(prefix="/rounds/{round_id}")
Id = Annotated[str, Path(min_length=1, max_length=200)]
Overlay = Annotated[str, Query(max_length=200)]

PICKED = "picked"
"""The overlay of each frame is that of the class that it was picked for."""
NO_OVERLAY = "none"
_GALLERY = 24
_THUMBNAIL = 320


@router.get("", dependencies=[READER])
def round_page(
    request: Request, service: ServiceHere, links: Links, round_id: Id, overlay: Overlay = PICKED, cursor: str = ""
) -> Response:
    """Show a round with a page of its gallery."""
    details = round_details(service.platform, round_id)
    spec = details.round.spec
    return render(
        request,
        "round.html.jinja",
        spec=spec,
        details=details,
        classes=spec.model.classes,
        picked_for=Counter(pick.for_class for pick in details.selections),
        seconds={step.step: step.seconds for step in details.steps},
        **_live(request, service, round_id),
        **_gallery(service, links, round_id, overlay=overlay, cursor=cursor),
    )


@router.get("/live", dependencies=[READER])
def round_live(request: Request, service: ServiceHere, round_id: Id) -> Response:
    """Give how far a round is now; the page is asked for anew once it rests."""
    shown = _live(request, service, round_id)
    response = render(request, "parts/round_live.html.jinja", **shown)
    if not shown["rounds"][0].live:  # type: ignore[index]
        response.headers["HX-Refresh"] = "true"
    return response


@router.get("/yield", dependencies=[READER])
def round_yield(request: Request, service: ServiceHere, round_id: Id) -> Response:
    """Give what the labels of a round showed."""
    found = insight.round_yield(service.platform, round_id)
    return render(request, "parts/yield.html.jinja", found=found, round_id=round_id)


@router.post("/cancel", dependencies=[OPERATOR])
def cancel(service: ServiceHere, caller: Caller, form: SentForm, round_id: Id) -> Response:
    """Cancel a round."""
    submissions.cancel(service, round_id, actor=caller)
    return RedirectResponse(f"{BASE}/rounds/{round_id}", status_code=303)


@router.post("/resume", dependencies=[OPERATOR])
def resume(service: ServiceHere, caller: Caller, form: SentForm, round_id: Id) -> Response:
    """Go on with a round that waits or failed."""
    submissions.resume(service, round_id, actor=caller)
    return RedirectResponse(f"{BASE}/rounds/{round_id}", status_code=303)


def _live(request: Request, service: ServiceHere, round_id: str) -> dict[str, object]:
    status = submissions.round_status(service, round_id)
    return {"rounds": views_of([status], request.app.state.pace), "steps": STEPS}


def _gallery(
    service: ServiceHere, links: PictureLinks, round_id: str, *, overlay: str, cursor: str
) -> dict[str, object]:
    page = PageRequest(_GALLERY, place_of(cursor) if cursor else None)
    found = queues.tasks(service.platform, page, round_id=round_id)
    frames = listing.frames_named(service.platform, [task.frame_id for task in found.items])
    twins = insight.near_duplicates(service.platform, round_id) if found.items else {}
    trained = submissions.round_status(service, round_id).round.ensemble_id is not None
    cards = [
        {
            "task": task,
            "frame": frames[task.frame_id],
            "image": links.blob(frames[task.frame_id].image.hash, longest=_THUMBNAIL),
            "heat": _heat(links, round_id, task, overlay) if trained else "",
            "twins": twins.get(task.frame_id, []),
        }
        for task in found.items
    ]
    return {
        "cards": cards,
        "overlay": overlay,
        "cursor": cursor,
        "next_cursor": cursor_of(found.after),
        "control": CONTROL_CLASS,
        "sessions": Counter(frames[task.frame_id].session_id for task in found.items),
    }


def _heat(links: PictureLinks, round_id: str, task: LabelTask, overlay: str) -> str:
    name = task.for_class if overlay == PICKED else overlay
    return "" if name in (NO_OVERLAY, CONTROL_CLASS) else links.heatmap(round_id, task.frame_id, name)
