"""A/B experiments and their reports."""

import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from al_platform.errors import InvalidInput, NotFound
from al_platform.platform import experiments
from api.access import READER, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Id
from api.schemas.base import PageOut, page_out
from api.schemas.experiments import ExperimentOut, ExperimentSpecOut, SummaryOut

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], dependencies=[READER])

PAGE_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; sandbox allow-scripts"
)
"""A report is one page that needs nothing else, so it may load nothing."""


@router.get("", operation_id="list_experiments", responses=problem_responses(InvalidInput))
def list_experiments(service: ServiceHere, page: PageAsked) -> PageOut[ExperimentOut]:
    """List experiments, newest first."""
    return page_out(experiments.experiments_page(service.platform, page), ExperimentOut)


@router.get("/{experiment_id}", operation_id="get_experiment", responses=problem_responses(NotFound))
def get_experiment(service: ServiceHere, experiment_id: Id) -> ExperimentSpecOut:
    """Give what an experiment compares."""
    return ExperimentSpecOut.of(experiment_id, experiments.experiment(service.platform, experiment_id))


@router.get("/{experiment_id}/summary", operation_id="get_experiment_summary", responses=problem_responses(NotFound))
def get_summary(service: ServiceHere, experiment_id: Id) -> SummaryOut:
    """Give every number of the report as it was last written."""
    text = experiments.written_report(service.platform, experiment_id, "summary.json")
    return SummaryOut(experiment_id=experiment_id, summary=json.loads(text))


@router.get(
    "/{experiment_id}/report",
    operation_id="get_experiment_report",
    response_class=HTMLResponse,
    responses=problem_responses(NotFound),
)
def get_report(service: ServiceHere, experiment_id: Id) -> HTMLResponse:
    """Give the page of the report as it was last written."""
    page = experiments.written_report(service.platform, experiment_id, "report.html")
    return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})
