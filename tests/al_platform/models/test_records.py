"""Encoder records: computed once a content, gathered by it, what cannot be read is named."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.domain.progress import Progress, silent
from al_platform.models.records import ContentRecords, frame_reader, image_batches
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from tests.al_platform.training.linear import FEATURES, GRID, LINEAR, SPEC


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


def records_in(blobs: BlobStore, folder: Path) -> ContentRecords:
    return ContentRecords(LINEAR.load_encoder(SPEC, b""), frame_reader(blobs, GRID), RecordCaches(folder))


def put_image(blobs: BlobStore, level: int) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (GRID.image_width, GRID.image_height), (level, level, level)).save(stream, "PNG")
    return blobs.put(stream.getvalue()).hash


def test_records_are_encoded_once_and_come_back_in_the_order_asked_for(blobs: BlobStore, tmp_path: Path) -> None:
    images = [put_image(blobs, level) for level in range(70)]
    records, seen = records_in(blobs, tmp_path), list[Progress]()
    assert records.ensure(images, seen.append) == {}
    assert [(p.done, p.total) for p in seen] == [(0, 70), (64, 70), (70, 70)]
    found = records.take([images[69], images[3], images[69]])
    assert found.shape == (3, GRID.rows, GRID.columns, FEATURES)
    np.testing.assert_array_equal(found[:, 0, 0, 0], [69.0, 3.0, 69.0])
    seen.clear()
    assert records_in(BlobStore("memory://nothing-here"), tmp_path).ensure(images, seen.append) == {}
    assert seen == []


def test_contents_that_cannot_be_read_are_named_with_the_reason_and_the_others_kept(
    blobs: BlobStore, tmp_path: Path
) -> None:
    broken, changed = blobs.put(b"no image").hash, put_image(blobs, 7)
    (path,) = (tmp_path / "blobs").rglob(changed)
    path.write_bytes(b"changed")
    gone, good = "00" * 20, put_image(blobs, 9)
    images = [gone, broken, changed, good]
    records = records_in(blobs, tmp_path)
    unreadable = records.ensure(images, silent)
    assert set(unreadable) == {gone, broken, changed}
    assert "not in " in unreadable[gone]
    assert "hash to" in unreadable[changed]
    np.testing.assert_array_equal(records.take([good])[0], 9.0)
    assert set(records.ensure(images, silent)) == set(unreadable)


def test_batches_of_images_pass_over_what_cannot_be_decoded(blobs: BlobStore) -> None:
    hashes = [put_image(blobs, level) for level in range(66)]
    hashes[3] = blobs.put(b"no image").hash
    hashes[64:] = ["00" * 20, "11" * 20]
    (batch,) = image_batches(hashes, GRID, blobs=blobs, report=silent)
    np.testing.assert_array_equal(batch[:, 0, 0, 0], [level for level in range(64) if level != 3])
