"""Whatever is wrong with a command: one line that says what and how to mend it, and nothing is changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from al_platform.platform.home import open_platform
from tests.al_platform.cli.conftest import Alp, Said
from tests.fleet import COMMAND, POOL, TEST, contents_of_home, settings_of

pytestmark = pytest.mark.story
ROUND, LOOP = ("round", "run", *COMMAND), ("loop", "run", *COMMAND)
AB = ("ab", *COMMAND, "--test", TEST)


@pytest.fixture(scope="module")
def untouched(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all commands of this module that must not change it."""
    return Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("untouched") / "home"))


def assert_one_line(said: Said, message: str) -> None:
    assert said.code == 2
    assert said.err.startswith("alp: ")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert "Traceback" not in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            (*ROUND, "--pool", "split=nowhere"),
            "pool 'split=nowhere': no frame matches; `alp frames` shows what there is",
        ),
        ((*LOOP, "--pool", "split=nowhere"), "pool 'split=nowhere': no frame matches"),
        ((*ROUND, "--test", "split=nowhere"), "test set 'split=nowhere': no frame matches"),
        ((*ROUND, "--pool", "split"), "filter term 'split': write NAME=VALUE, NAME=A|B, NAME!=VALUE or NAME>=NUMBER"),
        ((*ROUND, "--pool", "split=pool; DROP TABLE frames"), "no frame matches"),
        ((*ROUND, "--pool", "speed=3"), "filter name 'speed': no frame carries it; known are frame_id, dataset, "),
        (("frames", "--filter", "brightness>=dark"), "filter term 'brightness>=dark': needs a number, not 'dark'"),
        ((*ROUND, "--pool", "dataset=synthetic", "--test", TEST), "pool and test set share 4 sessions, for example "),
        ((*ROUND, "--budget", "0"), "budget 0: must be at least 1 frame"),
        ((*LOOP, "--object-budget", "0"), "object budget 0: must be at least 1 positive cell"),
        ((*LOOP, "--rounds", "0"), "rounds 0: must be at least 1"),
        ((*ROUND, "--start", "61"), "start 61: must be at least 1 and at most the pool's 60 frames"),
        ((*ROUND, "--start", "0"), "start 0: must be at least 1 and at most the pool's 60 frames"),
        ((*ROUND, "--scorers", "0"), "scorers 0: must be at least 1 process"),
        ((*ROUND, "--dataset", "dsv_none"), "dataset version dsv_none: not in the catalog"),
        ((*ROUND, "--seed", "-1"), "seed -1: must be at least 0 and below 2147483648"),
        ((*ROUND, "--targets", ",", "--classes", ""), "no classes: name at least one"),
        ((*ROUND, "--targets", ","), "no target classes: name at least one"),
        ((*ROUND, "--targets", "tram"), "target tram: not a class of the model (person, bicycle, car)"),
        ((*ROUND, "--targets", "car,car"), "targets car, car: each may be named once"),
        ((*ROUND, "--strategy", "best"), "strategy 'best': known are mixdist, epidist, mi, "),
        ((*ROUND, "--strategy", "mi:cap=2.5"), "strategy 'mi:cap=2.5': cap takes a whole number, gap takes seconds"),
        ((*ROUND, "--strategy", "mi:cap=0"), "session_cap 0: must be at least 1, or left out for no cap"),
        ((*ROUND, "--strategy", "mi:speed=2"), "strategy 'mi:speed=2': unknown limit speed; known are cap, gap, "),
        ((*ROUND, "--family", "best"), "model family best: known are prefix-heads, unet"),
        ((*ROUND, "--members", "0"), "members 0: must be at least 1"),
        ((*ROUND, "--set", "steps=30"), "steps 30: must be a multiple of evaluate_every 25"),
        ((*ROUND, "--set", "steps=many"), "setting steps=many: must be a number"),
        ((*ROUND, "--set", "learning_rate=nan"), "learning_rate nan: must be a number greater than 0"),
        ((*ROUND, "--set", "hidden=0"), "hidden 0: must be at least 1"),
        (
            (*ROUND, "--set", "depth=3"),
            "setting depth: known are batch_frames, doubt, evaluate_every, hidden, ",
        ),
        ((*ROUND, "--set", "depth"), "option 'depth': write KEY=VALUE"),
        ((*ROUND, "--image", "320"), "image '320': write WIDTHxHEIGHT/CELL, for example 320x224/16"),
        ((*ROUND, "--image", "192x128/7"), "cell 7: must divide the image 192x128"),
        ((*ROUND, "--image", "192x128/8"), "prefix-heads needs cell 16 and width and height in multiples of 32"),
        ((*ROUND, "--image", "176x128/16"), "prefix-heads needs cell 16 and width and height in multiples of 32"),
        (("round", "show", "rnd_none"), "round rnd_none: not in the catalog; `alp round list` shows what there is"),
        (("lineage", "frm_none"), "id frm_none: nothing in the catalog carries it"),
        (("lineage", "none"), "id none: nothing in the catalog carries it"),
        (("report", "exp_none"), "experiment exp_none: not in the catalog; `alp experiments` shows what there is"),
        (("ingest", "kitti"), "adapter kitti: known are masks, coco, synthetic"),
        (("ingest", "synthetic", "-o", "frames"), "option 'frames': write KEY=VALUE"),
        (("ingest", "synthetic", "-o", "colour=blue"), "option colour: the synthetic adapter accepts frames, sessions"),
        (("ingest", "masks", "nowhere"), "path nowhere: nothing is there"),
        (("ingest", "coco"), "no path: the coco adapter reads files"),
        ((*AB, "--strategies", ""), "no strategies: name at least one"),
        ((*AB, "--strategies", "mi,mi"), "strategy mi: is named twice; more of the same arm is --seeds"),
        ((*AB, "--thin", "car"), "thin 'car': write CLASS=N, for example living=10"),
        ((*AB, "--thin", "car=²"), "thin 'car=²': write CLASS=N, for example living=10"),
        ((*AB, "--thin", "car=1"), "thinning 1 in 1: must be at least 2"),
        ((*AB, "--seeds", "0"), "seeds 0: must be at least 1"),
        (
            (*AB, "--test", "dataset=synthetic"),
            "share 12 sessions, for example synthetic/synthetic_22_",
        ),
    ],
    ids=lambda value: " ".join(value).replace(" ".join(COMMAND), "...") if isinstance(value, tuple) else "",
)
def test_a_command_that_cannot_be_says_why_in_one_line_and_changes_nothing(
    alp: Alp, untouched: Path, command: tuple[str, ...], message: str
) -> None:
    known = contents_of_home(untouched)
    assert_one_line(alp("--home", str(untouched), *command), message)
    assert contents_of_home(untouched) == known


