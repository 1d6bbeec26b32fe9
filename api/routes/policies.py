"""Driving policies: trained by `alp policy`, listed, and shown with their learning curves."""

from fastapi import APIRouter

from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.platform import policies
from api.access import READER, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id
from api.schemas.base import PageOut
from api.schemas.policies import PolicyOut, PolicyWithCurveOut

router = APIRouter(prefix="/v1/policies", tags=["policies"], dependencies=[READER])


@router.get("", operation_id="list_policies", responses=problem_responses(InvalidInput))
def list_policies(service: ServiceHere, page: PageAsked) -> PageOut[PolicyOut]:
    """List policies, newest first."""
    found = policies.policies_page(service.platform, page)
    items = [PolicyOut.of(policy) for policy in found.items]
    return PageOut[PolicyOut](items=items, next_cursor=cursor_of(found.after))


@router.get("/{policy_id}", operation_id="get_policy", responses=problem_responses(NotFound, CorruptBlob))
def get_policy(service: ServiceHere, policy_id: Id) -> PolicyWithCurveOut:
    """Give a policy, how it was trained, and its learning curve."""
    found = policies.policy(service.platform, policy_id)
    return PolicyWithCurveOut.with_curve(found, policies.curve_of(service.platform, policy_id).points)
