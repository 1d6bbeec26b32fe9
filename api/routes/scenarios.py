"""Scenarios: scenes of traffic, listed, described and drawn."""

from fastapi import APIRouter, Request, Response

from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.platform import scenarios
from al_platform.platform.scene_gallery import scene_picture
from api.access import READER, ServiceHere
from api.conditions import picture_response
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Filter, Id
from api.schemas.base import PageOut, page_out
from api.schemas.scenarios import ScenarioCountOut, ScenarioOut

router = APIRouter(prefix="/v1/scenarios", tags=["scenarios"], dependencies=[READER])

_PICTURE = problem_responses(NotFound, CorruptBlob, StorageUnavailable)


@router.get("", operation_id="list_scenarios", responses=problem_responses(InvalidInput))
def list_scenarios(
    service: ServiceHere,
    page: PageAsked,
    filter: Filter = "",  # noqa: A002  the name in the address
) -> PageOut[ScenarioOut]:
    """List scenarios that a filter matches, by session and name."""
    return page_out(scenarios.scenarios(service.platform, filter, page), ScenarioOut)


@router.get("/count", operation_id="count_scenarios", responses=problem_responses(InvalidInput))
def count_scenarios(
    service: ServiceHere,
    filter: Filter = "",  # noqa: A002
) -> ScenarioCountOut:
    """Count the scenarios and sessions that a filter matches."""
    found, sessions = scenarios.count_scenarios(service.platform, filter)
    return ScenarioCountOut(scenarios=found, sessions=sessions)


@router.get("/{scenario_id}", operation_id="get_scenario", responses=problem_responses(NotFound))
def get_scenario(service: ServiceHere, scenario_id: Id) -> ScenarioOut:
    """Give a scenario: what it holds, where it came from, what was mended or dropped."""
    return ScenarioOut.model_validate(scenarios.scenario(service.platform, scenario_id))


@router.get(
    "/{scenario_id}/thumbnail", operation_id="get_scenario_thumbnail", response_class=Response, responses=_PICTURE
)
def get_thumbnail(service: ServiceHere, request: Request, scenario_id: Id) -> Response:
    """Give the middle of a scenario from above: a PNG."""
    return picture_response(request, scene_picture(service.platform, scenario_id, "above"))


@router.get("/{scenario_id}/clip", operation_id="get_scenario_clip", response_class=Response, responses=_PICTURE)
def get_clip(service: ServiceHere, request: Request, scenario_id: Id) -> Response:
    """Give a scenario from above as a moving picture: a GIF."""
    return picture_response(request, scene_picture(service.platform, scenario_id, "clip"))


@router.get("/{scenario_id}/camera", operation_id="get_scenario_camera", response_class=Response, responses=_PICTURE)
def get_camera(service: ServiceHere, request: Request, scenario_id: Id) -> Response:
    """Give what the ego's camera sees in the middle of a scenario: a PNG."""
    return picture_response(request, scene_picture(service.platform, scenario_id, "camera"))
