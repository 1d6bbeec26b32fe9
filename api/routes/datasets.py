"""Datasets, their immutable versions, pools, labels and lineage."""

from typing import Annotated

from fastapi import APIRouter, Query

from al_platform.domain.triage import Triage
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform import listing
from al_platform.platform.data import datasets_summary
from api.access import READER, ServiceHere
from api.errors import problem_responses
from api.paging import PageAsked
from api.routes.parameters import Id
from api.schemas.base import PageOut, page_out
from api.schemas.data import (
    DatasetOut,
    DiffOut,
    ItemOut,
    LabelContentsOut,
    LabelOut,
    LineageOut,
    ListedVersionOut,
    PoolOut,
    TriageOut,
    VersionOut,
)

router = APIRouter(prefix="/v1", tags=["datasets"], dependencies=[READER])


@router.get("/datasets", operation_id="list_datasets")
def list_datasets(service: ServiceHere) -> list[DatasetOut]:
    """List what was ingested."""
    return [DatasetOut.model_validate(row) for row in datasets_summary(service.platform)]


@router.get("/dataset-versions", operation_id="list_dataset_versions", responses=problem_responses(InvalidInput))
def list_versions(service: ServiceHere, page: PageAsked) -> PageOut[ListedVersionOut]:
    """List dataset versions, newest first."""
    return page_out(listing.versions(service.platform, page), ListedVersionOut)


@router.get("/dataset-versions/{version_id}", operation_id="get_dataset_version", responses=problem_responses(NotFound))
def get_version(service: ServiceHere, version_id: Id) -> VersionOut:
    """Give a dataset version."""
    return VersionOut.model_validate(listing.version(service.platform, version_id))


@router.get(
    "/dataset-versions/{version_id}/items",
    operation_id="list_dataset_items",
    responses=problem_responses(NotFound, InvalidInput),
)
def list_items(service: ServiceHere, version_id: Id, page: PageAsked) -> PageOut[ItemOut]:
    """List the labelled frames of a version, by frame."""
    return page_out(listing.items(service.platform, version_id, page), ItemOut)


@router.get(
    "/dataset-versions/{version_id}/diff", operation_id="diff_dataset_versions", responses=problem_responses(NotFound)
)
def diff_versions(
    service: ServiceHere, version_id: Id, against: Annotated[str, Query(min_length=1, max_length=200)]
) -> DiffOut:
    """Say how a version differs from another."""
    return DiffOut.model_validate(listing.diff(service.platform, version_id, against=against))


@router.get("/pools", operation_id="list_pools", responses=problem_responses(InvalidInput))
def list_pools(service: ServiceHere, page: PageAsked) -> PageOut[PoolOut]:
    """List frozen pools, newest first."""
    return page_out(listing.pools(service.platform, page), PoolOut)


@router.get("/labels", operation_id="list_labels", responses=problem_responses(InvalidInput))
def list_labels(
    service: ServiceHere, page: PageAsked, item_id: Annotated[str, Query(max_length=200)] = ""
) -> PageOut[LabelOut]:
    """List labels, newest first, of one frame, scenario, or all."""
    return page_out(listing.labels(service.platform, item_id, page), LabelOut)


@router.get("/labels/{annotation_id}", operation_id="get_label", responses=problem_responses(NotFound))
def get_label(service: ServiceHere, annotation_id: Id) -> LabelContentsOut | TriageOut:
    """Give a label with its contents: of a frame, or of a scenario."""
    label = listing.label(service.platform, annotation_id)
    return TriageOut.model_validate(label) if isinstance(label, Triage) else LabelContentsOut.of(label)


@router.get("/lineage/{node_id}", operation_id="get_lineage", responses=problem_responses(NotFound))
def get_lineage(service: ServiceHere, node_id: Id, limit: Annotated[int, Query(ge=1, le=2000)] = 200) -> LineageOut:
    """Give what an id came from, the nearest first."""
    return LineageOut.of(listing.lineage_graph(service.platform, node_id, limit=limit))
