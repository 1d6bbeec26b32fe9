"""Score shards in the layout in which a pool's scores are stored, made from arrays."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def write_shards(
    folder: Path,
    measures: Mapping[str, np.ndarray],
    *,
    sessions: np.ndarray,
    timestamps_s: np.ndarray,
    shard_rows: int,
    group_rows: int = 16_384,
    first_row: int = 0,
) -> None:
    """Write measures [N, K] as one file for each run of rows and class; a NaN clock becomes NULL."""
    count, classes = next(iter(measures.values())).shape
    for start in range(0, count, shard_rows):
        part = slice(start, min(start + shard_rows, count))
        rows = np.arange(part.start, part.stop)
        for klass in range(classes):
            order = np.lexsort((rows, -measures["mi_mean"][part, klass]))
            clocks_s = timestamps_s[part][order]
            table = pa.table(
                {
                    "row": pa.array(first_row + rows[order], pa.int64()),
                    "session": pa.array(sessions[part][order], pa.int32()),
                    "timestamp_s": pa.array(clocks_s, pa.float64(), mask=np.isnan(clocks_s)),
                    **{name: pa.array(values[part, klass][order], pa.float32()) for name, values in measures.items()},
                }
            )
            shard = (first_row + start) // shard_rows
            pq.write_table(
                table, folder / f"{shard:05d}-{klass:03d}.parquet", row_group_size=group_rows, compression="zstd"
            )
