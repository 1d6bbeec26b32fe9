"""A round: how far it is, what it picked and why, and what its labels showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.data import Frame
from al_platform.domain.labels import CONTROL_CLASS, LabelTask
from al_platform.domain.paging import PageRequest
from al_platform.domain.rounds import Round
from al_platform.domain.scenarios import ScenarioReference
from al_platform.platform import insight, listing, queues, submissions, triage
from al_platform.platform.picture_links import PictureLinks
from api.dashboard.guard import OPERATOR, READER, Caller, Links, SentForm, ServiceHere
from api.dashboard.pages import BASE, render
from api.dashboard.rounds_view import STEPS, RoundView, views_of
from api.paging import cursor_of, page_of

router = APIRouter(prefix="/rounds/{round_id}")
Id = Annotated[str, Path(min_length=1, max_length=200)]
Overlay = Annotated[str, Query(max_length=200)]
Seen = Annotated[str, Query(max_length=40)]

PICKED = "picked"
"""The overlay of each frame is that of the class that it was picked for."""
_GALLERY = 24
_THUMBNAIL = 320


@dataclass(frozen=True)
class Card:
    """One pick as it is shown: its pictures and how many picks its session has."""

    task: LabelTask
    frame: Frame
    image: str
    heat: str
    of_session: int


@dataclass(frozen=True)
class SceneCard:
    """One pick of a round of scenarios, seen from above."""

    task: LabelTask
    scene: ScenarioReference
    image: str
    of_session: int


@router.get("", dependencies=[READER])
def round_page(
    request: Request,
    service: ServiceHere,
    links: Links,
    round_id: Id,
    overlay: Overlay = PICKED,
    moving: bool = False,
    cursor: str = "",
) -> Response:
    """Show a round with a page of its gallery; a request that has become a round leads there."""
    round_ = submissions.round_status(service, round_id).round
    if round_.round_id != round_id:
        return RedirectResponse(f"{BASE}/rounds/{round_.round_id}", status_code=303)
    steps = submissions.round_steps(service, round_id)
    return render(
        request,
        "round.html.jinja",
        spec=round_.spec,
        round_=round_,
        metrics=_metrics(service, round_),
        steps_done=steps,
        said=triage.round_triage(service.platform, round_),
        class_choices=[(name, name) for name in round_.spec.model.classes],
        shown={
            **_live(request, service, round_id),
            **_gallery(service, links, round_, overlay=overlay, moving=moving, cursor=cursor),
        },
    )


@router.get("/live", dependencies=[READER])
def round_live(request: Request, service: ServiceHere, round_id: Id, seen: Seen = "") -> Response:
    """Give how far a round is now; the page is asked for anew once the round rests where the page has not seen it."""
    shown = _live(request, service, round_id)
    response = render(request, "parts/round_live.html.jinja", shown=shown)
    view = shown["view"]
    if not (isinstance(view, RoundView) and view.round_id == round_id and (view.live or view.word == seen)):
        response.headers["HX-Refresh"] = "true"
    return response


@router.get("/yield", dependencies=[READER])
def round_yield(request: Request, service: ServiceHere, round_id: Id) -> Response:
    """Give what the labels of a round showed."""
    found = insight.round_yield(service.platform, round_id)
    return render(request, "parts/yield.html.jinja", found=found, round_id=round_id)


@router.get("/twins", dependencies=[READER])
def round_twins(request: Request, service: ServiceHere, round_id: Id, cursor: str = "") -> Response:
    """Give the near-duplicates among the picks, to be put into the cards of a page of the gallery."""
    twins = insight.near_duplicates(service.platform, round_id)
    page = queues.tasks(service.platform, _gallery_page(cursor), round_id=round_id)
    shown = {task.item_id: twins[task.item_id] for task in page.items if task.item_id in twins}
    return render(request, "parts/twins.html.jinja", count=len(twins), twins=shown)


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
    (view,) = views_of([status], request.app.state.pace)
    return {"view": view, "steps": STEPS}


def _metrics(service: ServiceHere, round_: Round) -> Mapping[str, Mapping[str, float]]:
    if round_.of_scenarios or round_.ensemble_id is None or round_.spec.test_version_id is None:
        return {}
    return listing.metrics(service.platform, round_.ensemble_id).get(round_.spec.test_version_id, {})


def _gallery(
    service: ServiceHere, links: PictureLinks, round_: Round, *, overlay: str, moving: bool, cursor: str
) -> dict[str, object]:
    round_id = round_.round_id
    found = queues.tasks(service.platform, _gallery_page(cursor), round_id=round_id)
    summary = insight.picks_of(service.platform, round_id) if found.items else insight.Picks()
    cards: list[Card] = []
    scenes: list[SceneCard] = []
    if round_.of_scenarios:
        scenes = _scene_cards(service, links, found.items, sessions=summary.sessions, moving=moving)
    elif found.items:
        cards = _cards(service, links, round_, found.items, sessions=summary.sessions, overlay=overlay)
    return {
        "cards": cards,
        "scenes": scenes,
        "picks": summary,
        "overlay": overlay,
        "moving": moving,
        "cursor": cursor,
        "next_cursor": cursor_of(found.after),
        "control": CONTROL_CLASS,
    }


def _cards(
    service: ServiceHere,
    links: PictureLinks,
    round_: Round,
    tasks: Sequence[LabelTask],
    *,
    sessions: Mapping[str, int],
    overlay: str,
) -> list[Card]:
    frames = listing.frames_named(service.platform, [task.item_id for task in tasks])
    return [
        Card(
            task=task,
            frame=frames[task.item_id],
            image=links.blob(frames[task.item_id].image.hash, longest=_THUMBNAIL),
            heat=_heat(links, round_, task, overlay),
            of_session=sessions[frames[task.item_id].session_id],
        )
        for task in tasks
    ]


def _scene_cards(
    service: ServiceHere,
    links: PictureLinks,
    tasks: Sequence[LabelTask],
    *,
    sessions: Mapping[str, int],
    moving: bool,
) -> list[SceneCard]:
    named = listing.scenarios_named(service.platform, [task.item_id for task in tasks])
    kind = "clip" if moving else "above"
    return [
        SceneCard(task, scene, links.scene(scene.scenario_id, kind), sessions[scene.session_id])
        for task, scene in ((task, named[task.item_id]) for task in tasks)
    ]


def _gallery_page(cursor: str) -> PageRequest:
    return page_of(_GALLERY, cursor)


def _heat(links: PictureLinks, round_: Round, task: LabelTask, overlay: str) -> str:
    name = task.for_class if overlay == PICKED else overlay
    if round_.ensemble_id is None or name not in round_.spec.model.classes:
        return ""
    return links.heatmap(round_.round_id, task.item_id, name)
