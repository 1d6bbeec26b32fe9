"""Folders of images and masks, with all that people leave in them."""

import io
import json
import re
import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.datasets.base import AdapterRequest, SourceFrame
from al_platform.datasets.images import decode_mask, encode_mask
from al_platform.datasets.masks import masks_adapter
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

CLASSES = {
    "values": {"0": "background", "1": "person", "2": "car"},
    "ignore": [255],
    "classes": ["person", "car"],
}


def jpeg(size: tuple[int, int] = (40, 32), grey: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(buffer, format="JPEG")
    return buffer.getvalue()


def mask(value: int = 1, size: tuple[int, int] = (40, 32)) -> bytes:
    mask_HW = np.zeros(size[::-1], np.uint8)
    mask_HW[4:12, 4:12] = value
    return encode_mask(mask_HW)


def folder_with(folder: Path, manifest: str | None, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    if manifest is not None:
        (folder / "manifest.csv").write_text(manifest, encoding="utf-8")
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    return folder


def read(folder: Path, **options: str) -> tuple[list[SourceFrame], list[BrokenSource]]:
    adapter = masks_adapter(AdapterRequest(str(folder), options))
    items = list(adapter.read())
    assert adapter.count() == len(items)
    frames = [item for item in items if isinstance(item, SourceFrame)]
    return frames, [item for item in items if isinstance(item, BrokenSource)]


def test_columns_become_what_they_are_called_for_and_all_others_become_tags(tmp_path: Path) -> None:
    manifest = (
        "image,mask,session_id,frame_number,timestamp_s,split,rain_mm,driver,note,width,height\n"
        "a.jpg,a.png,drive 1,12,3.5,train,0.25,Kim,,40,32\n"
    )
    (frame,), broken = read(folder_with(tmp_path, manifest, {"a.jpg": jpeg(), "a.png": mask()}))
    assert not broken
    assert (frame.session_id, frame.frame_number, frame.timestamp_s) == ("drive 1", 12, 3.5)
    assert frame.tags == {"split": "train", "rain_mm": 0.25, "driver": "Kim"}
    assert frame.label is not None
    assert frame.label.classes == ("person", "car")
    assert frame.image == jpeg()
    assert frame.label.mask == mask()


def test_columns_computed_from_labels_never_become_tags(tmp_path: Path) -> None:
    manifest = "image,frac_person,frac_new_class\na.jpg,0.25,0.5\n"
    (frame,), _ = read(folder_with(tmp_path, manifest, {"a.jpg": jpeg()}))
    assert frame.tags == {}


def test_text_that_only_python_takes_for_a_number_stays_text(tmp_path: Path) -> None:
    manifest = "image,a,b,c,d\na.jpg,nan,1_000,inf,1e3\n"
    (frame,), _ = read(folder_with(tmp_path, manifest, {"a.jpg": jpeg()}))
    assert frame.tags == {"a": "nan", "b": "1_000", "c": "inf", "d": 1000.0}


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ({"a.png": mask()}, "a.jpg", "cannot be read: No such file"),
        ({"a.jpg": jpeg()}, "a.png", "cannot be read: No such file"),
        ({"a.jpg": jpeg()[:40], "a.png": mask()}, "a.jpg", "header|no JPEG"),
        ({"a.jpg": b"", "a.png": mask()}, "a.jpg", "0 bytes that are no JPEG or PNG"),
        ({"a.jpg": b"GIF89a....", "a.png": mask()}, "a.jpg", "save frames as JPEG or PNG"),
        ({"a.jpg": jpeg(), "a.png": mask()[:60]}, "a.png", "mask pixels cannot be decoded|header"),
        ({"a.jpg": jpeg(), "a.png": jpeg()}, "a.png", "save masks as 8-bit PNG"),
        (
            {"a.jpg": jpeg(), "a.png": mask(size=(20, 16))},
            "a.png",
            "mask of 20 x 16 pixels for an image of 40 x 32",
        ),
        ({"a.jpg": jpeg(), "a.png": mask(7)}, "a.png", "mask value 7: the known values are 0, 1, 2, 255"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason_and_the_others_are_kept(
    tmp_path: Path, files: dict[str, bytes], name: str, reason: str
) -> None:
    manifest = "image,mask\na.jpg,a.png\nb.jpg,b.png\n"
    good = {"b.jpg": jpeg(), "b.png": mask()}
    frames, broken = read(folder_with(tmp_path, manifest, {**files, **good}))
    assert [Path(frame.origin).name for frame in frames] == ["b.jpg"]
    assert [Path(item.origin).name for item in broken] == [name]
    assert re.search(reason, broken[0].reason)


def test_a_mask_in_colour_is_refused_with_the_cure(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 32)).save(buffer, format="PNG")
    files = {"a.jpg": jpeg(), "a.png": buffer.getvalue()}
    _, broken = read(folder_with(tmp_path, "image,mask\na.jpg,a.png\n", files))
    assert "mode RGB: save masks as single-channel 8-bit PNG" in broken[0].reason


def test_palette_masks_hold_their_indices(tmp_path: Path) -> None:
    picture = Image.new("P", (40, 32), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    files = {"a.jpg": jpeg(), "a.png": buffer.getvalue()}
    (frame,), _ = read(folder_with(tmp_path, "image,mask\na.jpg,a.png\n", files))
    assert frame.label is not None
    assert frame.label.mask is not None
    assert set(np.unique(decode_mask(frame.label.mask)).tolist()) == {1}


@pytest.mark.parametrize("column", ["frame_number", "timestamp_s"])
@pytest.mark.parametrize("cell", ["soon", "nan", "1_0", "9" * 400])
def test_a_number_that_is_none_breaks_its_row_only(tmp_path: Path, column: str, cell: str) -> None:
    manifest = f"image,{column}\na.jpg,{cell}\nb.jpg,3\n"
    frames, broken = read(folder_with(tmp_path, manifest, {"a.jpg": jpeg(), "b.jpg": jpeg()}))
    assert len(frames) == 1
    assert broken[0].origin.endswith("manifest.csv:2")
    assert f"a.jpg: {column} '{cell}': must be a" in broken[0].reason


def test_a_row_listed_again_and_a_row_of_another_length_are_broken(tmp_path: Path) -> None:
    manifest = "image,note\na.jpg,x\na.jpg,y\nb.jpg\n,z\n\n"
    frames, broken = read(folder_with(tmp_path, manifest, {"a.jpg": jpeg()}))
    assert len(frames) == 1
    assert [item.reason for item in broken] == [
        "a.jpg was already listed in line 2",
        "1 columns, the first line names 2",
        "the column image is empty",
    ]


def test_a_csv_without_a_column_image_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "picture;mask\na.jpg;a.png\n", {})
    with pytest.raises(InvalidInput, match=r"needs a column `image`, comma-separated; .* holds picture;mask"):
        masks_adapter(AdapterRequest(str(folder)))


def test_a_csv_of_a_spreadsheet_is_read_with_its_mark_and_its_backslashes(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, None, {"day/a.jpg": jpeg()})
    (folder / "list.csv").write_bytes("\ufeffimage,frame_number\r\nday\\a.jpg,7.0\r\n".encode())
    (frame,), broken = read(folder)
    assert not broken
    assert (frame.session_id, frame.frame_number) == ("day", 7)


def test_two_csv_files_need_a_choice(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, None, {"a.jpg": jpeg()})
    for name in ("one.csv", "two.csv"):
        (folder / name).write_text("image\na.jpg\n")
    with pytest.raises(InvalidInput, match=r"holds one\.csv, two\.csv; choose one with --option manifest=NAME"):
        masks_adapter(AdapterRequest(str(folder)))
    assert len(read(folder, manifest="two.csv")[0]) == 1


def test_masks_whose_values_mean_nothing_are_refused_with_an_example(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "image,mask\na.jpg,a.png\n", {"a.jpg": jpeg(), "a.png": mask()})
    (folder / "classes.json").unlink()
    with pytest.raises(InvalidInput, match=r"write what their values mean to .*classes.json: \{\"values\""):
        masks_adapter(AdapterRequest(str(folder)))
    assert len(read(folder, dataset="camvid")[0]) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not json", "not readable as JSON"),
        ('{"values": ["person"]}', "needs an object `values`"),
        ('{"values": {"256": "person"}}', "mask value '256' must be a whole number from 0 to 255"),
        ('{"values": {"1": "person"}, "classes": ["car"]}', "class car has no mask value"),
        ('{"values": {"1": "person"}, "ignore": 255}', "`ignore` must be a list"),
    ],
)
def test_a_class_table_that_is_wrong_is_refused_with_the_cure(tmp_path: Path, content: str, reason: str) -> None:
    folder = folder_with(tmp_path, "image,mask\na.jpg,a.png\n", {"a.jpg": jpeg(), "a.png": mask()})
    (folder / "classes.json").write_text(content)
    with pytest.raises(InvalidInput, match=reason):
        masks_adapter(AdapterRequest(str(folder)))


