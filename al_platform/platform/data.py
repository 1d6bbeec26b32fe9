"""Datasets, pools and lineage."""

from collections.abc import Mapping

import pyarrow as pa

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.bulk import Rows, add_frame_rows
from al_platform.catalog.frames import count_matching, frame_counts
from al_platform.catalog.lineage import lineage_of
from al_platform.catalog.uses import uses_of
from al_platform.datasets.adapters import ADAPTERS, adapter_named
from al_platform.datasets.base import AdapterRequest
from al_platform.datasets.ingest import ingest
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetVersion
from al_platform.domain.ingest import IngestReport
from al_platform.domain.lineage import LineageNode, Use
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform


def ingest_dataset(
    platform: Platform, adapter: str, path: str | None, options: Mapping[str, str], *, most: int | None = None
) -> IngestReport:
    """Bring a dataset in by the adapter of this name, of at most so many items.

    Raises: InvalidInput for an unknown adapter, option or path, or too large a source; as `ingest`.
    """
    source = adapter_named(adapter)(AdapterRequest(path=path, options=options))
    if most is not None and source.count() > most:
        raise InvalidInput(f"{path}: {source.count()} items are more than the {most} of one import; split the source")
    return ingest(
        source,
        catalog=platform.catalog,
        blobs=platform.blobs,
        sealed=platform.sealed,
        report=platform.report,
    )


def adapter_options() -> dict[str, tuple[str, ...]]:
    """Give the options that each adapter takes, by its name."""
    return {name: tuple(adapter.options) for name, adapter in ADAPTERS.items()}


def add_frames_in_bulk(platform: Platform, rows: Rows) -> int:
    """Add frames whose pixels are stored already, as Arrow or Parquet, all or none; gives how many were new.

    Raises: InvalidInput naming column, row and value, as `catalog.bulk` says.
    """
    with platform.catalog.transaction() as tx:
        return add_frame_rows(tx, rows)


def datasets_summary(platform: Platform) -> list[dict[str, object]]:
    """Give frames and sessions per dataset."""
    with platform.catalog.transaction() as tx:
        return frame_counts(tx)


def count_frames(platform: Platform, filter_text: str, *, unlabelled: bool = False) -> tuple[int, int]:
    """Give how many frames a filter matches, all or those nobody ever labelled, and of how many sessions.

    Raises: InvalidInput for a filter that does not parse.
    """
    with platform.catalog.transaction() as tx:
        return count_matching(tx, filter_text, unlabelled=unlabelled)


def freeze_pool(platform: Platform, filter_text: str) -> tuple[str, pa.Table]:
    """Freeze the frames that a filter matches as a pool; gives its id and its rows.

    Raises: InvalidInput for a filter that does not parse or matches nothing.
    """
    with platform.catalog.transaction() as tx:
        return dataset_catalog.freeze_pool(tx, platform.blobs, filter_text, now=utc_now())


def dataset_versions(platform: Platform) -> list[DatasetVersion]:
    """Give every dataset version, oldest first."""
    with platform.catalog.transaction() as tx:
        return dataset_catalog.all_versions(tx)


def dataset_version(platform: Platform, version_id: str) -> tuple[DatasetVersion, pa.Table]:
    """Give a dataset version and its items: item_id and annotation_id.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        version = dataset_catalog.version_named(tx, version_id)
        return version, dataset_catalog.version_table(tx, platform.blobs, version_id)


def dataset_diff(platform: Platform, older_id: str, newer_id: str) -> pa.Table:
    """Give item_id, change (added, removed, relabelled) and the labels before and after, a row per item.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        return dataset_catalog.version_diff(tx, platform.blobs, older_id, newer_id)


def lineage(platform: Platform, node_id: str) -> dict[str, LineageNode]:
    """Give a node and everything it came from, by id.

    Raises: NotFound for an id that nothing in the catalog carries.
    """
    with platform.catalog.transaction() as tx:
        return lineage_of(tx, platform.blobs, node_id)


def scenario_uses(platform: Platform, scenario_id: str) -> list[Use]:
    """Give what a scenario was picked and labelled for, what it taught and what it judged."""
    with platform.catalog.transaction() as tx:
        return uses_of(tx, platform.blobs, scenario_id)
