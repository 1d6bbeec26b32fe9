"""Driving policies: trained without anybody waiting, listed, and shown with their learning curves."""

from fastapi import APIRouter, Response

from al_platform.errors import (
    CatalogBusy,
    ComputeUnavailable,
    Conflict,
    CorruptBlob,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    StorageUnavailable,
)
from al_platform.platform import policies, trainings
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id, IdempotencyKey
from api.schemas.base import PageOut
from api.schemas.policies import AskedPolicyOut, PolicyOut, PolicyWantedIn, PolicyWithCurveOut

router = APIRouter(prefix="/v1/policies", tags=["policies"])


@router.get("", operation_id="list_policies", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_policies(service: ServiceHere, page: PageAsked) -> PageOut[PolicyOut]:
    """List policies, newest first."""
    found = policies.policies_page(service.platform, page)
    items = [PolicyOut.of(policy) for policy in found.items]
    return PageOut[PolicyOut](items=items, next_cursor=cursor_of(found.after))


@router.post(
    "",
    operation_id="train_policy",
    status_code=202,
    dependencies=[OPERATOR],
    responses=problem_responses(
        InvalidInput, NotFound, IdempotencyMismatch, CatalogBusy, StorageUnavailable, ComputeUnavailable
    ),
)
def train_policy(
    service: ServiceHere, caller: Caller, body: PolicyWantedIn, key: IdempotencyKey, response: Response
) -> AskedPolicyOut:
    """Have a policy trained by cloning or practice. Answered at once with its id and the place that says how far it is.

    The same training is the same policy, however often it is asked for; one that failed or was stopped goes on from
    its checkpoint.
    """
    asked, replayed = trainings.ask_for_policy(service, body.meant(), actor=caller, key=key)
    response.headers["Location"] = f"/v1/policies/{asked.operation_id}/training"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return AskedPolicyOut.of(asked)


@router.get(
    "/{policy_id}/training",
    operation_id="get_training",
    dependencies=[READER],
    responses=problem_responses(NotFound),
)
def get_training(service: ServiceHere, policy_id: Id) -> AskedPolicyOut:
    """Give how far the training of a policy is."""
    return AskedPolicyOut.of(trainings.training_status(service, policy_id))


@router.post(
    "/{policy_id}/training/stop",
    operation_id="stop_training",
    status_code=202,
    dependencies=[OPERATOR],
    responses=problem_responses(NotFound, Conflict, CatalogBusy, ComputeUnavailable),
)
def stop_training(service: ServiceHere, caller: Caller, policy_id: Id) -> AskedPolicyOut:
    """Stop a training, which keeps its state: asked for again it goes on from there."""
    return AskedPolicyOut.of(trainings.stop_training(service, policy_id, actor=caller))


@router.get(
    "/{policy_id}",
    operation_id="get_policy",
    dependencies=[READER],
    responses=problem_responses(NotFound, CorruptBlob),
)
def get_policy(service: ServiceHere, policy_id: Id) -> PolicyWithCurveOut:
    """Give a policy, how it was trained, and its learning curve."""
    found = policies.policy(service.platform, policy_id)
    return PolicyWithCurveOut.with_curve(found, policies.curve_of(service.platform, policy_id).points)
