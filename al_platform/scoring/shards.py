"""The files of a shard: one Parquet file a class, sorted by the measure that selection asks for, then a marker.

Columns: row (of the pool, int64), session (int32), timestamp_s (double, null without a clock), and the measures
as float32. Sorted by the sort measure, the largest first, then by row; row groups carry the statistics to be
passed over by. A file says whose scores it holds. Equal scores give equal bytes, so a shard that two processes
compute is one shard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from al_platform.domain.environment import environment
from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.domain.scores import ScoringJob, ShardFile, ShardMarker, UnreadableItem
from al_platform.errors import CorruptScores
from al_platform.scoring.markers import read_marker
from al_platform.scoring.measures import MEASURES, PoolMeasures
from al_platform.storage.files import NamedFiles

ROW_GROUP, SMALLEST_GROUP = 16_384, 512
"""Rows of a row group. A shard no longer than the first is cut into 16, so that a selection can read its head alone."""
SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("session", pa.int32(), nullable=False),
        pa.field("timestamp_s", pa.float64()),
        *(pa.field(name, pa.float32(), nullable=False) for name in MEASURES),
    ]
)

_OWNER = b"score_id"
"""Names the score set in the metadata of a file: one that lies there without its marker may be another model's."""


@dataclass(frozen=True)
class ScoredShard:
    """The scores of a shard. Axes: R readable rows, K classes."""

    shard: int
    rows: NDArray[Any]
    """int64 [R], ascending: rows of the pool."""
    sessions: NDArray[Any]
    """int32 [R]."""
    timestamps_s: NDArray[Any]
    """float64 [R], NaN without a clock."""
    measures: PoolMeasures
    """Each [R, K]."""
    unreadable: tuple[UnreadableItem, ...]


def write_shard(
    files: NamedFiles, job: ScoringJob, scored: ScoredShard, stage_seconds: dict[str, float]
) -> ShardMarker:
    """Store the files of a shard and then its marker. What another process stored first stays, and counts.

    Raises: CorruptScores where a file or marker of this name is there and does not hold these rows.
    """
    names = job.model.classes
    written = [_write_file(files, job, scored, index) for index in range(len(names))]
    first, rows = job.rows_of(scored.shard)
    marker = ShardMarker(
        score_id=job.score_id,
        shard=scored.shard,
        first_row=first,
        rows=rows,
        classes=names,
        files=tuple(written),
        unreadable=scored.unreadable,
        formula=job.formula,
        stage_seconds=stage_seconds,
        environment=environment(),
    )
    path = job.marker_name(scored.shard)
    files.write(path, canonical_json(marker).encode())
    stored = read_marker(files, job, scored.shard)
    if stored.files != marker.files:
        raise CorruptScores(
            f"{files.path(path)}: lists other files than those beside it; delete all files of shard "
            f"{scored.shard:05d}, then run the round again"
        )
    return stored


def shard_table(content: bytes, where: str, job: ScoringJob, shard: int) -> pa.Table:
    """Give the rows of a shard's file.

    Raises: CorruptScores naming the file where it is torn, holds other rows than its shard, or no numbers.
    """
    try:
        table = pq.read_table(pa.BufferReader(content), use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise _corrupt(where, f"is torn ({error})") from error
    if table.schema.names != SCHEMA.names or [field.type for field in table.schema] != SCHEMA.types:
        raise _corrupt(where, f"has the columns {', '.join(table.schema.names)}")
    first, count = job.rows_of(shard)
    rows = table["row"].to_numpy()
    if len(np.unique(rows)) != len(rows) or ((rows < first) | (rows >= first + count)).any():
        raise _corrupt(where, f"holds rows twice, or rows outside {first} to {first + count - 1}")
    for name in MEASURES:
        if not np.isfinite(table[name].to_numpy()).all():
            raise _corrupt(where, f"holds a {name} that is no finite number")
    return table


def _write_file(files: NamedFiles, job: ScoringJob, scored: ScoredShard, class_index: int) -> ShardFile:
    path = job.file_name(scored.shard, class_index)
    content = _parquet(_sorted_table(scored, job, class_index))
    if files.size(path) is None:
        files.write(path, content)
    else:
        content = files.read(path)
    table = shard_table(content, files.path(path), job, scored.shard)
    owner = (table.schema.metadata or {}).get(_OWNER, b"none").decode()
    if owner != job.score_id:
        raise _corrupt(files.path(path), f"holds the scores of another model ({owner})")
    if not np.array_equal(np.sort(table["row"].to_numpy()), scored.rows):
        raise _corrupt(files.path(path), "holds other rows than can be read now")
    keys = table[job.sort_measure].to_numpy()
    return ShardFile(
        class_name=job.model.classes[class_index],
        path=path,
        hash=hash_bytes(content),
        rows=len(keys),
        bytes=len(content),
        minimum=float(keys.min()) if len(keys) else None,
        maximum=float(keys.max()) if len(keys) else None,
    )


def _sorted_table(scored: ScoredShard, job: ScoringJob, class_index: int) -> pa.Table:
    columns = {name: values[:, class_index] for name, values in scored.measures.items()}
    order = np.lexsort((scored.rows, -columns[job.sort_measure]))
    arrays: Sequence[pa.Array] = [
        pa.array(scored.rows[order]),
        pa.array(scored.sessions[order]),
        pa.array(scored.timestamps_s[order], from_pandas=True),  # NaN becomes null
        *(pa.array(values[order]) for values in columns.values()),
    ]
    owned = SCHEMA.with_metadata({_OWNER: job.score_id})
    return pa.table(dict(zip(SCHEMA.names, arrays, strict=True)), schema=owned)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    rows = ROW_GROUP if table.num_rows > ROW_GROUP else max(SMALLEST_GROUP, -(-table.num_rows // 16))
    pq.write_table(table, sink, compression="zstd", row_group_size=rows, use_dictionary=["session"])
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _corrupt(where: str, what: str) -> CorruptScores:
    return CorruptScores(f"{where}: {what}; delete it, then run the round again")
