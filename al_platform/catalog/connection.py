"""Opening the catalog file, and transactions on it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from al_platform.catalog.schema import ADDED, CREATE, SCHEMA_VERSION
from al_platform.domain.clock import utc_now
from al_platform.errors import CatalogLocked, CatalogTooNew, StorageUnavailable

Transaction = duckdb.DuckDBPyConnection
"""An open transaction; every question of the catalog takes one."""

STORAGE_VERSION = "v1.5.0"
"""Written by DuckDB 1.5 and 2.0, read by both."""


class Catalog:
    """The one owner of a catalog file. A second process that opens it is told who holds it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "Catalog":
        """Open the catalog, making it where there is none.

        Raises: CatalogLocked while another process holds it, CatalogTooNew when a newer version wrote it,
            StorageUnavailable when the file cannot be read or written.
        """
        connection = _connect(path)
        try:
            _create_or_check(connection, path)
        except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
            connection.close()
            raise StorageUnavailable(f"catalog {path}: {error}") from error
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give one transaction: committed at the end, rolled back when anything raises.

        Raises: StorageUnavailable when the disk does not take the commit; nothing of it is kept then.
        """
        cursor = self._connection.cursor()
        try:
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                cursor.rollback()
                raise
            _commit(cursor)
        except (duckdb.IOException, duckdb.FatalException) as error:
            raise _nothing_kept(error) from error
        finally:
            cursor.close()

    def close(self) -> None:
        """Release the file for other processes."""
        self._connection.close()


def _commit(cursor: Transaction) -> None:
    try:
        cursor.commit()
    except duckdb.TransactionException as error:  # so DuckDB says that the disk is full
        raise _nothing_kept(error) from error


def _nothing_kept(error: duckdb.Error) -> StorageUnavailable:
    return StorageUnavailable(f"catalog: {error}. Nothing of this step was kept; free space and run it again")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})
    except duckdb.IOException as error:
        holder = re.search(r"Conflicting lock is held in (.*?) \(PID (\d+)\)", str(error))
        if holder:
            raise CatalogLocked(
                f"catalog {path}: held by process {holder[2]} ({holder[1]}); wait until it ends, "
                "or use another home with --home"
            ) from error
        raise StorageUnavailable(f"catalog {path}: {error}") from error
    except OSError as error:
        raise StorageUnavailable(f"catalog {path}: {error.strerror}; choose another home with --home") from error


def _create_or_check(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'").fetchall()
    if tables[0][0] == 0:
        connection.execute("BEGIN")
        connection.execute(CREATE)
        connection.execute(ADDED)
        connection.execute("INSERT INTO meta VALUES (?, ?)", [SCHEMA_VERSION, utc_now()])
        connection.execute("COMMIT")
        return
    found = connection.execute("SELECT schema_version FROM meta").fetchall()[0][0]
    if found > SCHEMA_VERSION:
        raise CatalogTooNew(
            f"catalog {path}: schema {found}, this version reads up to {SCHEMA_VERSION}; upgrade al-platform"
        )
    connection.execute(ADDED)
