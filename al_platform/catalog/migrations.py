"""Catalogs of earlier schemas, brought forward: a copy of the file first, then one transaction."""

from pathlib import Path

import duckdb
import pyarrow as pa

from al_platform.catalog.copies import copy_file
from al_platform.catalog.schema import CREATE, SCHEMA_VERSION
from al_platform.catalog.tables import table_of, visible
from al_platform.catalog.tags import code_tags

_SESSION = "dataset || '/' || session_id"

_FRAMES = f"""
INSERT INTO frames
SELECT frame_id, dataset, {_SESSION}, frame_number, timestamp_s, NULL, NULL, width, height, brightness, sharpness,
    NULL, 'hot', image_hash, image_size, media_type, coalesce(codes.tag_set, 0), codes.own_tags, origin
FROM frames_1 LEFT JOIN codes ON frames_1.tags = codes.text ORDER BY frames_1.rowid
"""


_SCORE_SETS = """
INSERT INTO score_sets SELECT score_id, ensemble_id, pool_id, frames, formula, created_at FROM score_sets_1
"""

_REBUILT = ("frames", "sessions", "score_sets", "meta")


def migrate(connection: duckdb.DuckDBPyConnection, path: Path, *, found: int) -> Path:
    """Bring a catalog of schema `found` to the present one; gives the copy of the file as it was.

    The copy lies beside the catalog, named after its schema, as in `NAME.schema-1`. Whatever dies when, the catalog
    is of one schema or the other.
    """
    connection.execute("CHECKPOINT")
    copy = path.with_name(f"{path.name}.schema-{found}")
    copy_file(path, copy)
    connection.execute("BEGIN")
    _FROM[found](connection)
    connection.execute("COMMIT")
    return copy


def _from_1(connection: duckdb.DuckDBPyConnection) -> None:
    """Sessions get the name of their dataset, tags are coded, frames get places, tiers and no key.

    Score sets lose their one blob: who asks for the numbers again is told to submit the round again.
    """
    created = connection.execute("SELECT created_at FROM meta").fetchall()[0][0]
    for table in _REBUILT:
        connection.execute(f"CREATE TEMP TABLE {table}_1 AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
    _name_items(connection)
    connection.execute(_missing_tables(connection))
    connection.execute("INSERT INTO meta VALUES (?, ?, 0)", [SCHEMA_VERSION, created])
    connection.execute(
        f"INSERT INTO sessions (session_id, dataset) SELECT DISTINCT {_SESSION}, dataset FROM frames_1 ORDER BY 1"
    )
    texts = table_of(connection, "SELECT DISTINCT CAST(tags AS VARCHAR) AS text FROM frames_1 WHERE tags <> '{}'")
    connection.execute(_SCORE_SETS)
    with visible(connection, "codes", _codes(connection, texts)):
        connection.execute(_FRAMES)
    for table in _REBUILT:
        connection.execute(f"DROP TABLE {table}_1")


def _from_2_or_3(connection: duckdb.DuckDBPyConnection) -> None:
    """Scenarios and policies get the tables they lack; what was of a frame is of an item, which may be a scenario."""
    _name_items(connection)
    connection.execute(_missing_tables(connection))
    connection.execute("UPDATE meta SET schema_version = ?", [SCHEMA_VERSION])


def _name_items(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("annotations", "tasks"):
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN frame_id TO item_id")


def _codes(connection: duckdb.DuckDBPyConnection, texts: pa.Table) -> pa.Table:
    if texts.num_rows:
        return code_tags(connection, texts)
    return pa.schema([("text", pa.string()), ("tag_set", pa.int32()), ("own_tags", pa.string())]).empty_table()


def _missing_tables(connection: duckdb.DuckDBPyConnection) -> str:
    """The statements of CREATE for what the catalog lacks now."""
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    there = {row[0] for row in rows}
    statements = (part.strip() for part in CREATE.split(";") if part.strip())
    made: list[str] = []
    for statement in statements:
        name = statement.split()[2]
        if name not in there:
            made.append(statement)
    return "; ".join(made)


_FROM = {1: _from_1, 2: _from_2_or_3, 3: _from_2_or_3}
"""The schema that is left, and what brings it to the present one."""
