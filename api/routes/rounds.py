"""Rounds: estimated, submitted, watched, cancelled; what they picked and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from al_platform.domain.rounds import RoundState
from al_platform.errors import (
    CatalogBusy,
    Conflict,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    StorageUnavailable,
)
from al_platform.platform import estimates, queues, rounds, submissions, triage
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.conditions import picture_response
from api.errors import problem_responses
from api.events import round_events
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id, IdempotencyKey
from api.schemas.base import PageOut, page_out
from api.schemas.queues import TaskOut
from api.schemas.round_answers import EstimateOut, RequestOut, RoundOut, SpecOut, StepOut, VerifiedOut
from api.schemas.rounds import RoundIn
from api.schemas.triage import TriageOut

router = APIRouter(prefix="/v1/rounds", tags=["rounds"])

SHOWN_DIFFERENCES = 100

_CHANGE = problem_responses(NotFound, Conflict, CatalogBusy, StorageUnavailable)


@router.get("", operation_id="list_rounds", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_rounds(service: ServiceHere, page: PageAsked, state: RoundState | None = None) -> PageOut[RoundOut]:
    """List rounds, newest first, those in one state or all."""
    found = submissions.rounds_page(service, state, page)
    return PageOut[RoundOut](items=[RoundOut.of(status) for status in found.items], next_cursor=cursor_of(found.after))


@router.post(
    "",
    operation_id="submit_round",
    status_code=202,
    dependencies=[OPERATOR],
    responses=problem_responses(InvalidInput, NotFound, IdempotencyMismatch, Conflict, CatalogBusy),
)
def submit_round(
    service: ServiceHere, caller: Caller, body: RoundIn, key: IdempotencyKey, response: Response
) -> RoundOut:
    """Submit a round. Answered at once: pool and test set are frozen and a start set is bought afterwards.

    Until then the round goes by the id of the request, which goes on naming it. A pool that matches nothing, or
    labels that are missing, end as `run_state` failed with the reason as `message`.
    """
    status, replayed = submissions.submit(service, body.meant(), actor=caller, key=key)
    response.headers["Location"] = f"/v1/rounds/{status.round.round_id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return RoundOut.of(status)


@router.get(
    "/requests", operation_id="list_round_requests", dependencies=[READER], responses=problem_responses(InvalidInput)
)
def list_requests(service: ServiceHere, page: PageAsked) -> PageOut[RequestOut]:
    """List what was asked for, newest first, with what came of it."""
    found = submissions.requests_page(service, page)
    items = [RequestOut.of(known, run) for known, run in found.items]
    return PageOut[RequestOut](items=items, next_cursor=cursor_of(found.after))


@router.post(
    "/estimate",
    operation_id="estimate_round",
    dependencies=[READER],
    responses=problem_responses(InvalidInput, NotFound),
)
def estimate_round(service: ServiceHere, body: RoundIn) -> EstimateOut:
    """Say what a round would take; nothing is kept and nothing is bought."""
    return EstimateOut.model_validate(estimates.estimate_round(service.platform, body.meant()))


@router.get("/{round_id}", operation_id="get_round", dependencies=[READER], responses=problem_responses(NotFound))
def get_round(service: ServiceHere, round_id: Id) -> RoundOut:
    """Give how far a round is."""
    return RoundOut.of(submissions.round_status(service, round_id))


@router.get(
    "/{round_id}/spec", operation_id="get_round_spec", dependencies=[READER], responses=problem_responses(NotFound)
)
def get_spec(service: ServiceHere, round_id: Id) -> SpecOut:
    """Give everything that determines a round."""
    return SpecOut.of(submissions.round_status(service, round_id))


@router.get(
    "/{round_id}/steps", operation_id="list_round_steps", dependencies=[READER], responses=problem_responses(NotFound)
)
def list_steps(service: ServiceHere, round_id: Id) -> list[StepOut]:
    """List the finished steps of a round, in order."""
    return [StepOut.model_validate(step) for step in submissions.round_steps(service, round_id)]


@router.get(
    "/{round_id}/triage", operation_id="get_round_triage", dependencies=[READER], responses=problem_responses(NotFound)
)
def get_triage(service: ServiceHere, round_id: Id) -> TriageOut | None:
    """Give what people said of the scenarios of a round so far; null for a round of frames."""
    found = triage.round_triage(service.platform, submissions.round_status(service, round_id).round)
    return TriageOut.model_validate(found) if found else None


@router.get(
    "/{round_id}/events",
    operation_id="watch_round",
    dependencies=[READER],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **problem_responses(NotFound)},
)
def watch_round(service: ServiceHere, round_id: Id) -> StreamingResponse:
    """Follow a round: `round` events with its status whenever it changes, `end` once it rests."""
    submissions.round_status(service, round_id)  # an unknown round is a problem, not a stream
    return StreamingResponse(
        round_events(service, round_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.post(
    "/{round_id}/cancel", operation_id="cancel_round", status_code=202, dependencies=[OPERATOR], responses=_CHANGE
)
def cancel_round(service: ServiceHere, caller: Caller, round_id: Id) -> RoundOut:
    """Cancel a round: at once where it waits, at its next report where it runs. What it finished is kept."""
    return RoundOut.of(submissions.cancel(service, round_id, actor=caller))


@router.post(
    "/{round_id}/resume", operation_id="resume_round", status_code=202, dependencies=[OPERATOR], responses=_CHANGE
)
def resume_round(service: ServiceHere, caller: Caller, round_id: Id) -> RoundOut:
    """Go on with a round that waits for labels or failed on the way."""
    return RoundOut.of(submissions.resume(service, round_id, actor=caller))


@router.post(
    "/{round_id}/verify",
    operation_id="verify_round",
    dependencies=[OPERATOR],
    responses=problem_responses(NotFound, StorageUnavailable),
)
def verify_round(service: ServiceHere, round_id: Id) -> VerifiedOut:
    """Select again from the stored inputs and say how the picks differ."""
    found = submissions.round_status(service, round_id).round.round_id
    differences = rounds.verify_round(service.platform, found)
    return VerifiedOut(round_id=found, equal=not differences, differences=differences[:SHOWN_DIFFERENCES])


@router.get(
    "/{round_id}/selections",
    operation_id="list_selections",
    dependencies=[READER],
    responses=problem_responses(NotFound, InvalidInput),
)
def list_selections(service: ServiceHere, round_id: Id, page: PageAsked) -> PageOut[TaskOut]:
    """List what a round picked, best first, with scores."""
    found = submissions.round_status(service, round_id).round.round_id
    return page_out(queues.tasks(service.platform, page, round_id=found), TaskOut)


@router.get(
    "/{round_id}/selections/{frame_id}/heatmap",
    operation_id="get_heatmap",
    dependencies=[READER],
    response_class=Response,
    responses=problem_responses(NotFound, InvalidInput, StorageUnavailable),
)
def get_heatmap(
    service: ServiceHere,
    request: Request,
    round_id: Id,
    frame_id: Id,
    class_name: Annotated[str, Query(alias="class", min_length=1, max_length=200, examples=["person"])],
) -> Response:
    """Give where the ensemble disagrees about a class: a PNG to lay over the frame, a pixel a cell.

    The header `Heatmap-Top-Nats` tells the mutual information of its strongest colour.
    """
    picture, top = service.heatmaps.overlay(service.platform, round_id, frame_id, class_name=class_name)
    return picture_response(request, picture, **{"Heatmap-Top-Nats": f"{top:.6g}"})
