"""An open home: its catalog, its blobs, its sealed answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from al_platform.catalog.connection import Catalog
from al_platform.compute.backends import Means, backend_named
from al_platform.compute.base import Compute
from al_platform.domain.progress import ReportProgress, silent
from al_platform.platform.jobs import PROGRAM, run_job
from al_platform.settings import Settings
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from al_platform.storage.sealed import SealedAnswers


@dataclass(frozen=True)
class Platform:
    """What every call of the platform takes."""

    settings: Settings
    catalog: Catalog
    blobs: BlobStore
    sealed: SealedAnswers
    compute: Compute
    """Runs what is heavy about rounds."""
    caches: RecordCaches
    """Opened once, however many ask: an index of a million records takes half a second."""
    report: ReportProgress = silent


@contextmanager
def open_platform(
    settings: Settings, *, report: ReportProgress = silent, compute: str = "inline"
) -> Iterator[Platform]:
    """Open a home, making it where there is none; one process at a time. `compute` names the backend of heavy work.

    Raises: InvalidInput for an unknown backend; CatalogLocked, CatalogTooNew, StorageUnavailable.
    """
    backend = backend_named(compute, Means(settings.jobs_folder, run_job, PROGRAM, settings.cluster))
    catalog = Catalog.open(settings.catalog_path)
    try:
        yield Platform(
            settings=settings,
            catalog=catalog,
            blobs=BlobStore(settings.storage_url),
            sealed=SealedAnswers(settings.sealed_url),
            compute=backend,
            caches=RecordCaches(settings.cache_folder),
            report=report,
        )
    finally:
        catalog.close()
