"""What holds for every dataset adapter in the table, found by itself."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from al_platform.datasets.adapters import ADAPTERS, adapter_named
from al_platform.datasets.base import AdapterRequest, SourceFrame
from al_platform.datasets.images import decode_mask, encode_mask, image_size
from al_platform.datasets.presence import presence_from_boxes, presence_from_mask
from al_platform.domain.ingest import BrokenSource
from al_platform.domain.models import GridSpec
from al_platform.errors import InvalidInput

SIZE = (40, 32)


class Source(NamedTuple):
    """A request for an adapter, with how many frames it must give and which names its broken items carry."""

    request: AdapterRequest
    frames: int
    broken: tuple[str, ...]


def _write_image(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (grey, grey, grey)).save(path, quality=90)


def _masks_source(folder: Path) -> Source:
    (folder / "m").mkdir(parents=True)
    rows = []
    for number in range(4):
        _write_image(folder / f"i/a_{number}.jpg", 40 * number)
        mask_HW = np.zeros(SIZE[::-1], np.uint8)
        mask_HW[8:16, 8:16] = 1
        (folder / f"m/a_{number}.png").write_bytes(encode_mask(mask_HW))
        rows.append({"image": f"i/a_{number}.jpg", "mask": f"m/a_{number}.png", "speed": 3.5})
    (folder / "i/a_2.jpg").write_bytes(b"\xff\xd8 cut off")
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    (folder / "classes.json").write_text(json.dumps({"values": {"0": "background", "1": "person"}}))
    return Source(AdapterRequest(str(folder)), 3, ("a_2.jpg",))


def _coco_source(folder: Path) -> Source:
    for number in (0, 1, 3):
        _write_image(folder / f"a_{number}.jpg", 40 * number)
    images = [{"id": n, "file_name": f"a_{n}.jpg", "width": SIZE[0], "height": SIZE[1]} for n in range(4)]
    content = {
        "images": images,
        "annotations": [{"id": 1, "image_id": 0, "category_id": 7, "bbox": [8, 8, 8, 8]}],
        "categories": [{"id": 7, "name": "person"}],
    }
    (folder / "boxes.json").write_text(json.dumps(content))
    return Source(AdapterRequest(str(folder / "boxes.json")), 3, ("a_2.jpg",))


def _synthetic_source(folder: Path) -> Source:
    return Source(AdapterRequest(None, {"frames": "6", "sessions": "3"}), 6, ())


def _camera_source(folder: Path) -> Source:
    small = {"scenes": "2", "frames": "3", "size": "64x32", "light": "day:1", "rain": "0"}
    return Source(AdapterRequest(None, small), 6, ())


SOURCES: Mapping[str, Callable[[Path], Source]] = {
    "masks": _masks_source,
    "coco": _coco_source,
    "synthetic": _synthetic_source,
    "camera": _camera_source,
}


@pytest.fixture(params=sorted(ADAPTERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str, tmp_path: Path) -> Source:
    assert name in SOURCES, f"adapter {name} needs an example in SOURCES"
    return SOURCES[name](tmp_path / "source") if name in ("synthetic", "camera") else _in_folder(name, tmp_path)


def _in_folder(name: str, tmp_path: Path) -> Source:
    folder = tmp_path / "source"
    folder.mkdir()
    return SOURCES[name](folder)


def _frames(name: str, source: Source) -> list[SourceFrame]:
    return [item for item in adapter_named(name)(source.request).read() if isinstance(item, SourceFrame)]


def test_count_is_the_number_of_items_that_come(name: str, source: Source) -> None:
    adapter = adapter_named(name)(source.request)
    assert adapter.count() == len(list(adapter.read())) == source.frames + len(source.broken)


def test_reading_twice_gives_the_same_items_in_the_same_order(name: str, source: Source) -> None:
    adapter = adapter_named(name)(source.request)
    assert list(adapter.read()) == list(adapter.read()) == list(adapter_named(name)(source.request).read())


def test_a_broken_file_is_named_and_the_others_are_kept(name: str, source: Source) -> None:
    items = list(adapter_named(name)(source.request).read())
    broken = [item for item in items if isinstance(item, BrokenSource)]
    assert len(items) - len(broken) == source.frames
    assert len(broken) == len(source.broken)
    for item, file_name in zip(broken, source.broken, strict=True):
        assert file_name in item.origin
        assert item.reason


def test_frames_carry_jpeg_or_png_and_say_where_they_come_from(name: str, source: Source) -> None:
    for frame in _frames(name, source):
        with Image.open(io.BytesIO(frame.image)) as picture:
            assert picture.format in ("JPEG", "PNG")
        assert frame.origin
        assert frame.session_id
        assert frame.dataset


def test_frames_of_a_session_have_numbers_of_their_own(name: str, source: Source) -> None:
    named = [(frame.session_id, frame.frame_number) for frame in _frames(name, source)]
    assert len(set(named)) == len(named)


def test_masks_fit_their_image_and_hold_only_values_that_are_explained(name: str, source: Source) -> None:
    for frame in _frames(name, source):
        if frame.label is not None and frame.label.mask is not None:
            mask_HW = decode_mask(frame.label.mask)
            assert mask_HW.shape == image_size(frame.image)[::-1]
            assert set(np.unique(mask_HW).tolist()) <= {*frame.label.mask_values, *frame.label.ignore_values}
            assert set(frame.label.classes) <= set(frame.label.mask_values.values())


def test_labels_become_presence_maps(name: str, source: Source) -> None:
    grid = GridSpec(image_height=32, image_width=48, cell=8)
    for frame in _frames(name, source):
        label = frame.label
        assert label is not None
        if label.mask is None:
            width, height = image_size(frame.image)
            presence = presence_from_boxes(
                label.boxes, width, height, annotated=label.classes, classes=label.classes, grid=grid
            )
        else:
            presence = presence_from_mask(
                decode_mask(label.mask),
                label.mask_values,
                label.ignore_values,
                classes=label.classes,
                grid=grid,
            )
        assert presence.shape == (len(label.classes), 4, 6)
        assert set(np.unique(presence).tolist()) <= {0, 1}


def test_an_option_that_is_not_known_is_refused_with_those_that_are(name: str, source: Source) -> None:
    request = AdapterRequest(source.request.path, {**source.request.options, "colour": "blue"})
    with pytest.raises(InvalidInput, match=r"option colour: the \w+ adapter accepts \w+"):
        adapter_named(name)(request)


def test_an_adapter_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="adapter kitti: known are masks, coco, synthetic, camera"):
        adapter_named("kitti")
