"""Manifests: Parquet blobs that list what a pool or a dataset version holds."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from al_platform.storage.blobs import BlobStore

PARQUET = "application/vnd.apache.parquet"


def write_table(blobs: BlobStore, columns: Mapping[str, Sequence[object]] | pa.Table) -> str:
    """Store columns as one Parquet blob and give its hash."""
    table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return blobs.put(sink.getvalue().to_pybytes(), media_type=PARQUET).hash


def read_table(blobs: BlobStore, blob_hash: str) -> pa.Table:
    """Read a Parquet blob back, its hash verified."""
    return pq.read_table(pa.BufferReader(blobs.get(blob_hash)))
