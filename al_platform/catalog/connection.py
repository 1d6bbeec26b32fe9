"""Opening the catalog file, and transactions on it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from al_platform.catalog.copies import STORAGE_VERSION, copy_database
from al_platform.catalog.migrations import migrate
from al_platform.catalog.schema import CREATE, SCHEMA_VERSION
from al_platform.catalog.transaction import Transaction
from al_platform.domain.clock import utc_now
from al_platform.errors import CatalogBusy, CatalogLocked, CatalogTooNew, InvalidInput, StorageUnavailable

__all__ = ["Catalog", "Transaction"]


class Catalog:
    """The one owner of a catalog file. A second process that opens it is told who holds it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "Catalog":
        """Open the catalog, making it where there is none; one of an earlier schema is copied and brought forward.

        Raises: CatalogLocked while another process holds it, CatalogTooNew when a newer version wrote it,
            StorageUnavailable when the file cannot be read or written.
        """
        connection = _connect(path)
        try:
            _create_or_migrate(connection, path)
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

        Raises: StorageUnavailable when the disk does not take the commit, CatalogBusy when another transaction
            changed the same rows meanwhile; nothing of it is kept then.
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
        except duckdb.TransactionException as error:
            raise _busy(error) from error
        finally:
            cursor.close()

    def back_up(self, path: Path) -> None:
        """Write everything that is committed now to a catalog file of its own, whole or not at all.

        Blobs are not copied: they never change, and are copied as files.

        Raises: InvalidInput where the file is there already; StorageUnavailable when it cannot be written.
        """
        if path.exists():
            raise InvalidInput(f"backup {path}: is there already; name a new file")
        cursor = self._connection.cursor()
        try:
            copy_database(cursor, path)
        except (OSError, duckdb.Error) as error:
            raise StorageUnavailable(f"backup {path}: {error}; nothing was written") from error
        finally:
            cursor.close()

    def close(self) -> None:
        """Release the file for other processes."""
        self._connection.close()


def _commit(cursor: Transaction) -> None:
    try:
        cursor.commit()
    except duckdb.TransactionException as error:  # so DuckDB says that the disk is full, or that two wrote one row
        if re.search("conflict|constraint", str(error), re.IGNORECASE):
            raise _busy(error) from error
        raise _nothing_kept(error) from error


def _busy(error: duckdb.Error) -> CatalogBusy:
    return CatalogBusy(f"catalog: {error}. Another change was under way and nothing of this one was kept; try again")


def _nothing_kept(error: duckdb.Error) -> StorageUnavailable:
    return StorageUnavailable(f"catalog: {error}. Nothing of this step was kept; free space and run it again")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})
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
    _set_threads(connection)
    return connection


def _set_threads(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep DuckDB 2.0 from waiting for ever on a COPY whose query raises: its asynchronous writers do."""
    known = connection.execute("SELECT count(*) FROM duckdb_settings() WHERE name = 'async_threads'").fetchall()
    if known[0][0]:
        connection.execute("SET async_threads = 0")


def _create_or_migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'").fetchall()
    if tables[0][0] == 0:
        connection.execute("BEGIN")
        connection.execute(CREATE)
        connection.execute("INSERT INTO meta VALUES (?, ?, 0)", [SCHEMA_VERSION, utc_now()])
        connection.execute("COMMIT")
        return
    found = connection.execute("SELECT schema_version FROM meta").fetchall()[0][0]
    if found > SCHEMA_VERSION:
        raise CatalogTooNew(
            f"catalog {path}: schema {found}, this version reads up to {SCHEMA_VERSION}; upgrade al-platform"
        )
    if found < SCHEMA_VERSION:
        migrate(connection, path, found=found)
