"""What there is, a page at a time: frames, sessions, tags, datasets, models, labels, and search over their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from al_platform.catalog import listing, search
from al_platform.catalog import scenarios as scenario_catalog
from al_platform.catalog.annotations import labels_by_id
from al_platform.catalog.datasets import version_items, version_named
from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.lineage import lineage_of
from al_platform.catalog.listing import (
    FrameSummary,
    LabelSummary,
    PoolSummary,
    SessionSummary,
    VersionSummary,
)
from al_platform.catalog.models import ensemble_named, metrics_of
from al_platform.catalog.search import Hit, TagSummary
from al_platform.domain.data import Frame
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.labels import Label
from al_platform.domain.lineage import LineageNode
from al_platform.domain.models import EnsembleVersion
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform.home import Platform


def frames(platform: Platform, filter_text: str, page: PageRequest, *, unlabelled: bool = False) -> Page[FrameSummary]:
    """Give frames that a filter matches, by session and number, or those nobody ever labelled. Raises: InvalidInput."""
    with platform.catalog.transaction() as tx:
        return listing.frames_page(tx, filter_text, page, unlabelled=unlabelled)


def frame(platform: Platform, frame_id: str) -> FrameSummary:
    """Give a frame. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return listing.frame_summary(tx, frame_id)


def scenarios_named(platform: Platform, scenario_ids: Sequence[str]) -> dict[str, ScenarioReference]:
    """Give these scenarios by id. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return scenario_catalog.scenarios_named(tx, scenario_ids)


def frames_named(platform: Platform, frame_ids: Sequence[str]) -> dict[str, Frame]:
    """Give frames by id, in the order asked for. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return frames_by_id(tx, frame_ids)


def sessions(platform: Platform, dataset: str, page: PageRequest) -> Page[SessionSummary]:
    """Give sessions by id, of one dataset or ("") all."""
    with platform.catalog.transaction() as tx:
        return listing.sessions_page(tx, dataset, page)


def session(platform: Platform, session_id: str) -> SessionSummary:
    """Give a session. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return listing.session_named(tx, session_id)


def tags(platform: Platform, page: PageRequest) -> Page[TagSummary]:
    """Give tags of frames, by name."""
    with platform.catalog.transaction() as tx:
        return search.tags_page(tx, page)


def hits(platform: Platform, text: str, *, limit: int) -> list[Hit]:
    """Give what carries a text in its id or name."""
    with platform.catalog.transaction() as tx:
        return search.hits(tx, text, limit=limit)


def versions(platform: Platform, page: PageRequest) -> Page[VersionSummary]:
    """Give dataset versions, newest first."""
    with platform.catalog.transaction() as tx:
        return listing.versions_page(tx, page)


def version(platform: Platform, version_id: str) -> DatasetVersion:
    """Give a dataset version. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return version_named(tx, version_id)


def items(platform: Platform, version_id: str, page: PageRequest) -> Page[DatasetItem]:
    """Give the items of a version, by item. Raises: NotFound; InvalidInput for a place that is none of this list."""
    if page.after is not None and not (len(page.after) == 1 and isinstance(page.after[0], str)):
        raise InvalidInput("cursor: not one that this list gave; begin again without a cursor")
    with platform.catalog.transaction() as tx:
        found = version_items(tx, platform.blobs, version_id)
    rest = [item for item in found if page.after is None or item.item_id > str(page.after[0])]
    shown = tuple(rest[: page.limit])
    return Page(shown, (shown[-1].item_id,) if len(rest) > page.limit else None)


@dataclass(frozen=True)
class VersionDiff:
    """What one version holds and another does not; `relabelled` frames are in both with different labels."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[str, ...]


def diff(platform: Platform, version_id: str, *, against: str) -> VersionDiff:
    """Give how a version differs from another, by item id. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        new = {item.item_id: item.annotation_id for item in version_items(tx, platform.blobs, version_id)}
        old = {item.item_id: item.annotation_id for item in version_items(tx, platform.blobs, against)}
    return VersionDiff(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        relabelled=tuple(sorted(frame for frame in new.keys() & old.keys() if new[frame] != old[frame])),
    )


@dataclass(frozen=True)
class LineageGraph:
    """An id and what it came from, itself first; not `complete` where there is more than was asked for."""

    nodes: tuple[LineageNode, ...]
    complete: bool


def lineage_graph(platform: Platform, node_id: str, *, limit: int) -> LineageGraph:
    """Give the first `limit` nodes that an id came from. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        found = lineage_of(tx, platform.blobs, node_id, limit=limit)
    complete = all(parent.node_id in found for node in found.values() for parent in node.parents)
    return LineageGraph(tuple(found.values()), complete)


def pools(platform: Platform, page: PageRequest) -> Page[PoolSummary]:
    """Give pools, newest first."""
    with platform.catalog.transaction() as tx:
        return listing.pools_page(tx, page)


def ensembles(platform: Platform, page: PageRequest) -> Page[EnsembleVersion]:
    """Give ensembles, newest first."""
    with platform.catalog.transaction() as tx:
        ids = listing.ensemble_ids_page(tx, page)
        return Page(tuple(ensemble_named(tx, ensemble_id) for ensemble_id in ids.items), ids.after)


def ensemble(platform: Platform, ensemble_id: str) -> EnsembleVersion:
    """Give an ensemble. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return ensemble_named(tx, ensemble_id)


def metrics(platform: Platform, ensemble_id: str) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Give {test set: {metric: {class: value}}} of an ensemble. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        ensemble_named(tx, ensemble_id)
        return {test: metrics_of(tx, ensemble_id, test) for test in listing.tests_of(tx, ensemble_id)}


def labels(platform: Platform, item_id: str, page: PageRequest) -> Page[LabelSummary]:
    """Give labels, newest first, of one item or ("") all."""
    with platform.catalog.transaction() as tx:
        return listing.labels_page(tx, item_id, page)


def label(platform: Platform, annotation_id: str) -> Label:
    """Give a label with its contents. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        found = labels_by_id(tx, [annotation_id])
    if not found:
        raise NotFound(f"label {annotation_id}: not in the catalog")
    return found[annotation_id]
