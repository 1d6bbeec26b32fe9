"""A backup in the place of a catalog."""

import uuid
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.catalog.copies import copy_file
from al_platform.errors import NotFound
from al_platform.storage.blobs import storage_errors, sync_to_disk


def restore(backup: Path, path: Path) -> Path | None:
    """Put a backup in the place of a catalog; gives where the present one was moved, None where there was none.

    Raises: NotFound where there is no backup; CatalogLocked while a process has the catalog open; CatalogTooNew or
        StorageUnavailable where the backup is no catalog that this version reads.
    """
    if not backup.is_file():
        raise NotFound(f"backup {backup}: there is no such file")
    incoming = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with storage_errors(str(path)):
            copy_file(backup, incoming)
        Catalog.open(incoming).close()
        with storage_errors(str(path)):
            aside = _move_aside(path)
            incoming.replace(path)
            sync_to_disk(path.parent)
    finally:
        incoming.unlink(missing_ok=True)
    return aside


def _move_aside(path: Path) -> Path | None:
    if not path.exists():
        return None
    Catalog.open(path).close()  # refused while another process holds it; takes the log into the file
    return path.replace(path.with_name(f"{path.name}.before-restore-{uuid.uuid4().hex[:8]}"))
