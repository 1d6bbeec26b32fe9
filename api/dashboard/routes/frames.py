"""A frame, and more like it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput
from al_platform.platform import listing
from al_platform.platform.similar import find_similar
from api.dashboard.guard import READER, Links, ServiceHere
from api.dashboard.pages import render

router = APIRouter(dependencies=[READER])
_COUNT = 24
_THUMBNAIL = 240


@router.get("/frames/{frame_id}")
def frame_page(
    request: Request, service: ServiceHere, links: Links, frame_id: Annotated[str, Path(min_length=1, max_length=200)]
) -> Response:
    """Show a frame with everything that is known of it."""
    frame = listing.frame(service.platform, frame_id)
    labels = listing.labels(service.platform, frame_id, PageRequest(20))
    return render(request, "frame.html.jinja", frame=frame, image=links.blob(frame.image_hash), labels=labels.items)


@router.get("/similar")
def similar_page(
    request: Request,
    service: ServiceHere,
    links: Links,
    like: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006  FastAPI copies it
    unlike: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006
    filter: Annotated[str, Query(max_length=2000)] = "",  # noqa: A002  the name in the address
) -> Response:
    """Show frames like some examples and unlike others."""
    examples = listing.frames_named(service.platform, [*dict.fromkeys([*like, *unlike])])
    found, failed = [], ""
    try:
        found = find_similar(service.platform, like, unlike=unlike, filter_text=filter, count=_COUNT)
    except InvalidInput as error:
        failed = str(error)
    frames = listing.frames_named(service.platform, [one.frame_id for one in found])
    return render(
        request,
        "similar.html.jinja",
        examples=[
            (frame, links.blob(frame.image.hash, longest=_THUMBNAIL), "like" if frame.frame_id in like else "unlike")
            for frame in examples.values()
        ],
        cards=[
            (frames[one.frame_id], links.blob(frames[one.frame_id].image.hash, longest=_THUMBNAIL), one.score)
            for one in found
        ],
        filter=filter,
        failed=failed,
        status=422 if failed else 200,
    )