def test_a_class_that_no_label_knows_is_named_before_anything_is_bought(alp: Alp, home: Path) -> None:
    said = alp("--home", str(home), *ROUND, "--targets", "tram", "--classes", "tram,car")
    assert_one_line(said, "class tram: no label of pool 'split=pool' says whether it is there")
    assert "known are bicycle, car, person" in said.err
    known = contents_of_home(home)
    assert not known["rounds"]
    assert not known["ensembles"]
    assert not known["annotations"]


def test_a_second_process_is_told_who_holds_the_catalog(home: Path) -> None:
    program = shutil.which("alp", path=str(Path(sys.executable).parent))
    assert program is not None
    with open_platform(settings_of(home)):
        ended = subprocess.run(
            [program, "--home", str(home), "frames"], capture_output=True, text=True, check=False, timeout=60
        )
    assert_one_line(Said(ended.returncode, ended.stdout, ended.stderr), f"held by process {os.getpid()} (")


def test_a_catalog_of_a_newer_version_is_left_alone(alp: Alp, home: Path) -> None:
    with duckdb.connect(str(home / "catalog.duckdb")) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
    known = contents_of_home(home)
    assert_one_line(alp("--home", str(home), "frames"), "schema 99, this version reads up to ")
    assert contents_of_home(home) == known


def test_a_file_that_is_no_catalog_is_left_alone(alp: Alp, tmp_path: Path) -> None:
    (tmp_path / "catalog.duckdb").write_bytes(b"not a database\n" * 1000)
    assert_one_line(alp("--home", str(tmp_path), "frames"), f"catalog {tmp_path}/catalog.duckdb: ")
    assert (tmp_path / "catalog.duckdb").read_bytes() == b"not a database\n" * 1000


def test_a_home_that_cannot_be_made_is_named(alp: Alp, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert_one_line(alp("--home", str(tmp_path / "file"), "frames"), "choose another home with --home")


@pytest.mark.parametrize(
    "command", [("round", "run"), ("frames", "--colour"), ("dance",), ("loop", "run", "--budget", "x")]
)
def test_a_command_that_does_not_parse_shows_how_it_is_written(alp: Alp, command: tuple[str, ...]) -> None:
    said = alp(*command)
    assert said.code == 2
    assert "Usage: alp" in said.err
    assert "Traceback" not in said.err


def test_the_pool_of_these_tests_is_what_they_take_it_for(alp: Alp, untouched: Path) -> None:
    assert alp("--home", str(untouched), "frames", "--filter", POOL).out == "60 frames of 12 sessions match\n"
