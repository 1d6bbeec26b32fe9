"""Pictures by signed addresses: who has the address needs no key, and has it for that picture alone."""

from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from al_platform.platform.failures import drive_picture, drive_version
from al_platform.platform.labels import require_shown
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.pictures import picture_version, stored_picture
from al_platform.platform.scene_gallery import scene_picture, scene_version
from al_platform.platform.service import Service
from api import errors
from api.conditions import picture_response, unchanged

_Hash = Annotated[str, Path(pattern="^[0-9a-f]{16,128}$")]
_Id = Annotated[str, Path(min_length=1, max_length=200)]
_Until = Annotated[int, Query(ge=0, lt=2**53)]
_Mark = Annotated[str, Query(max_length=100)]
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The address is the permission, so a page of the labelling tool may show the picture as ours do."""


def create_pictures(service: Service, links: PictureLinks) -> FastAPI:
    """Give the application of pictures, to be mounted where the links lead."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service, app.state.links = service, links
    app.add_api_route("/blob/{blob_hash}", _blob)
    app.add_api_route("/task/{task_id}/{blob_hash}", _of_task)
    app.add_api_route("/heatmap/{round_id}/{frame_id}", _heatmap)
    app.add_api_route("/scenario/{scenario_id}", _scene)
    app.add_api_route("/drive/{evaluation_id}/{scenario_id}", _drive)
    errors.install(app)
    return app


async def _links(request: Request) -> PictureLinks:
    links: PictureLinks = request.app.state.links
    return links


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


_Links = Annotated[PictureLinks, Depends(_links)]
_ServiceHere = Annotated[Service, Depends(_service)]


def _blob(
    request: Request,
    service: _ServiceHere,
    links: _Links,
    blob_hash: _Hash,
    until: _Until,
    mark: _Mark,
    size: Annotated[int, Query(ge=0, le=2048)] = 0,
) -> Response:
    links.require(("blob", blob_hash), size, until_s=until, mark=mark)
    known = unchanged(request, picture_version(blob_hash, size), **_ANYWHERE)
    return known or picture_response(request, stored_picture(service.platform, blob_hash, longest=size), **_ANYWHERE)


def _of_task(
    request: Request, service: _ServiceHere, links: _Links, task_id: _Id, blob_hash: _Hash, mark: _Mark
) -> Response:
    links.require_of_task(task_id, blob_hash, mark=mark)
    require_shown(service.platform, task_id)
    known = unchanged(request, picture_version(blob_hash, 0), **_ANYWHERE)
    return known or picture_response(request, stored_picture(service.platform, blob_hash, longest=0), **_ANYWHERE)


def _heatmap(
    request: Request,
    service: _ServiceHere,
    links: _Links,
    round_id: _Id,
    frame_id: _Id,
    until: _Until,
    mark: _Mark,
    class_name: Annotated[str, Query(alias="class", min_length=1, max_length=200)],
) -> Response:
    links.require(("heatmap", round_id, frame_id), class_name, until_s=until, mark=mark)
    picture, _ = service.heatmaps.overlay(service.platform, round_id, frame_id, class_name=class_name)
    return picture_response(request, picture, **_ANYWHERE)


def _scene(
    request: Request,
    service: _ServiceHere,
    links: _Links,
    scenario_id: _Id,
    until: _Until,
    mark: _Mark,
    show: Annotated[str, Query(min_length=1, max_length=20)],
) -> Response:
    links.require(("scenario", scenario_id), show, until_s=until, mark=mark)
    known = unchanged(request, scene_version(scenario_id, show), **_ANYWHERE)
    return known or picture_response(request, scene_picture(service.platform, scenario_id, show), **_ANYWHERE)


def _drive(
    request: Request,
    service: _ServiceHere,
    links: _Links,
    evaluation_id: _Id,
    scenario_id: _Id,
    until: _Until,
    mark: _Mark,
    size: Annotated[int, Query(ge=0, le=0)] = 0,
) -> Response:
    links.require(("drive", evaluation_id, scenario_id), size, until_s=until, mark=mark)
    known = unchanged(request, drive_version(evaluation_id, scenario_id), **_ANYWHERE)
    return known or picture_response(request, drive_picture(service.platform, evaluation_id, scenario_id), **_ANYWHERE)
