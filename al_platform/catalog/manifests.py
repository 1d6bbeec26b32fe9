"""Manifests: Parquet blobs that list what a pool or a dataset version holds."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from al_platform.domain.hashing import HASH_CHARACTERS
from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore

PARQUET = "application/vnd.apache.parquet"


def write_table(blobs: BlobStore, columns: Mapping[str, Sequence[object]] | pa.Table) -> str:
    """Store columns as one Parquet blob and give its hash."""
    table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=1)
    return blobs.put(sink.getvalue().to_pybytes(), media_type=PARQUET).hash


def read_table(blobs: BlobStore, blob_hash: str) -> pa.Table:
    """Read a Parquet blob back, its hash verified.

    Raises: CorruptBlob where the bytes are those that were stored, but are no Parquet.
    """
    try:
        return pq.read_table(pa.BufferReader(blobs.get(blob_hash)))
    except pa.ArrowInvalid as error:
        raise CorruptBlob(f"blob {blob_hash} in {blobs.url}: is no Parquet table ({error}); ingest it anew") from error


def read_items(blobs: BlobStore, blob_hash: str) -> pa.Table:
    """Read a blob that lists items, whose ids are in the column `item_id`.

    Lists of schemas before 4 are all of frames and name the column so; a blob never changes.

    Raises: as `read_table`.
    """
    table = read_table(blobs, blob_hash)
    return table.rename_columns(["item_id" if name == "frame_id" else name for name in table.column_names])


def content_hash(table: pa.Table) -> str:
    """BLAKE2b of names and values, row by row in their order, however Arrow or Parquet lays them out.

    No row becomes a Python object: a column is hashed as its values' bytes; of texts their lengths come first.
    """
    digest = hashlib.blake2b(digest_size=HASH_CHARACTERS // 2)
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(f"{name} {table.num_rows};".encode())
        for part in _parts(column):
            digest.update(part)
    return digest.hexdigest()


def _parts(column: pa.ChunkedArray) -> Iterator[memoryview]:
    if column.null_count:
        yield np.ascontiguousarray(pc.is_null(column).to_numpy()).data
        column = pc.fill_null(column, "" if _is_text(column.type) else 0)
    if not _is_text(column.type):
        yield np.ascontiguousarray(column.to_numpy()).data
        return
    texts = column.cast(pa.large_string())
    yield np.ascontiguousarray(pc.binary_length(texts).to_numpy().astype(np.int64)).data
    for chunk in texts.chunks:
        ends = np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
        if len(chunk) and ends[-1] > ends[0]:
            yield memoryview(chunk.buffers()[2])[ends[0] : ends[-1]]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
