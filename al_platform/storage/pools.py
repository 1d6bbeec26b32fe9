"""Pool manifests: Parquet blobs of which a few rows can be read without the rest.

Columns: item_id, session_id, session (int32, dense in the order of the pool), timestamp_s (null without a clock), and
of frames frame_number and image_hash. The row of an item is its position.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore

ROW_GROUP = 65_536
SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("session_id", pa.string()),
        ("session", pa.int32()),
        ("frame_number", pa.int64()),
        ("timestamp_s", pa.float64()),
        ("image_hash", pa.string()),
    ]
)


OF_FRAMES = ("frame_number", "image_hash")
"""Columns that only a pool of frames has."""


def write_pool(blobs: BlobStore, items: pa.Table) -> str:
    """Store items, in their order, as a manifest; `session` is numbered here. Gives the blob's hash."""
    session = items["session_id"].combine_chunks().dictionary_encode().indices
    fields = [field for field in SCHEMA if field.name == "session" or field.name in items.column_names]
    columns = {field.name: session if field.name == "session" else items[field.name] for field in fields}
    table = pa.table(columns).cast(pa.schema(fields))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROW_GROUP, write_page_checksum=True)
    return blobs.put(sink.getvalue().to_pybytes(), media_type="application/vnd.apache.parquet").hash


def has_rows(blobs: BlobStore, manifest_hash: str) -> bool:
    """Say whether a manifest has the columns that a pool has now; the first version of the catalog kept ids alone."""
    with _opened(blobs, manifest_hash) as file:
        return set(_in_file(file, SCHEMA.names)) - set(OF_FRAMES) <= set(file.schema_arrow.names)


def read_pool(
    blobs: BlobStore, manifest_hash: str, columns: Sequence[str], *, first: int = 0, rows: int | None = None
) -> pa.Table:
    """Give these columns of the rows from `first` on; only the row groups that hold them are read.

    Raises: NotFound for an unknown blob, CorruptBlob where what is read does not match its checksums.
    """
    with _opened(blobs, manifest_hash) as file:
        starts = _starts(file)
        last = starts[-1] if rows is None else min(first + rows, starts[-1])
        groups = [group for group in range(len(starts) - 1) if starts[group] < last and first < starts[group + 1]]
        if not groups:
            return pa.schema([SCHEMA.field(name) for name in columns]).empty_table()
        table = file.read_row_groups(groups, columns=_in_file(file, columns), use_threads=False)
        return table.rename_columns(list(columns)).slice(first - starts[groups[0]], last - first)


def row_of_item(blobs: BlobStore, manifest_hash: str, item_id: str) -> int | None:
    """Give the row of an item, None where the pool lacks it; one row group is in memory at a time."""
    with _opened(blobs, manifest_hash) as file:
        for group, start in enumerate(_starts(file)[:-1]):
            names = file.read_row_group(group, columns=_in_file(file, ["item_id"]), use_threads=False)[0]
            place = int(pc.index(names, item_id).as_py())
            if place >= 0:
                return start + place
    return None


@contextmanager
def _opened(blobs: BlobStore, manifest_hash: str) -> Iterator[pq.ParquetFile]:
    with blobs.open(manifest_hash) as stream:
        try:
            with pq.ParquetFile(stream, page_checksum_verification=True) as file:
                yield file
        except (pa.ArrowInvalid, OSError) as error:
            raise CorruptBlob(
                f"pool manifest {manifest_hash} in {blobs.url}: {error}; delete it, then freeze the pool again"
            ) from error


def _in_file(file: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    """These columns as the file calls them: pools of schemas before 4 are of frames and call the item so."""
    older = "item_id" not in file.schema_arrow.names
    return ["frame_id" if name == "item_id" and older else name for name in columns]


def _starts(file: pq.ParquetFile) -> list[int]:
    """First row of each row group, and the number of rows."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    return list(accumulate(sizes, initial=0))
