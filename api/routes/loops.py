"""Loops: made, listed, paused, gone on with, cancelled; their rounds with metric and gain over the control share."""

from fastapi import APIRouter, Response

from al_platform.domain.loops import LoopState
from al_platform.errors import CatalogBusy, Conflict, IdempotencyMismatch, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import loops
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id, IdempotencyKey
from api.schemas.base import PageOut
from api.schemas.loops import LoopIn, LoopOut, LoopRoundOut

router = APIRouter(prefix="/v1/loops", tags=["loops"])
_CHANGE = problem_responses(NotFound, Conflict, CatalogBusy, StorageUnavailable)


@router.get("", operation_id="list_loops", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_loops(service: ServiceHere, page: PageAsked, state: LoopState | None = None) -> PageOut[LoopOut]:
    """List loops, newest first, those in one state or all."""
    found = loops.list_loops(service.platform, state, page)
    return PageOut[LoopOut](items=[LoopOut.of(status) for status in found.items], next_cursor=cursor_of(found.after))


@router.post(
    "",
    operation_id="create_loop",
    status_code=202,
    dependencies=[OPERATOR],
    responses=problem_responses(InvalidInput, NotFound, IdempotencyMismatch, Conflict, CatalogBusy),
)
def create_loop(service: ServiceHere, caller: Caller, body: LoopIn, key: IdempotencyKey, response: Response) -> LoopOut:
    """Make a loop: pool and test set are frozen, a start set bought where none is named, then its rules hold."""
    status, replayed = loops.create_loop(service, body.meant(), actor=caller, key=key)
    response.headers["Location"] = f"/v1/loops/{status.run.loop_id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return LoopOut.of(status)


@router.get("/{loop_id}", operation_id="get_loop", dependencies=[READER], responses=problem_responses(NotFound))
def get_loop(service: ServiceHere, loop_id: Id) -> LoopOut:
    """Give how far a loop is."""
    return LoopOut.of(loops.show_loop(service.platform, loop_id))


@router.get(
    "/{loop_id}/rounds", operation_id="list_loop_rounds", dependencies=[READER], responses=problem_responses(NotFound)
)
def list_loop_rounds(service: ServiceHere, loop_id: Id) -> list[LoopRoundOut]:
    """List the rounds of a loop, oldest first: labels, metric, and what the picks hold beside the control share."""
    return [LoopRoundOut.of(round_) for round_ in loops.show_loop(service.platform, loop_id).rounds]


@router.post("/{loop_id}/pause", operation_id="pause_loop", status_code=202, dependencies=[OPERATOR], responses=_CHANGE)
def pause_loop(service: ServiceHere, caller: Caller, loop_id: Id) -> LoopOut:
    """Let no further round begin; the one that is on its way goes on."""
    return LoopOut.of(loops.pause_loop(service, loop_id, actor=caller))


@router.post(
    "/{loop_id}/resume", operation_id="resume_loop", status_code=202, dependencies=[OPERATOR], responses=_CHANGE
)
def resume_loop(service: ServiceHere, caller: Caller, loop_id: Id) -> LoopOut:
    """Go on with a paused loop; a round of it that failed on the way is handed over again."""
    return LoopOut.of(loops.resume_loop(service, loop_id, actor=caller))


@router.post(
    "/{loop_id}/cancel", operation_id="cancel_loop", status_code=202, dependencies=[OPERATOR], responses=_CHANGE
)
def cancel_loop(service: ServiceHere, caller: Caller, loop_id: Id) -> LoopOut:
    """End a loop for good and cancel the round that is on its way; what was appended stays."""
    return LoopOut.of(loops.cancel_loop(service, loop_id, actor=caller))
