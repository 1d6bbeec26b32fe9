"""Score shards of a fleet of any size, made on the fly from one drawn pattern."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.shards import write_shards

MEASURES = ("mi_mean", "mi_sum", "entropy_sum")
SESSION_ROWS = 1_000
FRAME_S = 0.1


def make_shard(folder: Path, shard: int, *, rows: int, classes: int) -> None:
    """One shard of each class: the drawn pattern, with a brightness of the shard's own."""
    scale = np.float32(1.0 - (shard * 37 % 101) / 256.0)
    for klass, table in enumerate(pattern(rows, classes)):
        columns = {name: table[name].to_numpy() for name in ("row", "session", "timestamp_s")}
        columns["row"] = columns["row"] + shard * rows
        columns["session"] = (columns["session"] + shard * (rows // SESSION_ROWS)).astype(np.int32)
        scores = {name: table[name].to_numpy() * scale for name in MEASURES}
        path = folder / f"{shard:05d}-{klass:03d}.parquet"
        pq.write_table(pa.table({**columns, **scores}), path, row_group_size=16_384, compression="zstd")


@cache
def pattern(rows: int, classes: int) -> list[pa.Table]:
    """Sessions of 1,000 frames at 10 Hz, scores with a heavy tail that differs by session; one sorted table a class."""
    rng = np.random.default_rng(0)
    frame = np.arange(rows)
    sessions = (frame // SESSION_ROWS).astype(np.int32)
    novelty = rng.gamma(2.0, 0.5, (rows // SESSION_ROWS + 1, classes))[sessions]
    information = (rng.exponential(1.0, (rows, classes)) * novelty).astype(np.float32)
    entropy = information + rng.exponential(20.0, (rows, classes)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_shards(
            Path(folder),
            {"mi_mean": information / np.float32(1_024), "mi_sum": information, "entropy_sum": entropy},
            sessions=sessions,
            timestamps_s=(frame % SESSION_ROWS) * FRAME_S,
            shard_rows=rows,
        )
        return [pq.read_table(path) for path in sorted(Path(folder).iterdir())]
