"""The first page: rounds as they go on, what waits for people, what the service holds."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from al_platform.domain.paging import PageRequest
from al_platform.domain.runs import RunState
from al_platform.platform import queues
from al_platform.platform.data import datasets_summary
from al_platform.platform.submissions import count_runs, requests_page, round_status, rounds_page
from api.dashboard.guard import READER, ServiceHere
from api.dashboard.pages import render
from api.dashboard.rounds_view import STEPS, views_of
from api.paging import cursor_of, page_of

router = APIRouter(dependencies=[READER])
Cursor = Annotated[str, Query(max_length=2000)]

_SHOWN_QUEUES = 12
_SHOWN_ROUNDS, _SHOWN_REQUESTS = 20, 20


@router.get("/")
def overview(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Show rounds, queues and datasets."""
    found = queues.queues(service.platform)
    return render(
        request,
        "overview.html.jinja",
        datasets=datasets_summary(service.platform),
        queues=sorted(found, key=lambda queue: queue.queue.startswith("exp_"))[:_SHOWN_QUEUES],
        hidden_queues=max(0, len(found) - _SHOWN_QUEUES),
        shown=_rounds(request, service, cursor),
    )


@router.get("/rounds")
def rounds_table(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Give the table of rounds as it is now."""
    return render(request, "parts/rounds.html.jinja", shown=_rounds(request, service, cursor))


def _rounds(request: Request, service: ServiceHere, cursor: Cursor = "") -> dict[str, object]:
    found = rounds_page(service, None, page_of(_SHOWN_ROUNDS, cursor))
    asked = [] if cursor else requests_page(service, PageRequest(_SHOWN_REQUESTS)).items
    open_requests = [round_status(service, known.request_id) for known, _ in asked if known.round_id is None]
    counts = {state.value: count for state, count in count_runs(service).items()}
    return {
        "rounds": views_of([*open_requests, *found.items], request.app.state.pace),
        "counts": counts,
        "busy": bool(counts[RunState.QUEUED] or counts[RunState.RUNNING]),
        "steps": STEPS,
        "cursor": cursor,
        "next_cursor": cursor_of(found.after),
    }