def test_one_dataset_of_a_manifest_is_chosen_by_name_or_refused_with_those_there_are(tmp_path: Path) -> None:
    manifest = "dataset,image\nnorth,a.jpg\nsouth,b.jpg\n"
    folder = folder_with(tmp_path, manifest, {"a.jpg": jpeg(), "b.jpg": jpeg()})
    assert [frame.dataset for frame in read(folder, dataset="south")[0]] == ["south"]
    with pytest.raises(InvalidInput, match=r"dataset east: .* holds north, south"):
        masks_adapter(AdapterRequest(str(folder), {"dataset": "east"}))


def test_without_a_csv_names_match_and_sessions_come_from_folders_or_prefixes(tmp_path: Path) -> None:
    files = {
        "images/north/007.jpg": jpeg(),
        "masks/north/007.png": mask(),
        "images/drive_b_12.png": _png(),
        "images/plain.jpeg": jpeg(),
        "masks/lonely.png": mask(),
    }
    frames, broken = read(folder_with(tmp_path, None, files), dataset="town")
    found = {Path(f.origin).stem: (f.session_id, f.frame_number, f.label is not None) for f in frames}
    assert found["007"] == ("north", 7, True)
    assert found["drive_b_12"] == ("drive_b", 12, False)
    assert found["plain"][0] == "town"
    assert [(Path(item.origin).name, item.reason) for item in broken] == [("lonely.png", "mask without an image")]


