"""Pool manifests: any range of rows, without the rest."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage import pools
from al_platform.storage.blobs import BlobStore

FRAMES = 2 * pools.ROW_GROUP + 100


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return BlobStore(str(tmp_path_factory.mktemp("blobs")))


@pytest.fixture(scope="module")
def manifest(blobs: BlobStore) -> str:
    return pools.write_pool(blobs, frames(FRAMES))


def frames(count: int) -> pa.Table:
    numbers = np.arange(count)
    return pa.table(
        {
            "item_id": [f"frm_{number}" for number in numbers],
            "session_id": [f"s{number // 1000}" for number in numbers],
            "frame_number": numbers,
            "timestamp_s": pa.array([None if number % 2 else float(number) for number in numbers], pa.float64()),
            "image_hash": [f"image {number % 7}" for number in numbers],
        }
    )


@pytest.mark.parametrize(
    ("first", "rows"),
    [(0, 10), (pools.ROW_GROUP - 3, 6), (FRAMES - 4, 100), (0, None), (FRAMES, 5), (10, 0)],
)
def test_any_range_of_rows_is_that_slice_of_the_whole(
    blobs: BlobStore, manifest: str, first: int, rows: int | None
) -> None:
    found = pools.read_pool(blobs, manifest, ["item_id", "timestamp_s"], first=first, rows=rows)
    assert found.schema.names == ["item_id", "timestamp_s"]
    wanted = frames(FRAMES).select(["item_id", "timestamp_s"]).slice(first, rows)
    assert found.to_pydict() == wanted.to_pydict()


def test_a_range_reads_the_row_groups_that_hold_it_and_no_others(blobs: BlobStore, manifest: str) -> None:
    with blobs.open(manifest) as stream:
        group = pq.ParquetFile(stream).metadata.row_group(1)
        start = min(group.column(index).dictionary_page_offset or 0 for index in range(group.num_columns))
    damaged = BlobStore(f"{blobs.url}-damaged")
    path = Path(damaged.url) / manifest[:2] / manifest
    path.parent.mkdir(parents=True)
    content = bytearray((Path(blobs.url) / manifest[:2] / manifest).read_bytes())
    content[start + 40] ^= 0xFF
    path.write_bytes(content)
    assert pools.read_pool(damaged, manifest, ["item_id"], first=5, rows=1)["item_id"].to_pylist() == ["frm_5"]
    with pytest.raises(CorruptBlob, match=rf"pool manifest {manifest} in .*; delete it, then freeze the pool again"):
        pools.read_pool(damaged, manifest, list(pools.SCHEMA.names), first=pools.ROW_GROUP, rows=1)


def test_a_pool_that_was_frozen_as_frames_reads_as_items(blobs: BlobStore) -> None:
    sink = pa.BufferOutputStream()
    older = frames(20).rename_columns({"item_id": "frame_id"})
    pq.write_table(older, sink)
    manifest = blobs.put(sink.getvalue().to_pybytes()).hash
    found = pools.read_pool(blobs, manifest, ["image_hash", "item_id"], first=3, rows=2)
    assert found.to_pydict() == {"image_hash": ["image 3", "image 4"], "item_id": ["frm_3", "frm_4"]}
    assert pools.row_of_item(blobs, manifest, "frm_7") == 7


def test_sessions_are_numbered_densely_in_the_order_of_the_pool(blobs: BlobStore, manifest: str) -> None:
    sessions = pools.read_pool(blobs, manifest, ["session"])["session"].to_numpy()
    np.testing.assert_array_equal(sessions, np.arange(FRAMES) // 1000)


def test_a_frame_is_found_by_its_row_or_not_at_all(blobs: BlobStore, manifest: str) -> None:
    assert pools.row_of_item(blobs, manifest, f"frm_{FRAMES - 1}") == FRAMES - 1
    assert pools.row_of_item(blobs, manifest, "frm_x") is None
    with pytest.raises(NotFound, match="blob 00"):
        pools.row_of_item(blobs, "00" * 20, "frm_1")
