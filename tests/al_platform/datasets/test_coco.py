"""COCO files as other tools write them."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from al_platform.datasets.base import AdapterRequest, SourceFrame
from al_platform.datasets.coco import coco_adapter
from al_platform.domain.ingest import BrokenSource
from al_platform.domain.labels import Box
from al_platform.errors import InvalidInput

IMAGE = {"id": 1, "file_name": "a_0001.jpg", "width": 40, "height": 32}
PERSON = {"id": 5, "name": "person"}


def write(folder: Path, content: dict[str, Any], *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 32), (90, 90, 90)).save(folder / name)
    (folder / "boxes.json").write_text(json.dumps(content))
    return folder / "boxes.json"


def read(path: Path, **options: str) -> tuple[list[SourceFrame], list[BrokenSource]]:
    adapter = coco_adapter(AdapterRequest(str(path), options))
    items = list(adapter.read())
    assert adapter.count() == len(items)
    frames = [item for item in items if isinstance(item, SourceFrame)]
    return frames, [item for item in items if isinstance(item, BrokenSource)]


def with_boxes(*bboxes: Any, **more: Any) -> dict[str, Any]:
    annotations = [{"id": n, "image_id": 1, "category_id": 5, "bbox": bbox, **more} for n, bbox in enumerate(bboxes)]
    return {"images": [IMAGE], "annotations": annotations, "categories": [PERSON]}


def boxes(frame: SourceFrame) -> tuple[Box, ...]:
    assert frame.label is not None
    return frame.label.boxes


def test_an_image_without_annotations_is_labelled_as_empty(tmp_path: Path) -> None:
    (frame,), broken = read(write(tmp_path, with_boxes(), "a_0001.jpg"))
    assert not broken
    assert frame.label is not None
    assert (frame.label.classes, frame.label.boxes) == (("person",), ())


def test_unlabeled_leaves_all_labels_away(tmp_path: Path) -> None:
    path = write(tmp_path, with_boxes([1, 1, 4, 4], [0, 0, 0, 0]), "a_0001.jpg")
    (frame,), broken = read(path, unlabeled="true")
    assert frame.label is None
    assert not broken
    with pytest.raises(InvalidInput, match="unlabeled 'maybe': must be true or false"):
        read(path, unlabeled="maybe")


def test_a_file_without_categories_gives_frames_of_which_nothing_is_known(tmp_path: Path) -> None:
    (frame,), _ = read(write(tmp_path, {"images": [IMAGE]}, "a_0001.jpg"))
    assert frame.label is None


def test_boxes_are_cut_at_the_edges_of_the_image(tmp_path: Path) -> None:
    (frame,), _ = read(write(tmp_path, with_boxes([-4, 2, 10, 100]), "a_0001.jpg"))
    assert boxes(frame) == (Box("person", 0.0, 2.0, 6.0, 32.0),)


@pytest.mark.parametrize("bbox", [[3, 3, 0, 5], [3, 3, 5, -1], [50, 3, 5, 5], [-9, 3, 5, 5]])
def test_a_box_without_area_in_the_image_is_left_out_with_a_note_and_the_frame_kept(
    tmp_path: Path, bbox: list[int]
) -> None:
    (frame,), (note,) = read(write(tmp_path, with_boxes(bbox, [1, 1, 4, 4]), "a_0001.jpg"))
    assert len(boxes(frame)) == 1
    assert "annotation 0" in note.origin
    assert "no area inside 40 x 32 pixels" in note.reason


@pytest.mark.parametrize("bbox", [None, [1, 2, 3], ["a", 1, 1, 1], [float("nan"), 1, 1, 1], "1,1,4,4"])
def test_a_box_that_is_not_four_numbers_breaks_its_frame(tmp_path: Path, bbox: Any) -> None:
    frames, (broken,) = read(write(tmp_path, with_boxes(bbox), "a_0001.jpg"))
    assert not frames
    assert "a_0001.jpg" in broken.origin
    assert "must be x, y, width, height" in broken.reason


def test_ids_may_be_zero_text_or_fractions_and_crowds_are_boxes(tmp_path: Path) -> None:
    content = {
        "images": [{**IMAGE, "id": "1"}],
        "annotations": [
            {"image_id": 1, "category_id": 0, "bbox": [0, 0, 4, 4], "iscrowd": 1},
            {"image_id": 1.0, "category_id": "90", "bbox": [8, 8, 4, 4], "segmentation": []},
        ],
        "categories": [{"id": 0, "name": "person"}, {"id": 90, "name": "bicycle", "supercategory": "x"}],
    }
    (frame,), broken = read(write(tmp_path, content, "a_0001.jpg"))
    assert not broken
    assert [box.class_name for box in boxes(frame)] == ["person", "bicycle"]


def test_boxes_of_unknown_categories_and_of_no_image_are_left_out_with_notes(tmp_path: Path) -> None:
    content = with_boxes([1, 1, 4, 4])
    content["annotations"] += [
        {"id": 8, "image_id": 1, "category_id": 6, "bbox": [1, 1, 4, 4]},
        {"id": 9, "image_id": 77, "category_id": 5, "bbox": [1, 1, 4, 4]},
    ]
    (frame,), notes = read(write(tmp_path, content, "a_0001.jpg"))
    assert len(boxes(frame)) == 1
    assert [note.reason for note in notes] == [
        "category 6 has no name in `categories`; box left out",
        "image 77 is not listed",
    ]


def test_images_are_found_where_exports_put_them(tmp_path: Path) -> None:
    images = [
        {**IMAGE, "id": 1, "file_name": "drive 1/a.jpg"},
        {**IMAGE, "id": 2, "file_name": "..\\upload\\1\\b_7.jpg"},
        {**IMAGE, "id": 3, "file_name": "/data/local/c.jpg"},
    ]
    path = write(tmp_path, {"images": images}, "drive 1/a.jpg", "images/b_7.jpg", "c.jpg")
    frames, broken = read(path)
    assert not broken
    assert frames[0].session_id == "drive 1"
    assert frames[1].frame_number == 7
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "boxes.json").rename(moved / "boxes.json")
    assert len(read(moved / "boxes.json", images=str(tmp_path))[0]) == 3
    with pytest.raises(InvalidInput, match="no such folder"):
        read(moved / "boxes.json", images=str(tmp_path / "nowhere"))


def test_session_time_and_number_are_read_where_the_export_has_them(tmp_path: Path) -> None:
    more = {"session_id": 12, "timestamp": "4.5", "frame_number": 3, "weather": "rain", "gain": 2, "ok": True}
    (frame,), _ = read(write(tmp_path, {"images": [{**IMAGE, **more}]}, "a_0001.jpg"))
    assert (frame.session_id, frame.timestamp_s, frame.frame_number) == ("12", 4.5, 3)
    assert frame.tags == {"weather": "rain", "gain": 2.0}
    (plain,), _ = read(write(tmp_path, {"images": [IMAGE]}, "a_0001.jpg"))
    assert (plain.session_id, plain.timestamp_s, plain.frame_number) == ("a", None, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timestamp_s": "noon"}, "timestamp 'noon': must be in seconds"),
        ({"frame_number": 1.5}, "frame_number 1.5: must be a whole number"),
        ({"file_name": ""}, "has no file_name"),
        ({"file_name": "b.jpg"}, "cannot be read: No such file"),
        ({"width": 80, "height": 64}, "image of 40 x 32 pixels is listed as 80 x 64"),
    ],
)
def test_an_image_that_cannot_be_used_is_named_and_the_others_are_kept(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    other = {**IMAGE, "id": 2, "file_name": "other.jpg"}
    path = write(tmp_path, {"images": [{**IMAGE, **change}, other]}, "a_0001.jpg", "other.jpg")
    frames, (broken,) = read(path)
    assert [Path(frame.origin).name for frame in frames] == ["other.jpg"]
    assert reason in broken.reason


def test_an_image_listed_twice_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path, {"images": [IMAGE, {**IMAGE, "id": 2}, {**IMAGE, "file_name": "x.jpg"}]}, "a_0001.jpg")
    frames, broken = read(path)
    assert len(frames) == 1
    assert [item.reason for item in broken] == ["a_0001.jpg was already listed", "id 1 was already listed"]


def test_a_missing_size_is_read_from_the_image(tmp_path: Path) -> None:
    content = with_boxes([30, 20, 100, 100])
    content["images"] = [{"id": 1, "file_name": "a_0001.jpg"}]
    (frame,), _ = read(write(tmp_path, content, "a_0001.jpg"))
    assert boxes(frame) == (Box("person", 30.0, 20.0, 40.0, 32.0),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "needs an object with `images`"),
        ("{", "not readable as JSON"),
        ('{"images": [1]}', "`images` must be a list of objects"),
        ('{"images": [], "annotations": [{}]}', "has annotations but no `categories`"),
    ],
)
def test_a_file_that_is_no_coco_file_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "boxes.json").write_text(text)
    with pytest.raises(InvalidInput, match=reason):
        coco_adapter(AdapterRequest(str(tmp_path)))