def test_a_folder_with_nothing_to_read_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"needs a CSV manifest with a column `image`, or folders images/"):
        masks_adapter(AdapterRequest(str(tmp_path)))
    with pytest.raises(InvalidInput, match="nothing is there"):
        masks_adapter(AdapterRequest(str(tmp_path / "nowhere")))
    with pytest.raises(InvalidInput, match="no path"):
        masks_adapter(AdapterRequest())


def test_a_picture_that_claims_to_be_enormous_is_broken(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    files = {"a.png": b"\x89PNG\r\n\x1a\n" + chunk, "b.jpg": jpeg()}
    frames, broken = read(folder_with(tmp_path, "image\na.png\nb.jpg\n", files))
    assert len(frames) == len(broken) == 1


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 32), (9, 90, 200)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.real_data
def test_camvid_has_701_labelled_frames_of_four_drives(real_data: Path) -> None:
    frames, broken = read(real_data / "perception_seg", dataset="camvid")
    assert not broken
    assert len(frames) == 701
    assert all(frame.label is not None for frame in frames)
    assert len({frame.session_id for frame in frames}) == 4
    assert Counter(frame.tags["time_of_day"] for frame in frames)["dusk"] == 124


@pytest.mark.real_data
def test_idd_lite_has_1403_and_204_labelled_and_404_unlabelled_frames(real_data: Path) -> None:
    frames, broken = read(real_data / "perception_seg", dataset="idd_lite")
    assert not broken
    labelled = Counter((frame.tags["split"], frame.label is not None) for frame in frames)
    assert labelled == {("train", True): 1403, ("val", True): 204, ("test", False): 404}
    assert not any(name.startswith("frac_") for frame in frames for name in frame.tags)
