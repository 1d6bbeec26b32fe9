"""Scores back from their shards: dense arrays for strategies, or the scores of one row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from al_platform.domain.hashing import hash_bytes
from al_platform.domain.scores import ScoringJob, ShardFile, ShardMarker
from al_platform.scoring.fetch import require_written
from al_platform.scoring.markers import read_marker
from al_platform.scoring.measures import MEASURES, PoolMeasures, no_measures
from al_platform.scoring.shards import shard_table
from al_platform.storage.files import NamedFiles


@dataclass(frozen=True)
class DenseScores:
    """The measures of all N rows of a pool, [N, K]; zeros in rows that are not `scored`, bool [N]."""

    measures: PoolMeasures
    scored: NDArray[Any]


def dense_scores(
    files: NamedFiles, job: ScoringJob, markers: Iterable[ShardMarker], classes: Sequence[str]
) -> DenseScores:
    """Give the measures of every row for these classes, in their order.

    Raises: CorruptScores naming a file whose bytes are not those that were written, or that is no shard;
        NotFound for one that is gone.
    """
    dense, scored = no_measures(job.frames, len(classes)), np.zeros(job.frames, bool)
    for marker in markers:
        by_class = {file.class_name: file for file in marker.files}
        for column, name in enumerate(classes):
            table = _table(files, job, marker.shard, by_class[name])
            rows = table["row"].to_numpy()
            scored[rows] = True
            for measure, values in dense.items():
                values[rows, column] = table[measure].to_numpy()
    return DenseScores(dense, scored)


def scores_of_row(files: NamedFiles, job: ScoringJob, row: int) -> dict[str, dict[str, float]] | None:
    """Give {class: {measure: value}} of one row of the pool, None where it could not be read.

    Raises: as `dense_scores`.
    """
    found: dict[str, dict[str, float]] = {}
    marker = read_marker(files, job, row // job.frames_per_shard)
    for file in marker.files:
        table = _table(files, job, marker.shard, file)
        place = int(pc.index(table["row"], row).as_py())
        if place < 0:
            return None
        found[file.class_name] = {name: table[name][place].as_py() for name in MEASURES}
    return found


def _table(files: NamedFiles, job: ScoringJob, shard: int, file: ShardFile) -> pa.Table:
    content = files.read(file.path)
    require_written(files, file, hash_bytes(content))
    return shard_table(content, files.path(file.path), job, shard)
