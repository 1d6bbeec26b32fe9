"""Policies judged: suites, evaluations on them, comparisons, leaderboards. Whoever asks does not wait."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from al_platform.domain.judging import Comparison, Evaluation, JudgeSpec
from al_platform.domain.operations import ComparisonWish, Operation
from al_platform.errors import (
    CatalogBusy,
    ComputeUnavailable,
    CorruptBlob,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    StorageUnavailable,
)
from al_platform.platform import judgements, judging
from al_platform.platform.pictures import stored_picture
from al_platform.platform.taking_on import OperationStatus
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.conditions import picture_response
from api.errors import problem_responses
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id, IdempotencyKey
from api.schemas.base import PageOut, page_out
from api.schemas.judging import (
    AskedComparisonOut,
    AskedEvaluationOut,
    ComparisonIn,
    ComparisonOut,
    EvaluationIn,
    EvaluationOut,
    ListedComparisonOut,
    StandingOut,
    SuiteIn,
    SuiteOut,
    progress_out,
)

router = APIRouter(prefix="/v1", tags=["judging"])
_ASK = problem_responses(InvalidInput, NotFound, CatalogBusy, StorageUnavailable, ComputeUnavailable)


@router.get("/suites", operation_id="list_suites", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_suites(service: ServiceHere, page: PageAsked) -> PageOut[SuiteOut]:
    """List suites by name."""
    return page_out(judging.suites(service.platform, page), SuiteOut)


@router.post(
    "/suites",
    operation_id="freeze_suite",
    status_code=201,
    dependencies=[OPERATOR],
    responses=problem_responses(InvalidInput, IdempotencyMismatch, CatalogBusy, StorageUnavailable),
)
def freeze_suite(
    service: ServiceHere, caller: Caller, body: SuiteIn, key: IdempotencyKey, response: Response
) -> SuiteOut:
    """Freeze the scenarios that a filter matches now, with their tags, as a suite to judge policies on."""
    made, replayed = judgements.freeze(service, body.name, body.filter, actor=caller, key=key)
    response.headers["Location"] = f"/v1/suites/{made.suite_id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return SuiteOut.model_validate(made)


@router.get("/suites/{suite}", operation_id="get_suite", dependencies=[READER], responses=problem_responses(NotFound))
def get_suite(service: ServiceHere, suite: Id) -> SuiteOut:
    """Give a suite by its name or id."""
    return SuiteOut.model_validate(judging.suite(service.platform, suite))


@router.get(
    "/suites/{suite}/leaderboard",
    operation_id="get_leaderboard",
    dependencies=[READER],
    responses=problem_responses(NotFound, InvalidInput),
)
def get_leaderboard(
    service: ServiceHere,
    suite: Id,
    page: PageAsked,
    reactive: Annotated[bool, Query(description="Agents that follow the ego brake for it")] = False,
) -> PageOut[StandingOut]:
    """Rank the policies that drove a suite: by failure rate, then by progress, with the licences that each holds."""
    found = judging.leaderboard(service.platform, suite, page, spec=JudgeSpec(reactive))
    return page_out(found, StandingOut)


@router.get(
    "/evaluations", operation_id="list_evaluations", dependencies=[READER], responses=problem_responses(InvalidInput)
)
def list_evaluations(
    service: ServiceHere, page: PageAsked, policy_id: Annotated[str, Query(max_length=200)] = ""
) -> PageOut[EvaluationOut]:
    """List finished evaluations by suite, of one policy or all."""
    return page_out(judging.evaluations(service.platform, policy_id, page), EvaluationOut)


@router.post(
    "/evaluations", operation_id="ask_for_evaluation", status_code=202, dependencies=[OPERATOR], responses=_ASK
)
def ask_for_evaluation(
    service: ServiceHere, caller: Caller, body: EvaluationIn, response: Response
) -> AskedEvaluationOut:
    """Have a policy drive a suite. Answered at once; asked again it is the same evaluation, driven once."""
    asked = judgements.ask_for_evaluation(
        service, body.policy_id, body.suite, spec=JudgeSpec(body.reactive), actor=caller
    )
    response.headers["Location"] = f"/v1/evaluations/{asked.operation_id}"
    return _evaluation_out(asked)


@router.get(
    "/evaluations/{evaluation_id}",
    operation_id="get_evaluation",
    dependencies=[READER],
    responses=problem_responses(NotFound),
)
def get_evaluation(service: ServiceHere, evaluation_id: Id) -> AskedEvaluationOut:
    """Give an evaluation, or how far it is."""
    return _evaluation_out(judgements.evaluation_status(service, evaluation_id))


@router.post(
    "/comparisons", operation_id="ask_for_comparison", status_code=202, dependencies=[OPERATOR], responses=_ASK
)
def ask_for_comparison(
    service: ServiceHere, caller: Caller, body: ComparisonIn, response: Response
) -> AskedComparisonOut:
    """Have two policies compared scenario by scenario, and what changed most drawn side by side.

    Answered at once; what either policy has not driven yet is driven first.
    """
    asked_id = judgements.ask_for_comparison(
        service,
        body.before,
        body.after,
        body.suite,
        spec=JudgeSpec(body.reactive),
        clips=body.clips,
        progress_margin=body.progress_margin,
        actor=caller,
    )
    response.headers["Location"] = f"/v1/comparisons/{asked_id}"
    return get_comparison(service, asked_id)


@router.get(
    "/comparisons", operation_id="list_comparisons", dependencies=[READER], responses=problem_responses(InvalidInput)
)
def list_comparisons(service: ServiceHere, page: PageAsked) -> PageOut[ListedComparisonOut]:
    """List the comparisons that were asked for, newest first."""
    found = judgements.comparisons_page(service, page)
    items = [_listed(operation) for operation in found.items]
    return PageOut[ListedComparisonOut](items=items, next_cursor=cursor_of(found.after))


@router.get(
    "/comparisons/{asked_id}",
    operation_id="get_comparison",
    dependencies=[READER],
    responses=problem_responses(NotFound),
)
def get_comparison(service: ServiceHere, asked_id: Id) -> AskedComparisonOut:
    """Give a comparison that was asked for, or how far it is."""
    wish, asked = judgements.comparison_status(service, asked_id)
    return AskedComparisonOut(
        asked_id=asked_id,
        before=wish.before,
        after=wish.after,
        suite_id=wish.suite_id,
        state=asked.state,
        message=asked.message,
        progress=progress_out(asked.progress),
        comparison=None if asked.result is None else ComparisonOut.model_validate(asked.result),
    )


@router.get(
    "/comparisons/{asked_id}/clips/{scenario_id}",
    operation_id="get_comparison_clip",
    dependencies=[READER],
    response_class=Response,
    responses=problem_responses(NotFound, CorruptBlob, StorageUnavailable),
)
def get_clip(service: ServiceHere, request: Request, asked_id: Id, scenario_id: Id) -> Response:
    """Give a scenario as the two policies drove it, side by side: a GIF."""
    _, asked = judgements.comparison_status(service, asked_id)
    found = _clip_of(asked, scenario_id)
    return picture_response(request, stored_picture(service.platform, found, longest=0))


def _listed(operation: Operation) -> ListedComparisonOut:
    wish = operation.wish
    assert isinstance(wish, ComparisonWish)  # that is what is listed
    return ListedComparisonOut(
        asked_id=operation.operation_id,
        before=wish.before,
        after=wish.after,
        suite_id=wish.suite_id,
        state=operation.state,
        message=operation.message,
        asked_by=operation.asked_by,
        asked_at=operation.asked_at,
    )


def _clip_of(asked: OperationStatus[Comparison], scenario_id: str) -> str:
    changes = () if asked.result is None else (*asked.result.worse, *asked.result.better)
    found = {change.scenario_id: change.clip_hash for change in changes if change.clip_hash is not None}
    if scenario_id not in found:
        raise NotFound(f"clip of scenario {scenario_id}: the comparison {asked.operation_id} has none")
    return found[scenario_id]


def _evaluation_out(asked: OperationStatus[Evaluation]) -> AskedEvaluationOut:
    return AskedEvaluationOut(
        evaluation_id=asked.operation_id,
        state=asked.state,
        message=asked.message,
        progress=progress_out(asked.progress),
        evaluation=None if asked.result is None else EvaluationOut.model_validate(asked.result),
    )
