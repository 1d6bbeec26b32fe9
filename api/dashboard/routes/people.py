"""Who labels how: agreement, truth, time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from al_platform.platform.labels import annotators_of_round
from al_platform.platform.submissions import rounds_page
from api.dashboard.guard import READER, ServiceHere
from api.dashboard.pages import render
from api.paging import PageAsked, cursor_of

router = APIRouter(prefix="/annotators", dependencies=[READER])


@router.get("")
def annotators_page(
    request: Request,
    service: ServiceHere,
    page: PageAsked,
    round_id: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show the people behind the answers of one round, or of the newest rounds that have any."""
    found = rounds_page(service, None, page)
    ids = [round_id] if round_id else [status.round.round_id for status in found.items]
    rows = [(one, people) for one in ids if (people := annotators_of_round(service.platform, one))]
    return render(
        request,
        "annotators.html.jinja",
        rows=rows,
        round_id=round_id,
        next_cursor=None if round_id else cursor_of(found.after),
    )
