"""Datasets, pools and lineage."""

from collections.abc import Mapping

from al_platform.catalog.datasets import add_pool
from al_platform.catalog.frames import frame_counts, frames_matching
from al_platform.catalog.lineage import LineageNode, lineage_of
from al_platform.datasets.adapters import adapter_named
from al_platform.datasets.base import AdapterRequest
from al_platform.datasets.ingest import IngestReport, ingest
from al_platform.domain.clock import utc_now
from al_platform.platform.home import Platform


def ingest_dataset(platform: Platform, adapter: str, path: str | None, options: Mapping[str, str]) -> IngestReport:
    """Bring a dataset in by the adapter of this name.

    Raises: InvalidInput for an unknown adapter, option or path.
    """
    source = adapter_named(adapter)(AdapterRequest(path=path, options=options))
    return ingest(
        source,
        catalog=platform.catalog,
        blobs=platform.blobs,
        sealed=platform.sealed,
        report=platform.report,
    )


def datasets_summary(platform: Platform) -> list[dict[str, object]]:
    """Give frames and sessions per dataset."""
    with platform.catalog.transaction() as tx:
        return frame_counts(tx)


def count_frames(platform: Platform, filter_text: str) -> tuple[int, int]:
    """Give how many frames and sessions a filter matches.

    Raises: InvalidInput for a filter that does not parse.
    """
    with platform.catalog.transaction() as tx:
        table = frames_matching(tx, filter_text)
    return table.num_rows, len(set(table["session_id"].to_pylist()))


def freeze_pool(platform: Platform, filter_text: str) -> tuple[str, list[str]]:
    """Freeze the frames that a filter matches as a pool; gives its id and its frames.

    Raises: InvalidInput for a filter that does not parse or matches nothing.
    """
    with platform.catalog.transaction() as tx:
        frame_ids = frames_matching(tx, filter_text)["frame_id"].to_pylist()
        pool_id = add_pool(tx, platform.blobs, frame_ids, described=filter_text, now=utc_now())
    return pool_id, frame_ids


def lineage(platform: Platform, node_id: str) -> dict[str, LineageNode]:
    """Give a node and everything it came from, by id.

    Raises: NotFound for an id that nothing in the catalog carries.
    """
    with platform.catalog.transaction() as tx:
        return lineage_of(tx, platform.blobs, node_id)
