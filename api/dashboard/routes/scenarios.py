"""Scenarios: filtered, looked at from above, and one by one."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from al_platform.errors import InvalidInput
from al_platform.platform import scenarios
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.service import Service
from api.dashboard.guard import READER, Links, ServiceHere
from api.dashboard.pages import render
from api.paging import cursor_of, page_of

router = APIRouter(prefix="/scenarios", dependencies=[READER])
_PAGE = 24


@router.get("")
def scenarios_page(
    request: Request,
    service: ServiceHere,
    links: Links,
    filter: Annotated[str, Query(max_length=2000)] = "",  # noqa: A002  the name in the address
    cursor: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Show the scenarios that a filter matches, from above."""
    shown: Mapping[str, object] = {"cards": [], "next_cursor": None, "counts": (0, 0)}
    failed = ""
    try:
        shown = _matching(service, links, filter, cursor)
    except InvalidInput as error:
        failed = str(error)
    status = 422 if failed else 200
    return render(
        request, "scenarios.html.jinja", status=status, shown=shown, failed=failed, filter=filter, cursor=cursor
    )


@router.get("/{scenario_id}")
def scenario_page(
    request: Request, service: ServiceHere, links: Links, scenario_id: Annotated[str, Path(max_length=200)]
) -> Response:
    """Show a scenario with everything that is known of it."""
    found = scenarios.scenario(service.platform, scenario_id)
    pictures = {kind: links.scene(scenario_id, kind) for kind in ("clip", "camera")}
    return render(request, "scenario.html.jinja", scenario=found, pictures=pictures)


def _matching(service: Service, links: PictureLinks, filter_text: str, cursor: str) -> Mapping[str, object]:
    page = scenarios.scenarios(service.platform, filter_text, page_of(_PAGE, cursor))
    return {
        "cards": [(item, links.scene(item.scenario_id, "above")) for item in page.items],
        "next_cursor": cursor_of(page.after),
        "counts": scenarios.count_scenarios(service.platform, filter_text),
    }
