"""Policies judged from the command line: a suite, clips of what got worse, a fix, licences, a leaderboard."""

import json
from pathlib import Path

import pytest
from PIL import Image

from al_platform.domain.judging import EXPERT
from al_platform.platform.home import open_platform
from al_platform.storage.arrays import MANIFEST_SUFFIX
from tests.al_platform.cli.conftest import Alp, alp
from tests.fleet import settings_of
from tests.judged import HALT, RACE, SCENES, add_policy_that, make_judged_home

__all__ = ["alp"]

pytestmark = pytest.mark.story


def test_policies_are_judged_compared_and_licensed(alp: Alp, tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_judged_home(home)
    with open_platform(settings_of(home)) as platform:
        racing, mixed = add_policy_that(platform, RACE), add_policy_that(platform, HALT, RACE)
    at_home = ("--home", str(home))

    def policy(*arguments: str) -> tuple[int, str]:
        said = alp(*at_home, "policy", *arguments)
        return said.code, said.out + said.err

    # a suite is frozen once
    assert "suite all (sui_" in policy("suite", "all")[1]
    assert policy("suite", "all") == policy("suite", "all")
    for arguments, message in (
        (("suite", "all", "--filter", "agents>1000"), "no scenario matches 'agents>1000'"),
        (("suite", "other"), "its scenarios are suite 'all' already"),
        (("evaluate", "pol_0", "--suite", "all"), "policy pol_0: not in the catalog"),
        (("evaluate", racing, "--suite", "none"), "suite 'none': not in the catalog"),
        (("compare", racing, racing, "--suite", "all"), "compared with itself"),
        (("fix", "scn_0", racing, EXPERT, "--seed", "-1"), "16 variations of seed -1: must be at least 1, and a seed"),
        (("license", racing, "--licence", "town"), "was never decided on"),
        (("license", racing, "--licence", "town", "--suite", "all", "--most", "failure"), "must be RATE=SHARE"),
        (("license", racing, "--licence", "town", "--suite", "all"), "asks for nothing"),
    ):
        code, said = policy(*arguments)
        assert (code, message in said) == (2, True), said

    # driven once
    table = tmp_path / "evaluation.json"
    code, said = policy("evaluate", mixed, "--suite", "all", "--json", str(table))
    assert code == 0, said
    assert "failures by driver: " in said
    content = json.loads(table.read_text())
    assert content["measures"]["failure"]["scenarios"] == SCENES
    assert policy("evaluate", mixed, "--suite", "all")[1] == said

    # compared, with clips
    clips = tmp_path / "clips"
    code, said = policy("compare", EXPERT, racing, "--suite", "all", "--out", str(clips), "--clips", "1")
    assert (code, "worse: scn_" in said, said.rstrip().endswith("0 better: worse")) == (1, True, True), said
    (clip,) = clips.iterdir()
    with Image.open(clip) as image:
        assert (image.size, image.format) == ((806, 400), "GIF")
        assert getattr(image, "n_frames", 1) > 8
    code, said = policy("compare", racing, EXPERT, "--suite", "all", "--out", str(tmp_path / "more"), "--clips", "1")
    assert len(list((tmp_path / "more").iterdir())) == 1
    assert (code, said.rstrip().endswith(": better")) == (0, True), said

    # the expert passes the scene that the policy fails, and scenes like it
    code, said = policy("fix", clip.stem, racing, EXPERT, "--variations", "4")
    assert "the second passes the scenario itself" in said, said
    assert code == (0 if "the fix holds" in said else 1)

    # licences are decided once
    asked = ("--suite", "all", "--most", "failure=0.6", "--progress", "0.1")
    code, refused = policy("license", racing, "--licence", "town", *asked)
    assert (code, "licence town refused: lic_" in refused, "FAILED  failure: " in refused) == (1, True, True), refused
    assert policy("license", racing, "--licence", "town") == (1, refused)
    code, said = policy("license", racing, "--licence", "town", "--suite", "all", "--most", "failure=1")
    assert (code, "asks for something else" in said) == (2, True), said
    code, issued = policy("license", racing, "--licence", "anybody", "--suite", "all", "--most", "failure=1")
    assert (code, "licence anybody issued: lic_" in issued) == (0, True), issued

    # ranked
    code, said = policy("leaderboard", "--suite", "all")
    places = {name: said.index(name) for name in (EXPERT, mixed, racing)}
    assert sorted(places, key=places.__getitem__) == [EXPERT, mixed, racing], said
    assert "anybody" in said

    # and all of it leads back to the scenes
    licence = issued.rstrip().rsplit(" ", 1)[1]
    nodes = json.loads(alp(*at_home, "lineage", licence, "--json").out)
    assert {"licence", "evaluation", "policy", "suite", "dataset version", "scenario", "file"} <= {
        node["kind"] for node in nodes
    }
    said = alp(*at_home, "lineage", clip.stem).out
    assert "read from" in said
    assert f"taught {racing}" in said
    assert "judged in evl_" in said
    assert alp(*at_home, "catalog", "check").out == "no fault\n"

    # what the store lost is named before anything is driven
    for manifest in (home / "scenarios").glob(f"*{MANIFEST_SUFFIX}"):
        manifest.unlink()
    code, said = policy("evaluate", mixed, "--suite", "all", "--reactive")
    assert (code, "not in the store" in said) == (2, True), said
