"""Learning curves: what labels bought, against the random control."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from al_platform.errors import NotFound
from al_platform.platform import experiments
from al_platform.platform.learning import learning_of, round_panels
from api.dashboard.guard import READER, ServiceHere
from api.dashboard.pages import render
from api.routes.experiments import PAGE_POLICY

router = APIRouter(prefix="/learning", dependencies=[READER])
Id = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("")
def learning_page(request: Request, service: ServiceHere) -> Response:
    """Show the newest experiment that has a report, the list of all, and the rounds of queues."""
    return _page(request, service, "")


@router.get("/{experiment_id}")
def experiment_page(request: Request, service: ServiceHere, experiment_id: Id) -> Response:
    """Show the curves of an experiment."""
    experiments.experiment(service.platform, experiment_id)
    return _page(request, service, experiment_id)


@router.get("/{experiment_id}/report")
def report(service: ServiceHere, experiment_id: Id) -> HTMLResponse:
    """Give the whole report; its page needs and may load nothing else."""
    page = experiments.written_report(service.platform, experiment_id, "report.html")
    return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})


def _page(request: Request, service: ServiceHere, experiment_id: str) -> Response:
    listed = experiments.list_experiments(service.platform)
    chosen = experiment_id or (str(listed[0]["experiment_id"]) if listed else "")
    learning, missing = None, ""
    try:
        learning = learning_of(service.platform, chosen) if chosen else None
    except NotFound as error:
        missing = str(error)
    return render(
        request,
        "learning.html.jinja",
        listed=listed,
        chosen=chosen,
        learning=learning,
        missing=missing,
        panels=round_panels(service.platform),
    )
