"""Scores: which ensemble scored which pool, and in which files its numbers lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, insert_or_replace, rows_of
from al_platform.domain.scores import ShardMarker
from al_platform.errors import NotFound

_SET = "score_id, ensemble_id, pool_id, frames, formula, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f') AS created_at"


@dataclass(frozen=True)
class ScoreSet:
    """The scores that an ensemble gave to a pool: of how many frames, by which formula, when (UTC)."""

    score_id: str
    ensemble_id: str
    pool_id: str
    frames: int
    formula: str
    created_at: str


@dataclass(frozen=True)
class ScoreShard:
    """A file of scores below the storage; `minimum` and `maximum` are those of the measure that sorts it."""

    score_id: str
    shard: int
    class_name: str
    path: str
    hash: str
    rows: int
    minimum: float | None
    maximum: float | None


def add_score_set(tx: Transaction, scored: ScoreSet, markers: Sequence[ShardMarker]) -> None:
    """Keep a finished score set and its shards; keeping it again changes nothing."""
    insert_missing(tx, "score_sets", {name: [getattr(scored, name)] for name in ScoreSet.__dataclass_fields__})
    keep_shards(tx, markers)


def keep_shards(tx: Transaction, markers: Sequence[ShardMarker]) -> None:
    """Keep the shards that markers list; one that was scored again takes the place of the one before."""
    shards = shards_in(markers)
    insert_or_replace(
        tx,
        "score_shards",
        {name: [getattr(shard, name) for shard in shards] for name in ScoreShard.__dataclass_fields__},
    )


def shards_in(markers: Sequence[ShardMarker]) -> list[ScoreShard]:
    """Give the shards that markers list, by number, within it in the order of the classes."""
    return [
        ScoreShard(
            score_id=marker.score_id,
            shard=marker.shard,
            class_name=file.class_name,
            path=file.path,
            hash=file.hash,
            rows=file.rows,
            minimum=file.minimum,
            maximum=file.maximum,
        )
        for marker in sorted(markers, key=lambda marker: marker.shard)
        for file in marker.files
    ]


def shards_of(tx: Transaction, score_id: str) -> list[ScoreShard]:
    """Give the shards of a score set, by number, within it in the order of the classes."""
    names = ", ".join(ScoreShard.__dataclass_fields__)
    rows = rows_of(tx, f"SELECT {names} FROM score_shards WHERE score_id = ? ORDER BY shard, path", [score_id])
    return [ScoreShard(**row) for row in rows]


def find_score_set(tx: Transaction, score_id: str) -> ScoreSet | None:
    """Give a score set, None where the pool has not been scored so yet."""
    rows = rows_of(tx, f"SELECT {_SET} FROM score_sets WHERE score_id = ?", [score_id])
    return ScoreSet(**rows[0]) if rows else None


def score_set_named(tx: Transaction, score_id: str) -> ScoreSet:
    """Give a score set.

    Raises: NotFound for an unknown id.
    """
    found = find_score_set(tx, score_id)
    if found is None:
        raise NotFound(f"scores {score_id}: not in the catalog")
    return found


def all_score_sets(tx: Transaction) -> list[ScoreSet]:
    """Give all score sets, the oldest first."""
    return [ScoreSet(**row) for row in rows_of(tx, f"SELECT {_SET} FROM score_sets ORDER BY created_at, score_id")]
