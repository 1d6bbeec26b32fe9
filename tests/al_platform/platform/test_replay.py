"""The expert driven again: through generated scenes without a failure, through real ones with hardly any."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.datasets.scenarios.store import stored_scenario
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.replay import ReplayBy, replay_scenarios
from al_platform.platform.scenarios import generate_scenarios, ingest_scenarios
from sim.scenario import Sizes
from tests.fleet import settings_of

SMALL = Sizes(agents=64, steps=31, route_points=256, lanes=4, stops=4, roads=256, tiles=24, grid=20, listed=16)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(settings_of(tmp_path / "home")) as opened:
        yield opened


def test_the_expert_of_generated_scenes_never_fails_by_poses_or_by_actions(platform: Platform) -> None:
    generate_scenarios(platform, 5, seed=3, sizes=SMALL)
    generate_scenarios(platform, 1, seed=4, sizes=replace(SMALL, agents=72))
    by_poses = replay_scenarios(platform, batch=4)
    by_actions = replay_scenarios(platform, "agents<65", by=ReplayBy.ACTIONS, batch=4)
    assert [each.scenario.name for each in by_poses.driven] == ["3/0", "3/1", "3/2", "3/3", "3/4", "4/0"]
    assert not by_poses.faults
    for each in (*by_poses.driven, *by_actions.driven):
        assert not each.failed, each.reason
        assert each.measures["progress_ratio"] == pytest.approx(1.0, abs=0.05)
    one, alone = (replay_scenarios(platform, "", batch=size).driven[2] for size in (4, 1))
    assert one == alone


def test_what_cannot_be_driven_is_named_with_the_cure(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="no scenario matches"):
        replay_scenarios(platform)
    with pytest.raises(InvalidInput, match="batch of 0"):
        replay_scenarios(platform, batch=0)
    generate_scenarios(platform, 1, seed=0, sizes=SMALL)
    for file in platform.settings.scenarios_folder.iterdir():
        file.unlink()
    with pytest.raises(NotFound, match="ingest or generate it again"):
        replay_scenarios(platform)


def test_a_scene_that_was_changed_is_named_and_the_others_are_driven(platform: Platform) -> None:
    generate_scenarios(platform, 3, seed=1, sizes=SMALL)
    with platform.catalog.transaction() as tx:
        lost = scenarios_of_filter(tx, "")[1]
    path = platform.settings.scenarios_folder / f"{lost.shard}.arrays"
    states = np.asarray(stored_scenario(path.parent, lost.shard, lost.shard_row).log.states).tobytes()
    content = bytearray(path.read_bytes())
    content[content.index(states) + 7] ^= 1
    path.write_bytes(content)
    found = replay_scenarios(platform)
    assert [each.scenario.name for each in found.driven] == ["1/0", "1/2"]
    assert list(found.faults) == [lost.scenario_id]
    assert "was changed" in found.faults[lost.scenario_id]
    with pytest.raises(CorruptBlob, match=lost.scenario_id):
        replay_scenarios(platform, f"scenario_id={lost.scenario_id}")
    path.unlink()
    with pytest.raises(CorruptBlob, match="0 bytes"):
        replay_scenarios(platform)


@pytest.mark.real_data
def test_people_who_were_recorded_hardly_ever_fail(platform: Platform, real_data: Path, tmp_path: Path) -> None:
    """In all 104 scenes people walk up to the standing car twice; nobody leaves the road or the route."""
    chosen = sorted((real_data / "scenarios_real" / "womd_json").glob("*.json*"))[::8]
    (tmp_path / "some").mkdir()
    for path in chosen:
        (tmp_path / "some" / path.name).symlink_to(path)
    ingest_scenarios(platform, "womd-json", tmp_path / "some", sizes=Sizes(steps=61, agents=256))
    driven = replay_scenarios(platform).driven
    assert len(driven) > 10
    assert sum(each.failed for each in driven) <= 1
    for event in ("at_fault", "off_route", "off_road", "red_light", "stop_line", "wrong_way"):
        assert not [each.reason for each in driven if each.measures[event]], event
