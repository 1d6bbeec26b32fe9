"""A frame, and more like it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.data import Frame
from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput
from al_platform.platform import listing, queues
from al_platform.platform.handpicked import handpicked_spec, submit_handpicked
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.similar import find_similar
from api.dashboard.guard import OPERATOR, READER, Caller, Links, SentForm, ServiceHere, texts_of
from api.dashboard.pages import BASE, render

router = APIRouter()
_COUNT = 24
_THUMBNAIL = 240


@router.get("/frames/{frame_id}", dependencies=[READER])
def frame_page(
    request: Request, service: ServiceHere, links: Links, frame_id: Annotated[str, Path(min_length=1, max_length=200)]
) -> Response:
    """Show a frame with everything that is known of it."""
    frame = listing.frame(service.platform, frame_id)
    labels = listing.labels(service.platform, frame_id, PageRequest(20))
    return render(request, "frame.html.jinja", frame=frame, image=links.blob(frame.image_hash), labels=labels.items)


@router.get("/similar", dependencies=[READER])
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
        examples=[(*_card(links, one), "like" if one.frame_id in like else "unlike") for one in examples.values()],
        cards=[(*_card(links, frames[one.frame_id]), one.score) for one in found],
        filter=filter,
        queues=[queue.queue for queue in queues.queues(service.platform) if not queue.queue.startswith("exp_")],
        failed=failed,
        status=422 if failed else 200,
    )


@router.post("/similar/queue", dependencies=[OPERATOR])
def send_to_queue(service: ServiceHere, caller: Caller, form: SentForm) -> Response:
    """Ask people about the frames that are marked as alike, as a round that picked them by hand."""
    frames = [str(frame_id) for frame_id in form.getlist("like")]
    queue = texts_of(form).get("queue", "")
    if not queue:
        raise InvalidInput("queue: has no name; name the queue that the frames go to")
    spec = handpicked_spec(service.platform, frames, queue=queue)
    status = submit_handpicked(service, spec, actor=caller)
    return RedirectResponse(f"{BASE}/rounds/{status.round.round_id}", status_code=303)


def _card(links: PictureLinks, frame: Frame) -> tuple[Frame, str]:
    return frame, links.blob(frame.image.hash, longest=_THUMBNAIL)
