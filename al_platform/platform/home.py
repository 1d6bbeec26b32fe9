"""An open home: its catalog, its blobs, its sealed answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from al_platform.catalog.connection import Catalog
from al_platform.domain.progress import ReportProgress, silent
from al_platform.settings import Settings
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers


@dataclass(frozen=True)
class Platform:
    """What every call of the platform takes."""

    settings: Settings
    catalog: Catalog
    blobs: BlobStore
    sealed: SealedAnswers
    report: ReportProgress = silent


@contextmanager
def open_platform(settings: Settings, *, report: ReportProgress = silent) -> Iterator[Platform]:
    """Open a home, making it where there is none; one process at a time.

    Raises: CatalogLocked, CatalogTooNew, StorageUnavailable.
    """
    catalog = Catalog.open(settings.catalog_path)
    try:
        yield Platform(
            settings=settings,
            catalog=catalog,
            blobs=BlobStore(settings.storage_url),
            sealed=SealedAnswers(settings.sealed_url),
            report=report,
        )
    finally:
        catalog.close()
