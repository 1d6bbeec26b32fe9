"""Score shards: Parquet files of one class and a run of frames each, best scores first.

Axes: N rows of a pool. A file is named `<shard>-<class>.parquet` and holds row, session, timestamp_s and one FLOAT
column for each measure.
"""

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from acquisition import SCORES
from al_platform.errors import InvalidInput, NonFiniteScore, NotFound, StorageUnavailable

SORTED_BY = "mi_mean"
"""The measure whose best values come first in every shard."""

_PLACES = ("row", "session", "timestamp_s")
_NAME = re.compile(r"(\d{5,})-(\d{3,})\.parquet")
_SAMPLED_GROUPS = 32
_BATCH_ROWS = 262_144


@dataclass(frozen=True)
class Expression:
    """SQL of a number; the arithmetic of scores, done on it, gives the SQL of the score."""

    sql: str

    def __add__(self, other: "Expression | float") -> "Expression":
        return Expression(f"({self.sql} + {_sql(other)})")

    def __truediv__(self, other: "Expression | float") -> "Expression":
        return Expression(f"({self.sql} / {_sql(other)})")


class _Columns:
    """The measures of a shard by name, as scores ask for them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Expression:
        self.asked.append(name)
        return Expression(name)


@dataclass(frozen=True)
class ClassShards:
    """The shards of one class, and the score by which they are read."""

    paths: tuple[str, ...]
    score: Expression
    measures: tuple[str, ...]
    """Columns that the score is made of."""

    @cached_property
    def footers(self) -> list[pq.FileMetaData]:
        """What the files say of themselves.

        Raises: StorageUnavailable for a file that is no Parquet, InvalidInput for one without the columns.
        """
        footers = [_footer(path) for path in self.paths]
        for path, footer in zip(self.paths, footers, strict=True):
            _require_columns(path, footer, self.measures)
        return footers

    @cached_property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(footer.num_rows for footer in self.footers)

    @property
    def is_sorted(self) -> bool:
        """Say whether the files are in the order of the score."""
        return self.measures == (SORTED_BY,) and self.score.sql == SORTED_BY

    def threshold(self, count: int) -> float | None:
        """Give a score that about `count` rows reach, or somewhat more; None where all rows are wanted."""
        if count >= self.rows:
            return None
        return self._told_threshold(count) if self.is_sorted else self._sampled_threshold(count)

    def scan(
        self, connection: duckdb.DuckDBPyConnection, *, at_least: float | None, after: tuple[float, int] | None
    ) -> Iterator[pa.RecordBatch]:
        """Give row, session, timestamp_s and score of the rows in a range of the ranking, in any order.

        `after` is the score and the row of the last one already seen; rows without a score are left out.
        """
        score, conditions, values = self.score.sql, [f"{self.score.sql} IS NOT NULL"], list[float | int]()
        if at_least is not None:
            conditions.append(f"{score} >= ?::FLOAT")
            values.append(at_least)
        if after is not None:
            conditions.append(f"{score} <= ?::FLOAT AND ({score} < ?::FLOAT OR row > ?)")
            values.extend([after[0], after[0], after[1]])
        reader = connection.execute(
            f"SELECT row, session, timestamp_s, {score} AS score FROM read_parquet(?) WHERE {' AND '.join(conditions)}",
            [self._escaped, *values],
        ).to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            require_finite(batch, score)
            yield batch

    def places(self, connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
        """Give row, session and timestamp_s of all rows, in any order."""
        yield from connection.execute(
            "SELECT row, session, timestamp_s FROM read_parquet(?)", [self._escaped]
        ).to_arrow_reader(_BATCH_ROWS)

    @property
    def _escaped(self) -> list[str]:
        """The paths as DuckDB wants them: brackets and stars of a path are no pattern."""
        return [glob.escape(path) for path in self.paths]

    def _told_threshold(self, count: int) -> float | None:
        """From the smallest values of the first row groups: at least `count` rows reach it."""
        smallest, rows = [], []
        for footer in self.footers:
            column, seen = _column(footer, SORTED_BY), 0
            for group in range(footer.num_row_groups):
                chunk = footer.row_group(group).column(column)
                if seen >= count or chunk.statistics is None or not chunk.statistics.has_min_max:
                    break
                smallest.append(chunk.statistics.min)
                rows.append(chunk.num_values)
                seen += chunk.num_values
        order = np.argsort(-np.array(smallest), kind="stable")
        reached = np.cumsum(np.array(rows)[order]) if rows else np.zeros(0)
        place = int(np.searchsorted(reached, count))
        return float(smallest[order[place]]) if place < len(smallest) else None

    def _sampled_threshold(self, count: int) -> float | None:
        wanted = max(64, int(np.ceil(1.25 * count * self._sample.size / self.rows)))
        return None if wanted >= self._sample.size else float(self._sample[-wanted])

    @cached_property
    def _sample(self) -> NDArray[Any]:
        """Scores in rising order, of row groups at even distances over all files."""
        groups = [(file, group) for file, footer in enumerate(self.footers) for group in range(footer.num_row_groups)]
        step = max(1, min(len(groups) // _SAMPLED_GROUPS, 50))
        sampled = pa.concat_tables([self._measures_of(file, group) for file, group in groups[step // 2 :: step]])
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("sampled", sampled)
            scores = connection.execute(f"SELECT {self.score.sql} AS score FROM sampled").to_arrow_table()["score"]
        found: NDArray[Any] = scores.to_numpy()  # NULL becomes NaN
        return np.sort(found[np.isfinite(found)])

    def _measures_of(self, file: int, group: int) -> pa.Table:
        with pq.ParquetFile(self.paths[file], metadata=self.footers[file]) as shard:
            return shard.read_row_group(group, columns=list(self.measures), use_threads=False)


def find_shards(folder: Path, *, classes: Sequence[int], score: str) -> list[ClassShards]:
    """Give the shards of these classes in a folder, to be read by a score of `acquisition.SCORES` or a measure.

    Raises: NotFound for a class without shards; InvalidInput for an unknown score.
    """
    by_class: dict[int, list[str]] = {klass: [] for klass in classes}
    for path in sorted(folder.glob("*.parquet")):
        match = _NAME.fullmatch(path.name)
        if match and int(match[2]) in by_class:
            by_class[int(match[2])].append(str(path))
    for klass, paths in by_class.items():
        if not paths:
            raise NotFound(
                f"class {klass}: no score shard {'?' * 5}-{klass:03d}.parquet in {folder}; score the pool first"
            )
    return shards_at([by_class[klass] for klass in classes], score=score)


def shards_at(paths: Sequence[Sequence[str]], *, score: str) -> list[ClassShards]:
    """Give the shards of each class, of which the paths are given, to be read by a score as in `find_shards`.

    Raises: InvalidInput for an unknown score, StorageUnavailable for a file that is no Parquet.
    """
    expression, measures = score_expression(score, _measures_in(paths[0][0]))
    return [ClassShards(tuple(of_class), expression, measures) for of_class in paths]


def score_expression(score: str, known: Sequence[str]) -> tuple[Expression, tuple[str, ...]]:
    """Give the SQL of a score and the measures it is made of; the formula is that of `acquisition.SCORES`.

    Raises: InvalidInput listing the known names.
    """
    if score in SCORES:
        columns = _Columns()
        expression = SCORES[score](columns)  # type: ignore[arg-type]  # the same formula, on names
        missing = [name for name in columns.asked if name not in known]
        if not missing:
            return expression, tuple(dict.fromkeys(columns.asked))  # type: ignore[return-value]
        raise InvalidInput(f"score {score!r}: the shards lack {', '.join(missing)}; score the pool again")
    if score in known:
        return Expression(score), (score,)
    raise InvalidInput(f"score {score!r}: known are {', '.join([*SCORES, *(n for n in known if n not in SCORES)])}")


def require_finite(batch: pa.RecordBatch, score: str) -> None:
    """Refuse scores that are not numbers: NaN would come before every number.

    Raises: NonFiniteScore naming the first row.
    """
    scores = batch.column("score").to_numpy(zero_copy_only=False)
    finite = np.isfinite(scores)
    if not finite.all():
        row = int(batch.column("row")[int(finite.argmin())].as_py())
        raise NonFiniteScore(
            f"score {score} of row {row} is {scores[~finite][0]}: nothing was selected; score the pool again"
        )


def check_shards(folder: Path) -> Mapping[str, int]:
    """Read all of a score set once and give {file name: rows}.

    A selection reads the head of each shard only, so what lies deeper is checked here.

    Raises: NonFiniteScore for a measure that is not finite, InvalidInput for a shard out of order.
    """
    counts: dict[str, int] = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path)
        for name in _measures_in(str(path)):
            finite = np.isfinite(table[name].to_numpy())
            if not finite.all():
                row = table["row"][int(finite.argmin())].as_py()
                raise NonFiniteScore(f"{name} of row {row} in {path.name}: is not finite; score the pool again")
        ranked = np.lexsort((table["row"].to_numpy(), -table[SORTED_BY].to_numpy()))
        if (np.diff(ranked) != 1).any():
            raise InvalidInput(f"shard {path.name}: not in the order of {SORTED_BY} and row; score the pool again")
        counts[path.name] = table.num_rows
    return counts


def _sql(value: Expression | float) -> str:
    return value.sql if isinstance(value, Expression) else f"{value!r}::FLOAT"


def _footer(path: str) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise StorageUnavailable(f"score shard {path}: {error}; score the pool again") from error


def _measures_in(path: str) -> list[str]:
    schema = _footer(path).schema.to_arrow_schema()
    return [field.name for field in schema if pa.types.is_float32(field.type)]


def _require_columns(path: str, footer: pq.FileMetaData, measures: Sequence[str]) -> None:
    schema = footer.schema.to_arrow_schema()
    missing = [name for name in (*_PLACES, *measures) if name not in schema.names]
    if missing:
        raise InvalidInput(f"score shard {path}: lacks {', '.join(missing)}; score the pool again")


def _column(footer: pq.FileMetaData, name: str) -> int:
    place: int = footer.schema.to_arrow_schema().names.index(name)
    return place
