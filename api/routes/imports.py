"""Imports: frames that come in while the service runs."""

from fastapi import APIRouter

from al_platform.errors import CatalogBusy, InvalidInput, StorageUnavailable
from al_platform.platform.importing import import_dataset
from api.access import OPERATOR, Caller, ServiceHere
from api.errors import problem_responses
from api.schemas.imports import ImportIn, ImportOut

router = APIRouter(prefix="/v1/imports", tags=["data"])


@router.post(
    "",
    operation_id="import_frames",
    dependencies=[OPERATOR],
    responses=problem_responses(InvalidInput, CatalogBusy, StorageUnavailable),
)
def import_frames(service: ServiceHere, caller: Caller, body: ImportIn) -> ImportOut:
    """Bring a dataset in from the folder `inbox` of the home, answered when it is in; sent again it adds nothing."""
    return ImportOut.of(import_dataset(service, body.adapter, body.path, body.options, actor=caller))
