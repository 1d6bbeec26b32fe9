"""Pools and dataset versions: immutable, named by content, verified at every read."""

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog, Transaction
from al_platform.catalog.datasets import (
    add_pool,
    add_version,
    all_versions,
    freeze_pool,
    items_added,
    pool_items,
    pool_rows,
    pool_size,
    pool_table,
    version_diff,
    version_items,
    version_named,
)
from al_platform.catalog.manifests import content_hash
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.pools import read_pool

NOW = "2026-01-31 12:00:00.000000"


VERSION_COLUMNS = pa.schema([("item_id", pa.string()), ("annotation_id", pa.string())])


def rows_of_frames(frames: Sequence[tuple[str, str, int, float | None]]) -> pa.Table:
    """Frames of dataset d: id, session, number, clock."""
    names, sessions, numbers, clocks = zip(*frames, strict=True)
    constant = {name: [value] * len(frames) for name, value in (("dataset", "d"), ("width", 4), ("height", 4))}
    return pa.table(
        {
            "frame_id": names,
            "session_id": sessions,
            "frame_number": numbers,
            **constant,
            "timestamp_s": pa.array(clocks, pa.float64()),
            "image_hash": [f"hash {name}" for name in names],
            "image_size": [1] * len(frames),
        }
    )


def items(**labels: str) -> list[DatasetItem]:
    return [DatasetItem(frame, label) for frame, label in labels.items()]


def version(
    tx: Transaction,
    blobs: BlobStore,
    additions: Sequence[DatasetItem] | pa.Table,
    *,
    parent: str | None = None,
    round_id: str | None = None,
    purpose: str = "train",
) -> DatasetVersion:
    return add_version(tx, blobs, parent_id=parent, additions=additions, purpose=purpose, round_id=round_id, now=NOW)


def test_what_a_round_added_is_told_with_its_corrections_and_of_a_start_set_all(
    catalog: Catalog, blobs: BlobStore
) -> None:
    with catalog.transaction() as tx:
        start = version(tx, blobs, items(a="1", b="1"), purpose="start")
        appended = version(tx, blobs, items(b="2", c="1", d="1"), parent=start.version_id, round_id="rnd_1")
        corrected = version(tx, blobs, items(c="2", e="1"), parent=appended.version_id, round_id="rnd_1")
        nothing = version(tx, blobs, [], parent=corrected.version_id, round_id="rnd_2")
        added = [items_added(tx, blobs, each.version_id) for each in (start, appended, corrected, nothing)]
        assert added == [{"a", "b"}, {"c", "d"}, {"c", "d", "e"}, set()]
        with pytest.raises(NotFound, match="dsv_0: not in the catalog"):
            items_added(tx, blobs, "dsv_0")


