"""Frames, sessions, tags and search: what was recorded."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import data, listing
from al_platform.platform.pictures import frame_image, frame_thumbnail
from al_platform.platform.uncertainty import frame_uncertainty
from api.access import READER, ServiceHere
from api.conditions import picture_response
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Filter, Id, Unlabelled
from api.schemas.base import PageOut, page_out
from api.schemas.data import CountOut, FrameOut, HitOut, SessionOut, TagOut, UncertaintyOut

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
    unlabelled: Unlabelled = False,
) -> PageOut[FrameOut]:
    """List frames that a filter matches, by session and number."""
    return page_out(listing.frames(service.platform, filter, page, unlabelled=unlabelled), FrameOut)


@router.get("/frames/count", operation_id="count_frames", responses=problem_responses(InvalidInput))
def count_frames(
    service: ServiceHere,
    filter: Filter = "",  # noqa: A002
    unlabelled: Unlabelled = False,
) -> CountOut:
    """Count the frames and sessions that a filter matches."""
    frames, sessions = data.count_frames(service.platform, filter, unlabelled=unlabelled)
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


@router.get(
    "/frames/{frame_id}/uncertainty",
    operation_id="get_frame_uncertainty",
    responses=problem_responses(NotFound, StorageUnavailable),
)
def get_uncertainty(service: ServiceHere, frame_id: Id) -> list[UncertaintyOut]:
    """Give what every ensemble that scored this frame thought of it, the oldest first."""
    return [UncertaintyOut.model_validate(seen) for seen in frame_uncertainty(service.platform, frame_id)]


@router.get("/tags", operation_id="list_tags", responses=problem_responses(InvalidInput))
def list_tags(service: ServiceHere, page: PageAsked) -> PageOut[TagOut]:
    """List tags of frames by name, each with its most frequent values."""
    return page_out(listing.tags(service.platform, page), TagOut)


@router.get("/search", operation_id="search")
def search(
    service: ServiceHere,
    text: Annotated[str, Query(min_length=1, max_length=200, examples=["drive_7"])],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[HitOut]:
    """Find what carries a text in its id or name; frames, labels and tasks by their whole id."""
    return [HitOut.model_validate(hit) for hit in listing.hits(service.platform, text, limit=limit)]
