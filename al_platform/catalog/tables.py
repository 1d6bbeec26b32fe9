"""Many rows at once: Arrow in and out, one statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import pyarrow as pa

from al_platform.catalog.transaction import Transaction


def insert_missing(tx: Transaction, table: str, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert the rows whose primary key the table lacks, and say how many those were."""
    return _insert(tx, "INSERT", table, columns, "ON CONFLICT DO NOTHING")


def insert_or_replace(tx: Transaction, table: str, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert rows; one takes the place of the row that has its primary key."""
    return _insert(tx, "INSERT OR REPLACE", table, columns, "")


@contextmanager
def wanted_ids(tx: Transaction, ids: Sequence[str] | pa.ChunkedArray) -> Iterator[None]:
    """Let questions read `SELECT id FROM wanted`; binding 50,000 ids as one value takes seconds instead."""
    column = ids if isinstance(ids, pa.ChunkedArray) else pa.array(ids, pa.string())
    with visible(tx, "wanted", pa.table({"id": column})):
        yield


def rows_of(tx: Transaction, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run a question and give its rows as dictionaries."""
    cursor = tx.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def table_of(tx: Transaction, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
    """Run a question and give its rows as an Arrow table."""
    return tx.sql(sql, params=list(parameters)).to_arrow_table()


def _insert(tx: Transaction, verb: str, table: str, columns: Mapping[str, Sequence[Any]], otherwise: str) -> int:
    rows = pa.table({name: pa.array(values) for name, values in columns.items()})
    if rows.num_rows == 0:
        return 0
    names = ", ".join(columns)
    with visible(tx, "incoming", rows):
        done = tx.execute(f"{verb} INTO {table} ({names}) SELECT {names} FROM incoming {otherwise}").fetchall()
    return int(done[0][0])


@contextmanager
def visible(tx: Transaction, name: str, rows: Any) -> Iterator[None]:
    """Let questions read an Arrow table or dataset under a name."""
    tx.register(name, rows)
    try:
        yield
    finally:
        with suppress(duckdb.TransactionException):  # DuckDB 2.0: broken off, it takes nothing but its rollback
            tx.unregister(name)
