"""Encoder records and presence maps: computed once, gathered by id, broken frames named."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.domain.labels import Annotation, Box
from al_platform.domain.progress import Progress, silent
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from al_platform.training.inputs import FrameRecords, PresenceMaps, image_batches
from tests.al_platform.training.linear import FEATURES, GRID, LINEAR, SPEC


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


def records_in(blobs: BlobStore, folder: Path) -> FrameRecords:
    return FrameRecords(LINEAR.load_encoder(SPEC, b""), GRID, blobs=blobs, caches=RecordCaches(folder))


def put_image(blobs: BlobStore, level: int) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (GRID.image_width, GRID.image_height), (level, level, level)).save(stream, "PNG")
    return blobs.put(stream.getvalue()).hash


def test_records_are_encoded_once_and_come_back_in_the_order_asked_for(blobs: BlobStore, tmp_path: Path) -> None:
    images = {f"frm_{level}": put_image(blobs, level) for level in range(70)}
    records, seen = records_in(blobs, tmp_path), list[Progress]()
    assert records.ensure(images, seen.append) == {}
    assert [(p.done, p.total) for p in seen] == [(0, 70), (64, 70), (70, 70)]
    found = records.take(["frm_69", "frm_3"])
    assert found.shape == (2, GRID.rows, GRID.columns, FEATURES)
    np.testing.assert_array_equal(found[:, 0, 0, 0], [69.0, 3.0])
    seen.clear()
    assert records_in(BlobStore("memory://nothing-here"), tmp_path).ensure(images, seen.append) == {}
    assert seen == []


def test_frames_that_cannot_be_read_are_named_with_the_reason_and_the_others_kept(
    blobs: BlobStore, tmp_path: Path
) -> None:
    broken, changed = blobs.put(b"no image").hash, put_image(blobs, 7)
    (path,) = (tmp_path / "blobs").rglob(changed)
    path.write_bytes(b"changed")
    images = {"frm_gone": "00" * 20, "frm_broken": broken, "frm_changed": changed, "frm_good": put_image(blobs, 9)}
    records = records_in(blobs, tmp_path)
    unreadable = records.ensure(images, silent)
    assert set(unreadable) == {"frm_gone", "frm_broken", "frm_changed"}
    assert "not in " in unreadable["frm_gone"]
    assert "hash to" in unreadable["frm_changed"]
    np.testing.assert_array_equal(records.take(["frm_good"])[0], 9.0)
    assert set(records.ensure(images, silent)) == set(unreadable)


def test_batches_of_images_pass_over_what_cannot_be_decoded(blobs: BlobStore) -> None:
    hashes = [put_image(blobs, level) for level in range(66)]
    hashes[3] = blobs.put(b"no image").hash
    hashes[64:] = ["00" * 20, "11" * 20]
    (batch,) = image_batches(hashes, GRID, blobs=blobs, report=silent)
    np.testing.assert_array_equal(batch[:, 0, 0, 0], [level for level in range(64) if level != 3])


def test_presence_maps_come_back_in_the_order_of_their_labels(blobs: BlobStore, tmp_path: Path) -> None:
    def label(*classes: str, column: int = 0) -> Annotation:
        box = Box("person", 8 * column, 0, 8 * column + 8, 8)
        return Annotation("frm_1", classes, "offline:d", boxes=(box,), width=24, height=16)

    maps = PresenceMaps(SPEC.classes, GRID, blobs=blobs, caches=RecordCaches(tmp_path))
    first, second = label("person", "bicycle"), label("person", column=2)
    found = maps.of([second, first, second])
    assert found.shape == (3, 2, 2, 3)
    np.testing.assert_array_equal(found[0, 0], [[0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(found[0, 1], 255)
    np.testing.assert_array_equal(found[1], [[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]])
    np.testing.assert_array_equal(found[2], found[0])
    np.testing.assert_array_equal(maps.of([first]), found[1:2])
    assert maps.of([]).shape == (0, 2, 2, 3)
    turned = PresenceMaps(SPEC.classes[::-1], GRID, blobs=blobs, caches=RecordCaches(tmp_path))
    np.testing.assert_array_equal(turned.of([first]), found[1:2, ::-1])
