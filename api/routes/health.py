"""Whether the service lives, can work, and how it does."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request

from al_platform.errors import CatalogLocked, StorageUnavailable
from al_platform.platform.submissions import count_runs
from api.access import READER, Caller, ServiceHere
from api.errors import problem_responses
from api.schemas.access import CallerOut
from api.schemas.base import Out

router = APIRouter(tags=["service"])


class HealthOut(Out):
    """Alive."""

    status: str = "ok"


@router.get("/health", operation_id="health")
@router.get("/v1/health", operation_id="health_v1")
async def health() -> HealthOut:
    """Say that the process lives."""
    return HealthOut()


@router.get("/ready", operation_id="ready", responses=problem_responses(StorageUnavailable, CatalogLocked))
def ready(service: ServiceHere) -> HealthOut:
    """Say that the catalog answers."""
    count_runs(service)
    return HealthOut(status="ready")


@router.get("/metrics", operation_id="get_metrics", dependencies=[READER], response_class=Response)
def metrics(request: Request, service: ServiceHere) -> Response:
    """Give what Prometheus reads."""
    measured = request.app.state.metrics
    measured.set_rounds(count_runs(service))
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/me", operation_id="get_caller", dependencies=[READER])
def me(caller: Caller) -> CallerOut:
    """Say who asks, and what they may do."""
    return CallerOut.model_validate(caller)
