"""Upkeep of a home's catalog: verified, copied, put back."""

from collections.abc import Iterator
from pathlib import Path

from al_platform.catalog.backup import restore
from al_platform.catalog.check import faults_of
from al_platform.platform.home import Platform
from al_platform.settings import Settings


def check_catalog(platform: Platform) -> Iterator[str]:
    """Yield a line for each fault of the catalog and its blobs; none is a good sign."""
    with platform.catalog.transaction() as tx:
        yield from faults_of(tx, platform.blobs, platform.report)


def back_up_catalog(platform: Platform, path: Path) -> None:
    """Write a consistent copy of the catalog while it is open.

    Raises: InvalidInput where the file is there already; StorageUnavailable when it cannot be written.
    """
    platform.catalog.back_up(path)


def restore_catalog(settings: Settings, backup: Path) -> Path | None:
    """Put a copy in the place of a home's catalog; gives where the present one was moved, None without one.

    Raises: NotFound, CatalogLocked, CatalogTooNew, StorageUnavailable.
    """
    return restore(backup, settings.catalog_path)
