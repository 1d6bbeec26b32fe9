"""Upkeep of a home: its catalog verified, copied, put back; old jobs forgotten."""

from collections.abc import Iterator
from pathlib import Path
from time import time

from al_platform.catalog.backup import restore
from al_platform.catalog.check import faults_of
from al_platform.compute.local import forget_ended
from al_platform.platform.home import Platform
from al_platform.settings import Settings

JOBS_KEPT_DAYS = 30
"""How long the folder of a job, with its log, outlives the job."""

_DAY_S = 86_400.0


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


def forget_old_jobs(settings: Settings) -> list[str]:
    """Delete the folders of jobs that ended longer ago than they are kept; gives their keys.

    Asked by whoever holds the home, so that nobody submits meanwhile.
    """
    return forget_ended(settings.jobs_folder, before=time() - JOBS_KEPT_DAYS * _DAY_S)
