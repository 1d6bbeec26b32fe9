"""Scores that rot in storage: named with the cure, healed by the run after it, the catalog as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from al_platform.domain.rounds import Budget, RoundState
from al_platform.errors import CorruptScores
from al_platform.platform.home import Platform
from al_platform.platform.rounds import run_one_round
from tests.fleet import contents, outcome_of, round_spec

pytestmark = pytest.mark.story


def test_a_torn_shard_stops_the_selection_by_name_and_the_run_after_its_deletion_picks_as_ever(
    platform: Platform,
) -> None:
    spec = round_spec(platform, "mi")
    first = outcome_of(platform, run_one_round(platform, replace(spec, queue="first")).round_id)
    shard, *_ = known = contents(platform)["score_shards"]
    path = Path(platform.settings.storage_url) / shard["path"]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CorruptScores, match=rf"{path}: has \d+ bytes, .*; delete it, then run the round again"):
        run_one_round(platform, spec)
    (stopped,) = (row for row in contents(platform)["rounds"] if row["message"])
    assert stopped["state"] == RoundState.SCORED
    assert stopped["message"].startswith(f"select: {path}: has ")
    path.unlink()
    again = run_one_round(platform, spec)
    assert (again.state, again.message) == (RoundState.APPENDED, "")
    assert outcome_of(platform, again.round_id).picks == first.picks
    assert contents(platform)["score_shards"] == known


def test_scores_that_are_all_gone_are_made_again(platform: Platform) -> None:
    spec = round_spec(platform, "mi")
    run_one_round(platform, spec)
    known = contents(platform)["score_shards"]
    folder = (Path(platform.settings.storage_url) / known[0]["path"]).parent
    for path in folder.iterdir():
        path.unlink()
    run_one_round(platform, replace(spec, budget=Budget(1)))
    assert contents(platform)["score_shards"] == known
    assert {path.suffix for path in folder.iterdir()} == {".json", ".parquet"}
