"""Fixes over HTTP: variations of a failing scenario, driven by two policies. Whoever asks does not wait."""

from fastapi import APIRouter, Response

from al_platform.domain.judging import JudgeSpec
from al_platform.errors import CatalogBusy, ComputeUnavailable, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import judgements
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.errors import problem_responses
from api.routes.parameters import Id
from api.schemas.fixes import AskedFixOut, FixIn

router = APIRouter(prefix="/v1/fixes", tags=["judging"])


@router.post(
    "",
    operation_id="ask_for_fix",
    status_code=202,
    dependencies=[OPERATOR],
    responses=problem_responses(InvalidInput, NotFound, CatalogBusy, StorageUnavailable, ComputeUnavailable),
)
def ask_for_fix(service: ServiceHere, caller: Caller, body: FixIn, response: Response) -> AskedFixOut:
    """Have variations of a scenario driven by two policies, to see whether a fix holds. Answered at once."""
    asked_id = judgements.ask_for_fix(
        service,
        body.scenario_id,
        body.before,
        body.after,
        spec=JudgeSpec(body.reactive),
        variations=body.variations,
        seed=body.seed,
        actor=caller,
    )
    response.headers["Location"] = f"/v1/fixes/{asked_id}"
    return get_fix(service, asked_id)


@router.get("/{asked_id}", operation_id="get_fix", dependencies=[READER], responses=problem_responses(NotFound))
def get_fix(service: ServiceHere, asked_id: Id) -> AskedFixOut:
    """Give whether a fix holds, or how far that is."""
    return AskedFixOut.of(*judgements.fix_status(service, asked_id))
