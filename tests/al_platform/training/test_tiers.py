"""Hot tiers: copies of frames on the local disk that change no pixel."""

from pathlib import Path

import numpy as np
import pytest

from al_platform.domain.progress import silent
from al_platform.errors import InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore
from al_platform.training.images import FrameImages
from al_platform.training.tiers import HotTiers, TierSpec
from tests.al_platform.models.test_records import put_image
from tests.al_platform.training.linear import GRID

SIZE = (GRID.image_height, GRID.image_width)
NOWHERE = BlobStore("memory://nothing-here")


@pytest.fixture(params=["folder", "azure"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BlobStore(request.getfixturevalue("azure_url") if request.param == "azure" else str(tmp_path / "blobs"))


@pytest.fixture
def archive(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


def put_frames(blobs: BlobStore, count: int) -> dict[str, str]:
    return {f"frm_{level:03d}": put_image(blobs, level) for level in range(count)}


@pytest.mark.parametrize("size", [None, SIZE])
def test_frames_are_the_same_pixels_from_a_tier_as_from_the_archive(
    blobs: BlobStore, tmp_path: Path, size: tuple[int, int] | None
) -> None:
    images, tiers = put_frames(blobs, 12), HotTiers(tmp_path / "hot")
    frame_ids = ["frm_011", "frm_003", "frm_003", "frm_000"]
    cold = FrameImages(images, GRID, tiers=tiers, blobs=blobs).take(frame_ids)
    assert tiers.heat(TierSpec("split=train", size, 12), images, blobs=blobs, report=silent) == {}
    hot = FrameImages(images, GRID, tiers=tiers, blobs=NOWHERE).take(frame_ids)
    np.testing.assert_array_equal(hot, cold)
    np.testing.assert_array_equal(hot[:, 0, 0, 0], [11, 3, 3, 0])


def test_frames_come_from_several_tiers_and_the_archive_together(archive: BlobStore, tmp_path: Path) -> None:
    images, tiers = put_frames(archive, 9), HotTiers(tmp_path / "hot")
    for described, size, rows in (("a", SIZE, range(3)), ("b", SIZE, range(2, 5)), ("c", None, range(4, 7))):
        some = {f"frm_{row:03d}": images[f"frm_{row:03d}"] for row in rows}
        tiers.heat(TierSpec(described, size, len(some)), some, blobs=archive, report=silent)
    found = FrameImages(images, GRID, tiers=tiers, blobs=archive).take(list(images)[::-1])
    np.testing.assert_array_equal(found[:, 0, 0, 0], np.arange(9)[::-1])


def test_a_tier_of_another_size_is_not_read(archive: BlobStore, tmp_path: Path) -> None:
    images, tiers = put_frames(archive, 2), HotTiers(tmp_path / "hot")
    tiers.heat(TierSpec("small", (8, 8), 2), images, blobs=archive, report=silent)
    found = FrameImages(images, GRID, tiers=tiers, blobs=archive).take(list(images))
    assert found.shape == (2, *SIZE, 3)


def test_broken_frames_are_named_and_copied_once_they_are_put_back(archive: BlobStore, tmp_path: Path) -> None:
    images, tiers = put_frames(archive, 5), HotTiers(tmp_path / "hot")
    images |= {"frm_gone": "00" * 20, "frm_broken": archive.put(b"no image").hash}
    spec = TierSpec("split=train", SIZE, len(images))
    unreadable = tiers.heat(spec, images, blobs=archive, report=silent)
    assert set(unreadable) == {"frm_gone", "frm_broken"}
    assert "not in " in unreadable["frm_gone"]
    (tier,) = tiers.all()
    assert (tier.frames, tier.spec.wanted) == (5, 7)
    images["frm_gone"] = put_image(archive, 77)
    assert set(tiers.heat(spec, images, blobs=archive, report=silent)) == {"frm_broken"}
    assert tiers.all()[0].frames == 6
    with pytest.raises(InvalidInput, match=r"frame frm_broken: cannot be read .*leave it out"):
        FrameImages(images, GRID, tiers=tiers, blobs=archive).take(["frm_000", "frm_broken"])
    with pytest.raises(NotFound, match="frame frm_unknown: is not among the 7 frames"):
        FrameImages(images, GRID, tiers=tiers, blobs=archive).take(["frm_unknown"])


def test_a_tier_that_was_cut_off_goes_on_where_it_was(
    archive: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_platform.training.tiers.SHARD_BYTES", 2000)
    images, tiers = put_frames(archive, 10), HotTiers(tmp_path / "hot")
    spec = TierSpec("split=train", SIZE, 10)
    (path,) = (tmp_path / "blobs").rglob(images["frm_007"])
    content = path.read_bytes()
    path.unlink()
    path.mkdir()  # an archive that does not answer
    with pytest.raises(StorageUnavailable):
        tiers.heat(spec, images, blobs=archive, report=silent)
    path.rmdir()
    path.write_bytes(content)
    before = {shard: shard.stat().st_mtime_ns for shard in (tmp_path / "hot").rglob("*.arrayrecord")}
    assert tiers.heat(spec, images, blobs=archive, report=silent) == {}
    assert tiers.all()[0].frames == 10
    assert (
        before.items()
        <= {shard: shard.stat().st_mtime_ns for shard in (tmp_path / "hot").rglob("*.arrayrecord")}.items()
    )
    assert tiers.heat(spec, images, blobs=NOWHERE, report=silent) == {}


def test_a_dropped_tier_is_gone_and_one_that_never_was_is_named(archive: BlobStore, tmp_path: Path) -> None:
    images, tiers = put_frames(archive, 2), HotTiers(tmp_path / "hot")
    spec = TierSpec("split=train", None, 2)
    tiers.heat(spec, images, blobs=archive, report=silent)
    with pytest.raises(NotFound, match=f"tier hot_other: not in .*known are {spec.tier_id}"):
        tiers.drop("hot_other")
    tiers.drop(spec.tier_id)
    assert tiers.all() == []
    assert list((tmp_path / "hot").iterdir()) == []


def test_a_tier_whose_description_was_cut_short_is_named(archive: BlobStore, tmp_path: Path) -> None:
    images, tiers = put_frames(archive, 1), HotTiers(tmp_path / "hot")
    tiers.heat(TierSpec("split=train", None, 1), images, blobs=archive, report=silent)
    (path,) = (tmp_path / "hot").rglob("tier.json")
    path.write_text("{")
    with pytest.raises(StorageUnavailable, match=r"tier .*/tier.json: .*delete .* and make it again"):
        tiers.all()
