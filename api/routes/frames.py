"""Frames, sessions, tags and search: what was recorded."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import listing
from al_platform.platform.pictures import frame_image, frame_thumbnail
from api.access import READER, ServiceHere
from api.conditions import picture_response
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Filter, Id
from api.schemas.base import PageOut, page_out
from api.schemas.data import CountOut, FrameOut, HitOut, SessionOut, TagOut

router = APIRouter(prefix="/v1", tags=["data"], dependencies=[READER])

_PICTURE = problem_responses(NotFound, CorruptBlob, StorageUnavailable, InvalidInput)


@router.get("/sessions", operation_id="list_sessions", responses=problem_responses(InvalidInput))
def list_sessions(
    service: ServiceHere, page: PageAsked, dataset: Annotated[str, Query(max_length=200)] = ""
) -> PageOut[SessionOut]:
    """List drives by id."""
    return page_out(listing.sessions(service.platform, dataset, page), SessionOut)


@router.get("/sessions/{session_id}", operation_id="get_session", responses=problem_responses(NotFound))
def get_session(service: ServiceHere, session_id: Id) -> SessionOut:
    """Give a drive."""
    return SessionOut.model_validate(listing.session(service.platform, session_id))


@router.get("/frames", operation_id="list_frames", responses=problem_responses(InvalidInput))
def list_frames(
    service: ServiceHere,
    page: PageAsked,
    filter: Filter = "",  # noqa: A002  the name in the address
) -> PageOut[FrameOut]:
    """List frames that a filter matches, by session and number."""
    return page_out(listing.frames(service.platform, filter, page), FrameOut)


@router.get("/frames/count", operation_id="count_frames", responses=problem_responses(InvalidInput))
def count_frames(service: ServiceHere, filter: Filter = "") -> CountOut:  # noqa: A002
    """Count the frames and sessions that a filter matches."""
    frames, sessions = listing.count_frames(service.platform, filter)
    return CountOut(frames=frames, sessions=sessions)


@router.get("/frames/{frame_id}", operation_id="get_frame", responses=problem_responses(NotFound))
def get_frame(service: ServiceHere, frame_id: Id) -> FrameOut:
    """Give a frame."""
    return FrameOut.model_validate(listing.frame(service.platform, frame_id))


@router.get("/frames/{frame_id}/image", operation_id="get_frame_image", response_class=Response, responses=_PICTURE)
def get_image(service: ServiceHere, request: Request, frame_id: Id) -> Response:
    """Give the picture of a frame as it was recorded."""
    return picture_response(request, frame_image(service.platform, frame_id))


@router.get(
    "/frames/{frame_id}/thumbnail", operation_id="get_frame_thumbnail", response_class=Response, responses=_PICTURE
)
def get_thumbnail(
    service: ServiceHere, request: Request, frame_id: Id, size: Annotated[int, Query(ge=16, le=1024)] = 256
) -> Response:
    """Give a JPEG of a frame whose longer side is at most `size` pixels."""
    return picture_response(request, frame_thumbnail(service.platform, frame_id, longest=size))


@router.get("/tags", operation_id="list_tags")
def list_tags(service: ServiceHere) -> list[TagOut]:
    """List every tag of frames and its most frequent values."""
    return [TagOut.model_validate(tag) for tag in listing.tags(service.platform)]


@router.get("/search", operation_id="search")
def search(
    service: ServiceHere,
    text: Annotated[str, Query(min_length=1, max_length=200, examples=["drive_7"])],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[HitOut]:
    """Find what carries a text in its id or name; frames, labels and tasks by their whole id."""
    return [HitOut.model_validate(hit) for hit in listing.hits(service.platform, text, limit=limit)]
