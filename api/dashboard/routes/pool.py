"""The pool: filtered, counted, mapped, looked at."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput
from al_platform.platform import data, explore, listing
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.service import Service
from api.dashboard.guard import READER, Links, ServiceHere
from api.dashboard.maps import coloured
from api.dashboard.pages import render
from api.paging import cursor_of, page_of

router = APIRouter(prefix="/pool", dependencies=[READER])
Filter = Annotated[str, Query(max_length=2000)]
_PAGE = 24
_THUMBNAIL = 240
_NAMES = 200


@router.get("")
def pool_page(
    request: Request,
    service: ServiceHere,
    links: Links,
    filter: Filter = "",  # noqa: A002  the name in the address
    cursor: Annotated[str, Query(max_length=2000)] = "",
    colour: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show the frames that a filter matches, and how they are distributed."""
    shown: Mapping[str, object] = {"cards": [], "next_cursor": None, "counts": (0, 0), "found": None}
    failed = ""
    try:
        shown = _matching(service, links, filter, cursor)
    except InvalidInput as error:
        failed = str(error)
    return render(
        request,
        "pool.html.jinja",
        status=422 if failed else 200,
        shown=shown,
        failed=failed,
        filter=filter,
        colour=colour or _telling(shown["found"]),
        cursor=cursor,
        names=[tag.name for tag in listing.tags(service.platform, PageRequest(_NAMES)).items],
    )


@router.get("/map")
def pool_map(
    request: Request,
    service: ServiceHere,
    filter: Filter = "",  # noqa: A002  the name in the address
    colour: Annotated[str, Query(max_length=200)] = "dataset",
) -> Response:
    """Give the map of what looks alike."""
    found = explore.embedding_map(service.platform, filter)
    return render(request, "parts/map.html.jinja", found=found, colour=colour, drawn=coloured(found, colour))


def _matching(service: Service, links: PictureLinks, filter_text: str, cursor: str) -> Mapping[str, object]:
    platform = service.platform
    page = listing.frames(platform, filter_text, page_of(_PAGE, cursor))
    return {
        "cards": [(frame, links.blob(frame.image_hash, longest=_THUMBNAIL)) for frame in page.items],
        "next_cursor": cursor_of(page.after),
        "counts": data.count_frames(platform, filter_text),
        "found": explore.distribution(platform, filter_text),
    }


def _telling(found: object) -> str:
    """The first of dataset and tags that has more than one value here."""
    values = found.values if isinstance(found, explore.Distribution) else ()
    return next((one.name for one in values if len(one.values) > 1), "dataset")