def test_a_version_is_its_parent_plus_what_was_added(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        first = version(tx, blobs, items(b="1", a="2"))
        second = version(tx, blobs, items(c="3"), parent=first.version_id, round_id="rnd_1")
        assert version_items(tx, blobs, second.version_id) == items(a="2", b="1", c="3")
        assert (second.parent_id, second.items, second.added) == (first.version_id, 3, 1)
        assert version_named(tx, second.version_id) == second


def test_old_versions_stay_as_they_were(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        history = [version(tx, blobs, items(a="0"))]
        for number in range(1, 5):
            history.append(version(tx, blobs, items(a=str(number)), parent=history[-1].version_id))
    with catalog.transaction() as tx:
        for number, old in enumerate(history):
            assert version_named(tx, old.version_id) == old
            assert version_items(tx, blobs, old.version_id) == items(a=str(number))


def test_a_frame_labelled_anew_takes_its_new_label_and_is_not_counted_as_added(
    catalog: Catalog, blobs: BlobStore
) -> None:
    with catalog.transaction() as tx:
        first = version(tx, blobs, items(a="old", b="1"))
        second = version(tx, blobs, items(a="new", c="2"), parent=first.version_id)
        assert version_items(tx, blobs, second.version_id) == items(a="new", b="1", c="2")
        assert (second.items, second.added) == (3, 1)


def test_a_frame_named_twice_is_added_once(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        made = version(tx, blobs, [DatasetItem("a", "1"), DatasetItem("a", "2")])
        assert (made.items, made.added) == (1, 1)
        assert version_items(tx, blobs, made.version_id) == items(a="2")


def test_equal_content_is_one_version_whatever_the_order(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        made = version(tx, blobs, items(a="1", b="2"))
        assert version(tx, blobs, items(b="2", a="1"), round_id="later") == made
        others = [
            version(tx, blobs, items(a="1", b="3")),
            version(tx, blobs, items(a="1", b="2"), purpose="test"),
            version(tx, blobs, [], parent=made.version_id),
        ]
        assert len({made.version_id, *(other.version_id for other in others)}) == 4
        rows = tx.execute("SELECT round_id FROM dataset_versions WHERE version_id = ?", [made.version_id])
        assert rows.fetchall() == [(None,)]


def test_a_version_may_be_empty(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        assert version_items(tx, blobs, version(tx, blobs, []).version_id) == []


def test_unknown_ids_are_named(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        with pytest.raises(NotFound, match="dataset version dsv_x: not in the catalog"):
            version_items(tx, blobs, "dsv_x")
        with pytest.raises(NotFound, match="dataset version dsv_x"):
            version(tx, blobs, items(a="1"), parent="dsv_x")
        with pytest.raises(NotFound, match="pool pool_x: not in the catalog"):
            pool_items(tx, blobs, "pool_x")


def test_a_row_of_a_pool_is_its_place_by_session_then_number_then_id(catalog: Catalog, blobs: BlobStore) -> None:
    frames = [
        ("frm_3", "d/s2", 0, None),
        ("frm_2", "d/s10", 7, 0.5),
        ("frm_1", "d/s10", 8, 0.25),
        ('it\'s "é"', "d/s10", 7, None),
    ]
    with catalog.transaction() as tx:
        add_frame_rows(tx, rows_of_frames(frames))
        pool, given = freeze_pool(tx, blobs, "dataset=d", now=NOW)
        names = [frame[0] for frame in frames]
        assert {add_pool(tx, blobs, order, described="", now=NOW) for order in (names, names[::-1])} == {pool}
        assert add_pool(tx, blobs, names[1:], described="", now=NOW) != pool
        assert pool_table(tx, blobs, pool) == given
        assert pool_items(tx, blobs, pool) == ["frm_2", 'it\'s "é"', "frm_1", "frm_3"]
        assert pool_size(tx, pool) == 4
        assert read_pool(blobs, pool_rows(tx, blobs, pool), given.column_names) == given
    assert given.column_names == ["item_id", "session_id", "session", "frame_number", "timestamp_s", "image_hash"]
    assert given["session"].to_pylist() == [0, 0, 0, 1]
    assert str(given["session"].type) == "int32"
    assert given["timestamp_s"].to_pylist() == [0.5, None, 0.25, None]


def test_a_pool_is_named_by_all_it_lists(catalog: Catalog, blobs: BlobStore, tmp_path: Path) -> None:
    other = Catalog.open(tmp_path / "other.duckdb")
    named = []
    for opened, clock in ((catalog, 1.0), (other, 2.0)):
        with opened.transaction() as tx:
            add_frame_rows(tx, rows_of_frames([("a", "d/s", 0, clock)]))
            named.append(freeze_pool(tx, blobs, "", now=NOW)[0])
    other.close()
    assert named[0] != named[1]


def test_a_pool_of_unknown_frames_is_refused(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx, pytest.raises(NotFound, match="frame frm_x: not in the catalog"):
        add_pool(tx, blobs, ["frm_x"], described="", now=NOW)


def test_what_a_version_has_otherwise_is_told_frame_by_frame(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx:
        first = version(tx, blobs, items(a="1", b="2", c="3"))
        second = version(tx, blobs, items(b="4", d="5"), parent=first.version_id)
        changes = version_diff(tx, blobs, first.version_id, second.version_id)
        assert [tuple(row.values()) for row in changes.to_pylist()] == [
            ("d", "added", None, "5"),
            ("b", "relabelled", "2", "4"),
        ]
        back = version_diff(tx, blobs, second.version_id, first.version_id)
        assert back["change"].to_pylist() == ["relabelled", "removed"]
        assert version_diff(tx, blobs, first.version_id, first.version_id).num_rows == 0
        assert [each.version_id for each in all_versions(tx)] == sorted([first.version_id, second.version_id])


@pytest.mark.parametrize("seed", range(3))
def test_versions_by_arrow_are_those_by_hand(catalog: Catalog, blobs: BlobStore, seed: int) -> None:
    draw, held, parent = random.Random(seed), dict[str, str](), None
    with catalog.transaction() as tx:
        for _ in range(6):
            added = [DatasetItem(f"f{draw.randrange(40)}", f"l{draw.randrange(9)}") for _ in range(draw.randrange(30))]
            table = pa.table({name: [getattr(item, name) for item in added] for name in ("item_id", "annotation_id")})
            made = version(tx, blobs, table.cast(VERSION_COLUMNS), parent=parent)
            assert made.added == len({item.item_id for item in added} - held.keys())
            before, parent = dict(held), made.version_id
            held.update({item.item_id: item.annotation_id for item in added})
            assert version_items(tx, blobs, made.version_id) == items(**dict(sorted(held.items())))
            told = version_diff(tx, blobs, made.parent_id, made.version_id).num_rows if made.parent_id else len(held)
            assert told == sum(before.get(frame) != label for frame, label in held.items())


def test_a_blob_that_is_no_parquet_is_named(catalog: Catalog, blobs: BlobStore) -> None:
    foreign = blobs.put(b"name,age\n").hash
    with catalog.transaction() as tx:
        made = version(tx, blobs, items(a="1"))
        tx.execute("UPDATE dataset_versions SET manifest_hash = ?", [foreign])
        with pytest.raises(CorruptBlob, match=f"blob {foreign} .*is no Parquet table"):
            version_items(tx, blobs, made.version_id)


def test_content_is_hashed_alike_however_it_is_laid_out() -> None:
    table = pa.table({"name": ["a", "bc", None, ""], "clock": [1.0, None, 3.0, 4.0], "number": [1, 2, 3, 4]})
    parts = pa.concat_tables([table.slice(0, 1), table.slice(1, 2), table.slice(3)])
    texts = table.set_column(0, "name", table["name"].cast(pa.large_string()))
    assert content_hash(parts) == content_hash(texts) == content_hash(table)
    others = [
        table.set_column(0, "name", pa.chunked_array([["ab", "c", None, ""]])),
        table.set_column(0, "name", pa.chunked_array([["a", "bc", "", None]])),
        table.set_column(1, "clock", pa.chunked_array([[1.0, 0.0, 3.0, 4.0]])),
        table.rename_columns(["name", "clock", "other"]),
        table.take([1, 0, 2, 3]),
        table.slice(0, 0),
    ]
    assert len({content_hash(each) for each in (table, *others)}) == 7


def test_an_empty_pool_is_refused(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx, pytest.raises(InvalidInput, match="pool 'lux>9': nothing matches"):
        add_pool(tx, blobs, [], described="lux>9", now=NOW)


def test_a_manifest_that_was_changed_is_noticed(catalog: Catalog, blobs: BlobStore, tmp_path: Path) -> None:
    with catalog.transaction() as tx:
        made = version(tx, blobs, items(a="1"))
        path = tmp_path / "blobs" / made.manifest_hash[:2] / made.manifest_hash
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        with pytest.raises(CorruptBlob, match=made.manifest_hash):
            version_items(tx, blobs, made.version_id)
