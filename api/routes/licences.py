"""Driver licences: what each asks for, what was decided, and decisions asked for."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from al_platform.domain.licences import Licence
from al_platform.errors import CatalogBusy, ComputeUnavailable, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import judgements, judging, licences
from al_platform.platform.taking_on import OperationStatus
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Id
from api.schemas.base import PageOut, page_out
from api.schemas.judging import progress_out
from api.schemas.licences import AskedLicenceOut, LicenceIn, LicenceOut, LicenceSpecOut

router = APIRouter(prefix="/v1", tags=["licences"])
_ASK = problem_responses(InvalidInput, NotFound, CatalogBusy, StorageUnavailable, ComputeUnavailable)


@router.get(
    "/licence-specs",
    operation_id="list_licence_specs",
    dependencies=[READER],
    responses=problem_responses(InvalidInput),
)
def list_specs(service: ServiceHere, page: PageAsked) -> PageOut[LicenceSpecOut]:
    """List what licences ask for, by name."""
    return page_out(licences.licence_specs(service.platform, page), LicenceSpecOut)


@router.get(
    "/licence-specs/{name}",
    operation_id="get_licence_spec",
    dependencies=[READER],
    responses=problem_responses(NotFound),
)
def get_spec(service: ServiceHere, name: Id) -> LicenceSpecOut:
    """Give what the licence of this name asks for."""
    return LicenceSpecOut.model_validate(licences.licence_spec(service.platform, name))


@router.get("/licences", operation_id="list_licences", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_licences(
    service: ServiceHere, page: PageAsked, policy_id: Annotated[str, Query(max_length=200)] = ""
) -> PageOut[LicenceOut]:
    """List decisions with their reasons, by name, of one policy or all."""
    return page_out(licences.licences(service.platform, policy_id, page), LicenceOut)


@router.post("/licences", operation_id="ask_for_licence", status_code=202, dependencies=[OPERATOR], responses=_ASK)
def ask_for_licence(service: ServiceHere, caller: Caller, body: LicenceIn, response: Response) -> AskedLicenceOut:
    """Have a licence issued to a policy, or refused with every reason. Answered at once; decisions stand for good.

    What the policy has not driven yet is driven first.
    """
    platform = service.platform
    if body.terms is None:
        spec = licences.licence_spec(platform, body.name)
    else:
        spec = body.terms.meant(body.name, judging.suite(platform, body.terms.suite).suite_id)
    asked = judgements.ask_for_licence(service, body.policy_id, spec, actor=caller)
    response.headers["Location"] = f"/v1/licences/{asked.operation_id}"
    return _licence_out(asked)


@router.get(
    "/licences/{licence_id}", operation_id="get_licence", dependencies=[READER], responses=problem_responses(NotFound)
)
def get_licence(service: ServiceHere, licence_id: Id) -> AskedLicenceOut:
    """Give a decision, or how far it is."""
    return _licence_out(judgements.licence_status(service, licence_id))


def _licence_out(asked: OperationStatus[Licence]) -> AskedLicenceOut:
    return AskedLicenceOut(
        licence_id=asked.operation_id,
        state=asked.state,
        message=asked.message,
        progress=progress_out(asked.progress),
        licence=None if asked.result is None else LicenceOut.model_validate(asked.result),
    )
