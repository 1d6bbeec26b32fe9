"""Ingest: what is broken is named, what came before is not taken twice, and again changes nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.catalog.connection import Catalog
from al_platform.datasets.base import SourceFrame, SourceLabel
from al_platform.datasets.images import encode_mask
from al_platform.datasets.ingest import ingest
from al_platform.domain.ids import frame_id_of
from al_platform.domain.ingest import BrokenSource, IngestReport
from al_platform.domain.labels import Box
from al_platform.domain.progress import Progress, silent
from al_platform.platform.data import ingest_dataset
from al_platform.platform.home import Platform, open_platform
from al_platform.settings import Settings

SIZE = (40, 32)


@dataclass(frozen=True)
class Frames:
    """Frames from memory."""

    items: tuple[SourceFrame | BrokenSource, ...]

    def count(self) -> int:
        return len(self.items)

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        yield from self.items


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(Settings(tmp_path / "home", str(tmp_path / "home" / "blobs"))) as platform:
        yield platform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures of one drive with masks, and what the masks mean."""
    source = tmp_path / "source"
    for name in ("images", "masks"):
        (source / name).mkdir(parents=True)
    for number in range(4):
        picture(source / "images" / f"a_{number}.png", 40 * number)
        mask(source / "masks" / f"a_{number}.png", SIZE)
    (source / "classes.json").write_text(json.dumps({"values": {"0": "background", "1": "person"}}))
    return source


def picture(path: Path, grey: int) -> bytes:
    Image.new("RGB", SIZE, (grey, grey, grey)).save(path)
    return path.read_bytes()


def mask(path: Path, size: tuple[int, int]) -> None:
    path.write_bytes(encode_mask(np.ones(size[::-1], np.uint8)))


def bring(platform: Platform, folder: Path, **options: str) -> IngestReport:
    return ingest_dataset(platform, "masks", str(folder), options)


def rows(platform: Platform, sql: str) -> list[tuple[object, ...]]:
    with platform.catalog.transaction() as tx:
        return tx.execute(sql).fetchall()


def test_frames_come_in_with_their_pixels_and_their_labels_under_the_seal(empty: Platform, folder: Path) -> None:
    report = bring(empty, folder, dataset="street")
    assert report == IngestReport(read=4, added=4, labels=4)
    found = rows(empty, "SELECT frame_id, image_hash, width, height, session_id FROM frames ORDER BY frame_number")
    for number, (frame_id, image_hash, *rest) in enumerate(found):
        assert frame_id == frame_id_of(str(image_hash))
        assert empty.blobs.get(str(image_hash)) == (folder / "images" / f"a_{number}.png").read_bytes()
        assert rest == [*SIZE, "street/a"]
    answers = empty.sealed.open(str(frame_id) for frame_id, *_ in found)
    assert len(answers) == 4
    for answer in answers.values():
        assert answer.mask is not None
        assert answer.source == "offline:street"
        assert empty.sealed.blobs.has(answer.mask.hash)
        assert not empty.blobs.has(answer.mask.hash)
    assert rows(empty, "SELECT count(*) FROM annotations") == [(0,)]


def test_the_same_ingest_again_changes_nothing(empty: Platform, folder: Path) -> None:
    bring(empty, folder)
    known, files = rows(empty, "SELECT * FROM frames ORDER BY ALL"), everything(empty)
    assert bring(empty, folder) == IngestReport(read=4, added=0, labels=0)
    assert rows(empty, "SELECT * FROM frames ORDER BY ALL") == known
    assert everything(empty) == files


