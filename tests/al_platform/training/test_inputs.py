"""Presence maps: computed once, gathered by label."""

from pathlib import Path

import numpy as np

from al_platform.domain.labels import Annotation, Box
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from al_platform.training.inputs import PresenceMaps
from tests.al_platform.training.linear import GRID, SPEC


def test_presence_maps_come_back_in_the_order_of_their_labels(tmp_path: Path) -> None:
    def label(*classes: str, column: int = 0) -> Annotation:
        box = Box("person", 8 * column, 0, 8 * column + 8, 8)
        return Annotation("frm_1", classes, "offline:d", boxes=(box,), width=24, height=16)

    blobs = BlobStore(str(tmp_path / "blobs"))
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
