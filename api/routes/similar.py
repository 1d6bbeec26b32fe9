"""More like these frames."""

from fastapi import APIRouter

from al_platform.errors import InvalidInput, NotFound, StorageUnavailable
from al_platform.platform.similar import find_similar
from api.access import READER, ServiceHere
from api.errors import problem_responses
from api.schemas.similar import SimilarIn, SimilarOut

router = APIRouter(prefix="/v1/similar", tags=["data"])


@router.post(
    "",
    operation_id="find_similar",
    dependencies=[READER],
    responses=problem_responses(InvalidInput, NotFound, StorageUnavailable),
)
def similar(service: ServiceHere, body: SimilarIn) -> list[SimilarOut]:
    """Give the frames most like some examples and least like others, best first."""
    found = find_similar(
        service.platform,
        body.like,
        unlike=body.unlike,
        filter_text=body.filter,
        count=body.count,
        round_id=body.round_id,
    )
    return [SimilarOut.model_validate(frame) for frame in found]
