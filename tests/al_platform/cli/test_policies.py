"""`alp policy`: bc, rl, list, show."""

from pathlib import Path

import pytest

from tests import traffic
from tests.al_platform.cli.conftest import Alp
from tests.al_platform.cli.test_scenarios import SMALL

pytestmark = pytest.mark.story

BRIEF = (
    *("--set", "updates=4", "--set", "batch_steps=16", "--set", "scenes=2"),
    *("--set", "updates_a_draw=2", "--set", "evaluate_every=2"),
)
SHORT = tuple(
    word
    for setting in ("iterations=2", "scenes=2", "sequence=4", "parts=1", "passes=1", "drawn=2", "iterations_a_draw=1")
    for word in ("--set", setting)
)


def test_a_policy_is_cloned_practises_and_is_shown(alp: Alp, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    traffic.write_json(tmp_path / "in" / "a.json", traffic.womd_json(ego=False, degrees=True))
    assert alp(*home, "scenarios", "ingest", "womd-json", str(tmp_path / "in"), "--processes", "1", *SMALL).code == 0
    picture = tmp_path / "clone.png"
    clone = ("policy", "bc", "--agents", "4", "--roads", "8", *BRIEF, "--picture", str(picture))
    said = alp(*home, *clone)
    assert said.code == 0, said.err
    policy_id = said.out.split()[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert alp(*home, *clone).out == said.out
    practice = alp(*home, "policy", "rl", "--from", policy_id, *SHORT, "--set", "evaluate_every=1")
    assert practice.code == 0, practice.err
    listed = alp(*home, "policy", "list").out
    assert "cloning" in listed
    assert "practice" in listed
    shown = alp(*home, "policy", "show", practice.out.split()[-1]).out
    assert f"from: {policy_id}" in shown
    assert "recipe: iterations 2," in shown
    for blob in (tmp_path / "home" / "blobs").rglob("*"):
        if blob.is_file() and b'"points"' in blob.read_bytes():
            blob.unlink()
    assert alp(*home, "policy", "list").out.count("curve lost") == 2


def test_what_cannot_be_trained_is_told_in_a_line(alp: Alp, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    said = alp(*home, "policy", "bc")
    assert said.code == 2
    assert "no scenario matches; `alp scenarios list` shows what there is" in said.err
    nowhere = str(tmp_path / "nowhere" / "clone.png")
    assert "nowhere is no folder; make it first" in alp(*home, "policy", "bc", "--picture", nowhere).err
    assert "evry: known are batch_steps" in alp(*home, "policy", "bc", "--set", "evry=3").err
    assert "updates=many: must be a whole number" in alp(*home, "policy", "bc", "--set", "updates=many").err
    assert "policy pol_1: not in the catalog" in alp(*home, "policy", "show", "pol_1").err
