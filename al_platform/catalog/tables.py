"""Bulk inserts: Arrow in, one statement, rows that are there already left alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from al_platform.catalog.connection import Transaction


def insert_missing(tx: Transaction, table: str, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert the rows whose primary key the table lacks, and say how many those were."""
    rows = pa.table({name: pa.array(values) for name, values in columns.items()})
    if rows.num_rows == 0:
        return 0
    names = ", ".join(columns)
    tx.register("incoming", rows)
    try:
        done = tx.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming ON CONFLICT DO NOTHING"
        ).fetchall()
    finally:
        tx.unregister("incoming")
    return int(done[0][0])


def rows_of(tx: Transaction, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run a question and give its rows as dictionaries."""
    cursor = tx.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
