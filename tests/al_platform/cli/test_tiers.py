"""`alp tier`: hot, list, drop, over local and over Azure storage."""

from pathlib import Path

import pytest

from tests.al_platform.cli.conftest import Alp
from tests.fleet import contents_of_home

pytestmark = pytest.mark.story


def test_a_tier_is_made_listed_and_dropped(alp: Alp, home: Path) -> None:
    at_home = ("--home", str(home))
    command = (*at_home, "tier", "hot", "--filter", "split=test", "--image", "96x64")
    made = alp(*command)
    tier_id = made.out.split(":")[0]
    assert (made.code, made.out) == (0, f"{tier_id}: 20 of 20 frames, 0.5 MB, 0 broken\n")
    assert alp(*command).out == made.out
    listed = alp(*at_home, "tier", "list").out
    assert all(word in listed for word in (tier_id, "split=test", "96x64", "20"))
    assert alp(*at_home, "tier", "drop", tier_id).out == f"{tier_id} dropped\n"
    assert tier_id not in alp(*at_home, "tier", "list").out
    again = alp(*at_home, "tier", "drop", tier_id)
    assert again.code == 2
    assert again.err.startswith(f"alp: tier {tier_id}: not in ")


def test_broken_frames_are_named(alp: Alp, home: Path) -> None:
    held = contents_of_home(home)
    test_sets = {row["tag_set"] for row in held["tag_sets"] if '"test"' in row["tags"]}
    frame = next(row for row in held["frames"] if row["tag_set"] in test_sets)
    (home / "blobs" / frame["image_hash"][:2] / frame["image_hash"]).write_bytes(b"")
    said = alp("--home", str(home), "tier", "hot", "--filter", "split=test")
    assert "19 of 20 frames" in said.out
    assert f"broken: {frame['frame_id']}: blob {frame['image_hash']} in " in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a tier holds the frames of a filter or of a dataset version: give one of them"),
        (("--filter", "split=test", "--dataset", "dsv_1"), "give one of them, not both"),
        (("--filter", "split=nowhere"), "split=nowhere: no frame matches"),
        (("--dataset", "dsv_1"), "dataset version dsv_1: not in the catalog"),
        (("--filter", "split=test", "--image", "0x64"), "image '0x64': write WIDTHxHEIGHT, for example 320x224"),
    ],
)
def test_what_cannot_be_is_named_with_the_cure(alp: Alp, home: Path, arguments: tuple[str, ...], message: str) -> None:
    said = alp("--home", str(home), "tier", "hot", *arguments)
    assert said.code == 2
    assert message in said.err


@pytest.mark.parametrize("curriculum", ["split=test", "x:split=test", "nan:", "-1:", "0:"])
def test_a_curriculum_that_cannot_be_is_named(alp: Alp, home: Path, curriculum: str) -> None:
    pool = ("--pool", "split=pool", "--targets", "person")
    said = alp("--home", str(home), "round", "run", *pool, f"--curriculum={curriculum}")
    assert said.code == 2
    assert said.err.startswith("alp: curriculum ") or said.err.startswith("alp: curriculum:")


def test_a_home_on_azure_storage_ingests_and_makes_a_tier(
    alp: Alp, tmp_path: Path, azure_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALP_STORAGE", azure_url)
    at_home = ("--home", str(tmp_path))
    assert "4 read, 4 new frames" in alp(*at_home, "ingest", "synthetic", "-o", "frames=4", "-o", "sessions=2").out
    said = alp(*at_home, "tier", "hot", "--filter", "dataset=synthetic")
    assert "4 of 4 frames" in said.out
    assert not (tmp_path / "blobs").exists()
