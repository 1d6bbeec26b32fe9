"""Copies of catalog files, whole or not there."""

import os
import uuid
from pathlib import Path

from al_platform.catalog.transaction import Transaction
from al_platform.storage.blobs import durable_file, sync_to_disk

STORAGE_VERSION = "v1.5.0"
"""Written by DuckDB 1.5 and 2.0, read by both."""

_COPY_BYTES = 1 << 24


def copy_database(cursor: Transaction, target: Path) -> None:
    """Copy what is committed to a file of its own, while others read and write; one statement, so one moment."""
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    target.parent.mkdir(parents=True, exist_ok=True)
    own = cursor.execute("SELECT current_database()").fetchall()[0][0]
    name = f"copy_{uuid.uuid4().hex}"
    try:
        cursor.execute(f"ATTACH {_text(str(temporary))} AS {name} (STORAGE_VERSION '{STORAGE_VERSION}')")
        try:
            cursor.execute(f'COPY FROM DATABASE "{own}" TO {name}')
        finally:
            cursor.execute(f"DETACH {name}")
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
        sync_to_disk(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}.wal").unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file that nobody writes."""
    with source.open("rb") as reader, durable_file(target) as writer:
        while part := reader.read(_COPY_BYTES):
            writer.write(part)


def _text(value: str) -> str:
    """Quote a text for statements that bind no values."""
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
