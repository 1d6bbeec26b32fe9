"""Pools and dataset versions: immutable, named by content, verified at every read."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from al_platform.catalog.connection import Catalog, Transaction
from al_platform.catalog.datasets import (
    add_pool,
    add_version,
    pool_frames,
    pool_manifest,
    pool_size,
    version_items,
    version_named,
)
from al_platform.catalog.frames import FrameFacts, add_frames
from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.pools import read_pool

NOW = "2026-01-31 12:00:00.000000"


def items(**labels: str) -> list[DatasetItem]:
    return [DatasetItem(frame, label) for frame, label in labels.items()]


def version(
    tx: Transaction,
    blobs: BlobStore,
    additions: Sequence[DatasetItem],
    *,
    parent: str | None = None,
    round_id: str | None = None,
    purpose: str = "train",
) -> DatasetVersion:
    return add_version(tx, blobs, parent_id=parent, additions=additions, purpose=purpose, round_id=round_id, now=NOW)


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
            pool_frames(tx, blobs, "pool_x")


def test_a_pool_is_its_frames_by_session_and_number_whatever_the_order_they_are_named_in(
    catalog: Catalog, blobs: BlobStore
) -> None:
    frames = [frame("frm_2", "b", 1), frame("frm_1", "b", 2), frame('it\'s "é"', "a", 9), frame("frm_0", "b", 2)]
    names = [each.frame_id for each in frames]
    with catalog.transaction() as tx:
        add_frames(tx, [(each, FrameFacts(1.0, 2.0, "here")) for each in frames])
        pool = add_pool(tx, blobs, names, described="split='train'; --", now=NOW)
        assert add_pool(tx, blobs, names[::-1], described="again", now=NOW) == pool
        assert add_pool(tx, blobs, names[1:], described="fewer", now=NOW) != pool
        assert pool_frames(tx, blobs, pool) == ['it\'s "é"', "frm_2", "frm_0", "frm_1"]
        assert pool_size(tx, pool) == 4
        rows = read_pool(blobs, pool_manifest(tx, pool), ["session", "image_hash", "timestamp_s"])
    assert rows["session"].to_pylist() == [0, 1, 1, 1]
    assert rows["image_hash"].to_pylist()[1:] == ["pixels of frm_2", "pixels of frm_0", "pixels of frm_1"]
    assert rows["timestamp_s"].to_pylist() == [None, 0.5, None, None]


def frame(frame_id: str, session_id: str, number: int) -> Frame:
    pixels = BlobRef(f"pixels of {frame_id}", 1, "image/png")
    return Frame(frame_id, "d", session_id, pixels, 4, 4, number, timestamp_s=0.5 if number == 1 else None)


def test_a_pool_of_a_frame_that_the_catalog_lacks_is_refused(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx, pytest.raises(NotFound, match="frame frm_x: not in the catalog"):
        add_pool(tx, blobs, ["frm_x"], described="all", now=NOW)


def test_an_empty_pool_is_refused(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.transaction() as tx, pytest.raises(InvalidInput, match="pool 'lux>9': no frame matches"):
        add_pool(tx, blobs, [], described="lux>9", now=NOW)


def test_a_manifest_that_was_changed_is_noticed(catalog: Catalog, blobs: BlobStore, tmp_path: Path) -> None:
    with catalog.transaction() as tx:
        made = version(tx, blobs, items(a="1"))
        path = tmp_path / "blobs" / made.manifest_hash[:2] / made.manifest_hash
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        with pytest.raises(CorruptBlob, match=made.manifest_hash):
            version_items(tx, blobs, made.version_id)
