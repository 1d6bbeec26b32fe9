"""Frames in bulk: Arrow or Parquet in, checked column by column, one statement; never a row in Python."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.dataset as parquet

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import table_of, visible
from al_platform.catalog.tags import code_tags
from al_platform.domain.data import TIERS
from al_platform.errors import InvalidInput, StorageUnavailable

Rows: TypeAlias = pa.Table | pa.RecordBatchReader | Path
"""Columns of many frames: in memory, as batches (read whole), or a Parquet file, which is never whole in memory."""


@dataclass(frozen=True)
class Column:
    """A column that may come in: what it holds, what a value must not be (SQL, over the column), and the cure."""

    holds: str
    wrong: str = "FALSE"
    cure: str = ""
    default: str | None = None
    """SQL for rows without it; None where every row must give it."""


_TIERS = ", ".join(f"'{tier}'" for tier in TIERS)
_BEGINS = "NOT starts_with(session_id, dataset || '/')"

COLUMNS = {
    "frame_id": Column("text", "frame_id = ''", "must not be empty"),
    "dataset": Column("text", "dataset = '' OR contains(dataset, '/')", "must be a name without '/'"),
    "session_id": Column("text", _BEGINS, "must be the dataset, '/', and the session's name"),
    "frame_number": Column("whole"),
    "width": Column("whole", "width NOT BETWEEN 1 AND 2147483647", "must be pixels, at least 1"),
    "height": Column("whole", "height NOT BETWEEN 1 AND 2147483647", "must be pixels, at least 1"),
    "image_hash": Column("text", "image_hash = ''", "must not be empty"),
    "image_size": Column("whole", "image_size < 0", "must be bytes, 0 or more"),
    "timestamp_s": Column("number", "NOT isfinite(timestamp_s)", "must be finite seconds, or null", "NULL"),
    "latitude": Column("number", "latitude NOT BETWEEN -90 AND 90", "must be degrees in [-90, 90], or null", "NULL"),
    "longitude": Column(
        "number", "longitude NOT BETWEEN -180 AND 180", "must be degrees in [-180, 180], or null", "NULL"
    ),
    "brightness": Column("number", "brightness NOT BETWEEN 0 AND 255", "must be in [0, 255], or null", "NULL"),
    "sharpness": Column("number", "NOT isfinite(sharpness) OR sharpness < 0", "must be 0 or more, or null", "NULL"),
    "clipped": Column("number", "clipped NOT BETWEEN 0 AND 1", "must be a share in [0, 1], or null", "NULL"),
    "tier": Column("text", f"tier NOT IN ({_TIERS})", f"must be one of {', '.join(TIERS)}", "'hot'"),
    "media_type": Column("text", default="'image/jpeg'"),
    "tags": Column("text", default="NULL"),
    "origin": Column("text", default="''"),
}

_IS_A = {
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind),
    "whole": pa.types.is_integer,
    "number": lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind),
}


def add_frame_rows(tx: Transaction, rows: Rows) -> int:
    """Add frames by columns and give how many were new; those known already stay as they are.

    Columns are those of COLUMNS: the first eight must be there without nulls, the others may be left out.
    Sessions that are new are entered. Rows keep their order, clocks that jump included.

    Raises: InvalidInput naming column, row (counted from 0) and value for whatever COLUMNS refuses, for a frame id
        that comes twice, and for a file that is not whole Parquet; StorageUnavailable while another ingest commits.
    """
    source = _source(rows)
    _require_columns(source.schema)
    with visible(tx, "incoming", source), _parquet_errors(rows):
        _require_values(tx, source.schema.names)
        _require_single(tx)
        _claim_ingest(tx)
        tx.execute(
            "INSERT INTO sessions (session_id, dataset) SELECT session_id, dataset FROM "
            "(SELECT DISTINCT session_id, dataset FROM incoming) ANTI JOIN sessions USING (session_id)"
        ).fetchall()
        with _coded_tags(tx, source.schema.names) as tagged:
            return int(tx.execute(_insert(source.schema.names, tagged)).fetchall()[0][0])


def _source(rows: Rows) -> Any:
    if isinstance(rows, pa.RecordBatchReader):
        return rows.read_all()
    if isinstance(rows, pa.Table):
        return rows
    with _parquet_errors(rows):
        return parquet.dataset(rows, format="parquet")


@contextmanager
def _parquet_errors(rows: Rows) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InvalidInput(f"{rows}: there is no such file") from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, duckdb.DataError, duckdb.InvalidInputException) as error:
        where = rows if isinstance(rows, Path) else "rows"
        raise InvalidInput(f"{where}: not whole Parquet or Arrow ({str(error).splitlines()[0]})") from error


def _require_columns(schema: pa.Schema) -> None:
    for name in schema.names:
        if name not in COLUMNS:
            raise InvalidInput(f"column {name!r}: not a column of frames; known are {', '.join(COLUMNS)}")
        if schema.names.count(name) > 1:
            raise InvalidInput(f"column {name!r}: comes twice; give it once")
        kind = schema.field(name).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not pa.types.is_null(plain) and not _IS_A[COLUMNS[name].holds](plain):
            raise InvalidInput(f"column {name!r}: holds {kind}; give {COLUMNS[name].holds} values")
    missing = [name for name, column in COLUMNS.items() if column.default is None and name not in schema.names]
    if missing:
        raise InvalidInput(f"columns {', '.join(missing)}: missing; every frame needs them")


def _require_values(tx: Transaction, names: list[str]) -> None:
    """One pass over all rows counts the faults; only where there are any, a second one finds the first."""
    faults = {
        **{f"{name} IS NULL": (name, "give every row one") for name in names if _never_null(name)},
        **{COLUMNS[name].wrong: (name, COLUMNS[name].cure) for name in names if COLUMNS[name].cure},
    }
    counts = ", ".join(f"count(*) FILTER ({fault})" for fault in faults)
    found = tx.execute(f"SELECT {counts} FROM incoming").fetchall()[0]
    for count, (fault, (name, cure)) in zip(found, faults.items(), strict=True):
        if count:
            first = f"SELECT row_number() OVER () - 1 AS row, {name} AS value, {fault} AS wrong FROM incoming"
            row, value = tx.execute(f"SELECT row, value FROM ({first}) WHERE wrong ORDER BY row LIMIT 1").fetchall()[0]
            raise InvalidInput(f"column {name!r}, row {row}: {value!r} {cure} ({count} such rows)")


def _never_null(name: str) -> bool:
    return COLUMNS[name].default != "NULL"


def _require_single(tx: Transaction) -> None:
    """Ids whose hashes all differ all differ; the ids themselves are compared only where two hashes are equal."""
    rows, hashes = tx.execute("SELECT count(*), count(DISTINCT hash(frame_id)) FROM incoming").fetchall()[0]
    if rows == hashes:
        return
    twice = tx.execute(
        "SELECT frame_id, min(row), max(row) FROM (SELECT frame_id, row_number() OVER () - 1 AS row FROM incoming) "
        "GROUP BY frame_id HAVING count(*) > 1 ORDER BY 2 LIMIT 1"
    ).fetchall()
    for frame_id, first, last in twice:
        raise InvalidInput(f"column 'frame_id', row {last}: {frame_id!r} is in row {first} already; give it once")


def _claim_ingest(tx: Transaction) -> None:
    """Let one ingest at a time commit: two that look for what is missing could both find and add it."""
    try:
        tx.execute("UPDATE meta SET ingests = ingests + 1")
    except duckdb.TransactionException as error:
        raise StorageUnavailable("catalog: another ingest is under way; nothing was kept, run it again") from error


def _coded_tags(tx: Transaction, names: list[str]) -> Any:
    """Make the codes of all tags visible, where there are any; gives whether there are."""
    if "tags" not in names:
        return nullcontext(False)
    texts = table_of(tx, "SELECT DISTINCT CAST(tags AS VARCHAR) AS text FROM incoming WHERE tags <> '{}'")
    return _visible_codes(tx, code_tags(tx, texts)) if texts.num_rows else nullcontext(False)


@contextmanager
def _visible_codes(tx: Transaction, codes: pa.Table) -> Iterator[bool]:
    with visible(tx, "codes", codes):
        yield True


def _insert(names: list[str], tagged: bool) -> str:
    plain = [name for name in COLUMNS if name != "tags"]
    values = [name if name in names else f"{COLUMNS[name].default}" for name in plain]
    tags = "coalesce(codes.tag_set, 0), codes.own_tags" if tagged else "0, NULL"
    codes = "LEFT JOIN codes ON incoming.tags = codes.text" if tagged else ""
    return (
        f"INSERT INTO frames ({', '.join(plain)}, tag_set, own_tags) "
        f"SELECT {', '.join(values)}, {tags} FROM (FROM incoming ANTI JOIN frames USING (frame_id)) AS incoming {codes}"
    )
