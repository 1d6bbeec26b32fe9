"""Score sets and their shards: kept once, replaced when they were scored again."""

from dataclasses import replace

import pytest

from al_platform.catalog import scores
from al_platform.catalog.connection import Catalog
from al_platform.domain.scores import ShardFile, ShardMarker
from al_platform.errors import NotFound

NOW = "2026-01-31 12:00:00.000000"
SCORED = scores.ScoreSet("scr_1", "ens_1", "pool_1", frames=9, formula="it's", created_at=NOW)


def marker(shard: int, *, content: str = "ab") -> ShardMarker:
    files = [
        ShardFile(name, f"scores/scr_1/{shard:05d}-{index:03d}.parquet", content, 5, 100, 0.25, 0.5 + shard)
        for index, name in enumerate(("person", "it's a bicycle"))
    ]
    return ShardMarker("scr_1", shard, 5 * shard, 5, ("person", "it's a bicycle"), tuple(files), (), "it's")


def test_a_score_set_and_its_shards_are_kept_once_and_come_back_in_order(catalog: Catalog) -> None:
    markers = [marker(1), marker(0)]
    for _ in range(2):
        with catalog.transaction() as tx:
            scores.add_score_set(tx, SCORED, markers)
    with catalog.transaction() as tx:
        assert scores.score_set_named(tx, "scr_1") == SCORED
        assert scores.all_score_sets(tx) == [SCORED]
        found = scores.shards_of(tx, "scr_1")
    assert found == scores.shards_in(markers)
    assert [(shard.shard, shard.class_name) for shard in found][:2] == [(0, "person"), (0, "it's a bicycle")]
    assert [shard.maximum for shard in found] == [0.5, 0.5, 1.5, 1.5]


def test_a_shard_that_was_scored_again_takes_the_place_of_the_one_before(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        scores.add_score_set(tx, SCORED, [marker(0), marker(1)])
    with catalog.transaction() as tx:
        scores.keep_shards(tx, [marker(1, content="cd")])
        assert [shard.hash for shard in scores.shards_of(tx, "scr_1")] == ["ab", "ab", "cd", "cd"]


def test_a_shard_without_a_readable_frame_has_no_extremes(catalog: Catalog) -> None:
    empty = marker(0)
    files = tuple(replace(file, rows=0, minimum=None, maximum=None) for file in empty.files)
    with catalog.transaction() as tx:
        scores.add_score_set(tx, SCORED, [replace(empty, files=files)])
        assert {(shard.rows, shard.minimum) for shard in scores.shards_of(tx, "scr_1")} == {(0, None)}


def test_scores_that_nobody_made_are_named(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        assert scores.find_score_set(tx, "scr_x") is None
        assert scores.shards_of(tx, "scr_x") == []
        with pytest.raises(NotFound, match="scores scr_x: not in the catalog"):
            scores.score_set_named(tx, "scr_x")
