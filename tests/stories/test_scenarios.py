"""Scenes from the command line: made, listed, driven by their expert, and drawn."""

import importlib.util
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.al_platform.cli.conftest import Alp, alp

__all__ = ["alp"]

pytestmark = pytest.mark.story
SMALL = tuple(
    word
    for size in (
        *("agents=64", "steps=31", "route_points=256", "lanes=4", "stops=4", "roads=256", "tiles=24", "grid=20"),
        "listed=16",
    )
    for word in ("--size", size)
)


@pytest.fixture
def at_home(tmp_path: Path) -> tuple[str, ...]:
    return ("--home", str(tmp_path / "home"))


def test_scenes_are_made_listed_driven_and_drawn(alp: Alp, at_home: tuple[str, ...], tmp_path: Path) -> None:
    generate = (*at_home, "scenarios", "generate", "--count", "12", "--seed", "0", "--processes", "1", *SMALL)
    assert "12 scenes (0 known from before), 12 scenarios, 12 of them new, 0 refused" in alp(*generate).out
    assert "12 scenes (12 known from before), 12 scenarios, 0 of them new, 0 refused" in alp(*generate).out
    assert "12 scenarios of 12 sessions match" in alp(*at_home, "scenarios", "list").out
    listed = alp(*at_home, "scenarios", "list", "--filter", "jaywalker=1").out
    jaywalker = next(word for word in listed.split() if word.startswith("scn_"))

    table = tmp_path / "replay.json"
    said = alp(*at_home, "sim", "replay", "--json", str(table))
    assert said.code == 0
    assert "12 scenarios driven, 0 failed" in said.out
    assert "progress ratio" in said.out
    content = json.loads(table.read_text())
    assert content["measures"]["failure"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "scenarios": 12}
    assert len(content["scenarios"]) == 12
    assert {stratum["name"]: stratum["failures"] for stratum in content["strata"]}["jaywalker"] == 0

    render = (*at_home, "scenarios", "render")
    for name, options in (("above.png", ()), ("above.gif", ("--every", "10")), ("eye.png", ("--camera", "night"))):
        drawn = alp(*render, jaywalker, "--out", str(tmp_path / name), *options)
        assert (drawn.code, jaywalker in drawn.out) == (0, True), drawn.err
        with Image.open(tmp_path / name) as image:
            assert image.getcolors(1) is None
            assert image.size == ((256, 128) if name == "eye.png" else (480, 480))
            assert getattr(image, "n_frames", 1) == (4 if name.endswith("gif") else 1)
    assert alp(*render, "jaywalker=1", "--out", str(tmp_path / "first.png")).code == 0
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "above.png").read_bytes()
    for arguments, message in (
        ((jaywalker, "--out", str(tmp_path / "a.mp4")), "must end in one of .png, .gif, .rrd"),
        ((jaywalker, "--out", str(tmp_path / "a.png"), "--step", "31"), "has steps 0 to 30"),
        (("agents=1000", "--out", str(tmp_path / "a.png")), "no scenario matches"),
    ):
        refused = alp(*render, *arguments)
        assert (refused.code, message in refused.err) == (2, True), refused.err


def test_a_scene_is_written_for_the_rerun_viewer(alp: Alp, at_home: tuple[str, ...], tmp_path: Path) -> None:
    alp(*at_home, "scenarios", "generate", "--count", "1", "--processes", "1", *SMALL)
    said = alp(*at_home, "scenarios", "render", "", "--out", str(tmp_path / "scene.rrd"))
    if importlib.util.find_spec("rerun") is None:
        assert said.code == 2
        assert "pip install 'al-platform[rerun]'" in said.err
        pytest.skip("rerun-sdk is not installed: only its absence was tested")
    assert said.code == 0
    assert (tmp_path / "scene.rrd").read_bytes()[:4] in (b"RRF2", b"RRF3")
