"""`alp scenarios`: ingest, list, show, check."""

from pathlib import Path

import pytest

from tests import traffic
from tests.al_platform.cli.conftest import Alp

pytestmark = pytest.mark.story

SMALL = tuple(
    word
    for size in (
        *("agents=8", "steps=16", "route_points=64", "lanes=2", "stops=4", "roads=128", "tiles=16"),
        *("grid=16", "listed=16"),
    )
    for word in ("--size", size)
)


@pytest.fixture
def at_home(tmp_path: Path) -> tuple[str, ...]:
    return ("--home", str(tmp_path / "home"), "scenarios")


def test_scenes_are_taken_in_listed_shown_and_checked(alp: Alp, at_home: tuple[str, ...], tmp_path: Path) -> None:
    traffic.write_json(tmp_path / "in" / "a.json", traffic.womd_json(ego=False, degrees=True))
    (tmp_path / "in" / "b.json").write_text("{")
    command = (*at_home, "ingest", "womd-json", str(tmp_path / "in"), "--processes", "1", *SMALL)
    said = alp(*command)
    assert said.code == 0
    assert "ego chosen by rule" in said.out
    assert f"refused: {tmp_path}/in/b.json: not JSON" in said.out
    assert said.out.endswith("2 files (0 known from before), 1 scenarios, 1 of them new, 1 refused\n")
    assert "2 files (2 known from before), 1 scenarios, 0 of them new, 1 refused" in alp(*command).out
    listed = alp(*at_home, "list", "--filter", "agents=4").out
    assert "1 scenarios of 1 sessions match" in listed
    scenario_id = next(word for word in listed.split() if word.startswith("scn_"))
    shown = alp(*at_home, "show", scenario_id).out
    assert all(word in shown for word in (scenario_id, "womd/a", "driven m", "20.0", "ego chosen by rule"))
    assert alp(*at_home, "check").out == "0 faults\n"
    (data,) = (tmp_path / "home" / "scenarios").glob("*.arrays")
    data.write_bytes(data.read_bytes()[:-1])
    torn = alp(*at_home, "check")
    assert torn.code == 1
    assert str(data) in torn.out
    for file in (tmp_path / "home" / "scenarios").iterdir():
        file.unlink()
    assert f"scenario {scenario_id}: its shard {data.stem} is not in " in alp(*at_home, "check").out
    assert alp(*command, "--again").code == 0
    assert alp(*at_home, "check").out == "0 faults\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ingest", "kitti", "."), "format kitti: known are womd-json, womd-proto, scenarionet, av2"),
        (("ingest", "lyft-zarr", "."), "without a map there is no road to stay on"),
        (("ingest", "womd-json", "/no/such/path"), "path /no/such/path: nothing is there"),
        (("ingest", "womd-json", ".", "--size", "wheels=4"), "size wheels: known are agents,"),
        (("ingest", "womd-json", ".", "--size", "agents=none"), "size agents=none: must be a whole number"),
        (("list", "--filter", "weather=rain"), "no scenario carries it"),
        (("show", "scn_0"), "scenario scn_0: not in the catalog"),
    ],
)
def test_what_cannot_be_is_named_with_the_cure(
    alp: Alp, at_home: tuple[str, ...], arguments: tuple[str, ...], message: str
) -> None:
    said = alp(*at_home, *arguments)
    assert said.code == 2
    assert message in said.err