def test_a_picture_that_does_not_decode_is_named_and_the_others_come_in(empty: Platform, folder: Path) -> None:
    whole = (folder / "images" / "a_1.png").read_bytes()
    (folder / "images" / "a_1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "images" / "a_2.png").write_bytes(b"not a picture")
    report = bring(empty, folder)
    assert (report.read, report.added, report.labels) == (4, 2, 2)
    assert [Path(broken.origin).name for broken in report.broken] == ["a_1.png", "a_2.png"]
    assert all(broken.reason for broken in report.broken)


def test_a_mask_of_another_size_is_named_and_its_frame_left_out(empty: Platform, folder: Path) -> None:
    mask(folder / "masks" / "a_3.png", (20, 16))
    report = bring(empty, folder)
    assert (report.added, report.labels) == (3, 3)
    (broken,) = report.broken
    assert broken == BrokenSource(str(folder / "masks" / "a_3.png"), "mask of 20 x 16 pixels for an image of 40 x 32")


def test_a_picture_that_is_repaired_comes_in_the_next_time(empty: Platform, folder: Path) -> None:
    whole = (folder / "images" / "a_0.png").read_bytes()
    (folder / "images" / "a_0.png").write_bytes(whole[:50])
    assert bring(empty, folder).added == 3
    (folder / "images" / "a_0.png").write_bytes(whole)
    assert bring(empty, folder) == IngestReport(read=4, added=1, labels=4)


def test_the_same_picture_twice_in_one_source_is_one_frame_and_the_first_one_counts(
    empty: Platform, folder: Path
) -> None:
    (folder / "images" / "b_0.png").write_bytes((folder / "images" / "a_0.png").read_bytes())
    report = bring(empty, folder)
    assert (report.read, report.added) == (5, 4)
    assert report.duplicates == (str(folder / "images" / "b_0.png"),)
    assert rows(empty, "SELECT DISTINCT session_id FROM frames") == [("source/a",)]


def test_the_same_picture_in_another_source_stays_the_frame_it_was(
    empty: Platform, folder: Path, tmp_path: Path
) -> None:
    bring(empty, folder, dataset="first")
    other = tmp_path / "other" / "images"
    other.mkdir(parents=True)
    (other / "b_0.png").write_bytes((folder / "images" / "a_0.png").read_bytes())
    picture(other / "b_1.png", 250)
    report = bring(empty, other.parent, dataset="second")
    assert (report.read, report.added, report.duplicates) == (2, 1, ())
    counted = rows(empty, "SELECT dataset, count(*) FROM frames GROUP BY dataset ORDER BY dataset")
    assert counted == [("first", 4), ("second", 1)]


def test_a_label_that_says_two_things_is_named_and_its_frame_left_out(empty: Platform, folder: Path) -> None:
    box = Box("person", 0.0, 0.0, 8.0, 8.0)
    both = SourceLabel(("person",), encode_mask(np.ones(SIZE[::-1], np.uint8)), {1: "person"}, boxes=(box,))
    good = SourceFrame("street", "a", 0, (folder / "images" / "a_0.png").read_bytes(), origin="good")
    bad = replace(good, image=(folder / "images" / "a_1.png").read_bytes(), label=both, origin="bad")
    report = take(empty, Frames((bad, good)))
    assert report.added == 1
    assert [(broken.origin, "give one of the two" in broken.reason) for broken in report.broken] == [("bad", True)]


def test_progress_counts_every_item_that_was_read(empty: Platform) -> None:
    heard: list[Progress] = []
    broken = tuple(BrokenSource(f"file {number}", "cannot be read") for number in range(300))
    report = ingest(Frames(broken), catalog=empty.catalog, blobs=empty.blobs, sealed=empty.sealed, report=heard.append)
    assert report.broken == broken
    assert heard == [Progress("ingest", 256, 300), Progress("ingest", 300, 300)]


def test_an_ingest_that_stops_midway_keeps_what_it_committed_and_goes_on(empty: Platform, tmp_path: Path) -> None:
    frames = tuple(
        SourceFrame("street", "a", number, picture(tmp_path / "one.png", number % 256) + bytes([number // 256]))
        for number in range(300)
    )

    @dataclass(frozen=True)
    class Cut(Frames):
        def read(self) -> Iterator[SourceFrame | BrokenSource]:
            yield from self.items[:280]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(empty, Cut(frames))
    assert rows(empty, "SELECT count(*) FROM frames") == [(256,)]
    assert take(empty, Frames(frames)).added == 300 - 256


def take(platform: Platform, source: Frames) -> IngestReport:
    catalog: Catalog = platform.catalog
    return ingest(source, catalog=catalog, blobs=platform.blobs, sealed=platform.sealed, report=silent)


def everything(platform: Platform) -> dict[str, bytes]:
    """Every file of blobs and seal."""
    home = platform.settings.home
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("blobs", "sealed")
        for path in (home / folder).rglob("*")
        if path.is_file()
    }
