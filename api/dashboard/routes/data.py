"""Dataset versions with what they grew from, and models with how good they are."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from al_platform.platform import listing
from api.dashboard.graphs import drawn_graph
from api.dashboard.guard import READER, ServiceHere
from api.dashboard.pages import render
from api.paging import PageAsked, cursor_of

router = APIRouter(dependencies=[READER])
Id = Annotated[str, Path(min_length=1, max_length=200)]
_NODES = 400


@router.get("/datasets")
def datasets_page(request: Request, service: ServiceHere, page: PageAsked) -> Response:
    """List dataset versions, newest first."""
    found = listing.versions(service.platform, page)
    return render(request, "datasets.html.jinja", versions=found.items, next_cursor=cursor_of(found.after))


@router.get("/lineage/{node_id}")
def lineage_page(request: Request, service: ServiceHere, node_id: Id) -> Response:
    """Show what an id came from, as a graph and as a table."""
    found = listing.lineage_graph(service.platform, node_id, limit=_NODES)
    return render(request, "lineage.html.jinja", node=found.nodes[0], drawn=drawn_graph(found.nodes))


@router.get("/models")
def models_page(request: Request, service: ServiceHere, page: PageAsked) -> Response:
    """List ensembles with what was measured of them, newest first."""
    found = listing.ensembles(service.platform, page)
    rows = [(ensemble, listing.metrics(service.platform, ensemble.ensemble_id)) for ensemble in found.items]
    return render(request, "models.html.jinja", rows=rows, next_cursor=cursor_of(found.after))
