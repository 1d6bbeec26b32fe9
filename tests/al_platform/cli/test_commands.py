"""The commands over a small home: what they print, and that the same command goes on."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from al_platform.datasets.adapters import ADAPTERS
from tests.al_platform.catalog.bulk_rows import columns
from tests.al_platform.cli.conftest import Alp
from tests.fleet import COMMAND, TEST, contents_of_home

pytestmark = pytest.mark.story


def test_ingest_counts_what_came_in_and_again_adds_nothing(alp: Alp, tmp_path: Path) -> None:
    command = ("--home", str(tmp_path), "ingest", "synthetic", "-o", "frames=4", "-o", "sessions=2")
    assert alp(*command).out == "4 read, 4 new frames, 4 labels sealed, 0 duplicates, 0 broken\n"
    assert alp(*command).out == "4 read, 0 new frames, 0 labels sealed, 0 duplicates, 0 broken\n"
    assert re.search(r"synthetic\W+4\W+2\W", alp("--home", str(tmp_path), "frames").out)


def test_ingest_names_what_is_broken_and_what_came_twice(alp: Alp, tmp_path: Path, home: Path) -> None:
    images = tmp_path / "source" / "images"
    images.mkdir(parents=True)
    picture = a_picture(home)
    (images / "a_0.jpg").write_bytes(picture)
    (images / "a_1.jpg").write_bytes(picture)
    (images / "a_2.jpg").write_bytes(picture[:100])
    said = alp("--home", str(tmp_path / "other"), "ingest", "masks", str(images.parent))
    assert said.code == 0
    assert said.out.startswith("3 read, 1 new frames, 0 labels sealed, 1 duplicates, 1 broken\n")
    assert f"broken: {images}/a_2.jpg: " in said.out
    assert f"duplicate: {images}/a_1.jpg: the same picture came before; the first one counts" in said.out


def test_a_round_is_run_listed_shown_and_traced(alp: Alp, home: Path) -> None:
    at_home = ("--home", str(home))
    command = (*at_home, "round", "run", *COMMAND, "--test", TEST, "--budget", "5")
    command = (*command, "--strategy", "mi:cap=2:control=0.25")
    ran = alp(*command)
    assert ran.code == 0
    (round_,) = contents_of_home(home)["rounds"]
    assert ran.out.startswith(f"{round_['round_id']} appended  train ")
    assert f"average precision of {round_['ensemble_id']}: person" in ran.out
    assert alp(*command).out == ran.out
    assert len(contents_of_home(home)["rounds"]) == 1
    listed = alp(*at_home, "round", "list").out
    assert all(word in listed for word in (round_["round_id"], "appended", "mi", round_["dataset_version_id"]))
    shown = alp(*at_home, "round", "show", round_["round_id"]).out
    assert all(row["item_id"] in shown for row in contents_of_home(home)["tasks"])
    assert re.search(r"\W3\W+frm_\w+\W+control\W+\n", shown)
    tree = alp(*at_home, "lineage", round_["dataset_version_id"]).out
    assert all(word in tree for word in (round_["ensemble_id"], "grown from", "asked by", "pixels", "and 56 more"))
    assert alp(*at_home, "catalog", "check").code == 0
    nodes = json.loads(alp(*at_home, "lineage", round_["dataset_version_id"], "--json").out)
    assert {node["kind"] for node in nodes} >= {"dataset version", "ensemble", "frame", "blob"}


def test_a_budget_beyond_the_pool_is_no_error(alp: Alp, home: Path) -> None:
    said = alp("--home", str(home), "round", "run", *COMMAND, "--budget", "1000", "--strategy", "random")
    assert said.code == 0
    assert len(contents_of_home(home)["tasks"]) == 60 - 12
    assert "picked 48 of 1000 frames: pool and limits allow no more" in said.out


def test_a_loop_shows_every_round_and_then_the_ensemble_that_learned_everything(alp: Alp, home: Path) -> None:
    said = alp("--home", str(home), "loop", "run", *COMMAND, "--test", TEST, "--rounds", "2", "--budget", "4")
    assert said.code == 0
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith("rnd_")] == ["appended"] * 3
    assert len(re.findall("average precision of ens_", said.out)) == 3
    assert len(set(re.findall(r"ens_\w+", said.out))) == 3


def test_an_experiment_prints_its_curves_and_its_report_can_be_had_again(alp: Alp, home: Path) -> None:
    command = ("ab", *COMMAND, "--test", TEST, "--strategies", "mi,random:cap=2", "--seeds", "1", "--rounds", "1")
    said = alp("--home", str(home), *command, "--budget", "4")
    assert said.code == 0
    assert "AP of person" in said.out
    assert "random cap 2" in said.out
    (path,) = re.findall(r"report: (.*)", said.out)
    assert Path(path).is_file()
    (experiment,) = contents_of_home(home)["experiments"]
    assert experiment["experiment_id"] in alp("--home", str(home), "experiments").out
    assert alp("--home", str(home), "report", experiment["experiment_id"]).out == f"report: {path}\n"


def test_brackets_in_names_are_printed_as_they_are(alp: Alp, home: Path, tmp_path: Path) -> None:
    images, other = tmp_path / "x[" / "red]" / "images", ("--home", str(tmp_path / "other"))
    images.mkdir(parents=True)
    (images / "a_0.jpg").write_bytes(a_picture(home))
    alp(*other, "ingest", "masks", str(images.parent), "-o", "dataset=[blue]")
    (frame,) = contents_of_home(tmp_path / "other")["frames"]
    assert f"from {images}/a_0.jpg" in alp(*other, "lineage", frame["frame_id"]).out.replace("\n", "")
    assert "[blue]" in alp(*other, "frames").out


def a_picture(home: Path) -> bytes:
    """The bytes of some frame."""
    blob_hash = contents_of_home(home)["frames"][0]["image_hash"]
    return (home / "blobs" / blob_hash[:2] / blob_hash).read_bytes()


def test_dataset_versions_are_listed_shown_and_compared(alp: Alp, home: Path) -> None:
    at_home = ("--home", str(home))
    assert alp(*at_home, "round", "run", *COMMAND, "--budget", "5", "--strategy", "random").code == 0
    versions = contents_of_home(home)["dataset_versions"]
    start, grown = sorted(versions, key=lambda version: version["parent_id"] is not None)
    listed = alp(*at_home, "dataset", "list").out
    assert all(version["version_id"] in listed for version in versions)
    shown = alp(*at_home, "dataset", "show", grown["version_id"], "--rows", "3").out
    assert f"17 labelled frames, 5 more than {start['version_id']}" in shown
    assert "... and 14 more (--rows shows them)" in shown
    compared = alp(*at_home, "dataset", "diff", start["version_id"], grown["version_id"]).out
    assert compared.startswith("5 added, 0 removed, 0 relabelled\n")
    unknown = alp(*at_home, "dataset", "show", "dsv_x")
    assert (unknown.code, "`alp dataset list`" in unknown.err) == (2, True)


def test_a_catalog_is_checked_copied_and_put_back(alp: Alp, home: Path, tmp_path: Path) -> None:
    at_home, backup = ("--home", str(home)), tmp_path / "backup.duckdb"
    assert alp(*at_home, "catalog", "check").out == "no fault\n"
    assert alp(*at_home, "catalog", "backup", str(backup)).code == 0
    frame = contents_of_home(home)["frames"][0]
    (home / "blobs" / frame["image_hash"][:2] / frame["image_hash"]).unlink()
    said = alp(*at_home, "catalog", "check")
    assert said.code == 1
    assert said.out.startswith(f"fault: frame {frame['frame_id']}: blob {frame['image_hash']}: not in ")
    assert said.out.count("\n") == 1
    assert alp(*at_home, "catalog", "restore", str(backup)).out.startswith(f"restored from {backup}; ")
    assert contents_of_home(home)["frames"][0] == frame


def test_frames_come_in_as_parquet(alp: Alp, tmp_path: Path) -> None:
    pq.write_table(columns(3), tmp_path / "frames.parquet")
    command = ("--home", str(tmp_path / "home"), "catalog", "add")
    assert alp(*command, str(tmp_path / "frames.parquet")).out == "3 new frames\n"
    pq.write_table(columns(3, speed=[1, 2, 3]), tmp_path / "odd.parquet")
    refused = alp(*command, str(tmp_path / "odd.parquet"))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("alp: column 'speed': not a column of frames; known are frame_id")


def test_the_help_of_ingest_names_the_options_of_every_adapter(alp: Alp) -> None:
    said = " ".join(alp("ingest", "--help").out.replace("│", " ").split())
    for name, adapter in ADAPTERS.items():
        assert f"{name} takes {', '.join(adapter.options)}" in said
