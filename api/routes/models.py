"""Ensembles and how good they are."""

from fastapi import APIRouter

from al_platform.errors import InvalidInput, NotFound
from al_platform.platform import listing
from api.access import READER, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked, cursor_of
from api.routes.parameters import Id
from api.schemas.base import PageOut
from api.schemas.models import EnsembleOut, MetricsOut

router = APIRouter(prefix="/v1/ensembles", tags=["models"], dependencies=[READER])


@router.get("", operation_id="list_ensembles", responses=problem_responses(InvalidInput))
def list_ensembles(service: ServiceHere, page: PageAsked) -> PageOut[EnsembleOut]:
    """List ensembles, newest first."""
    found = listing.ensembles(service.platform, page)
    items = [EnsembleOut.of(ensemble) for ensemble in found.items]
    return PageOut[EnsembleOut](items=items, next_cursor=cursor_of(found.after))


@router.get("/{ensemble_id}", operation_id="get_ensemble", responses=problem_responses(NotFound))
def get_ensemble(service: ServiceHere, ensemble_id: Id) -> EnsembleOut:
    """Give an ensemble and its members."""
    return EnsembleOut.of(listing.ensemble(service.platform, ensemble_id))


@router.get("/{ensemble_id}/metrics", operation_id="get_ensemble_metrics", responses=problem_responses(NotFound))
def get_metrics(service: ServiceHere, ensemble_id: Id) -> MetricsOut:
    """Give what was measured of an ensemble on frozen test sets."""
    tests = listing.metrics(service.platform, ensemble_id)
    return MetricsOut.model_validate({"ensemble_id": ensemble_id, "tests": tests})
