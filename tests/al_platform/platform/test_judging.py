"""The calls of judging: suites are frozen, and who does not wait for an evaluation finds it later."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.compute.base import JobState
from al_platform.domain.judging import EXPERT
from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.judging import ask_evaluation, evaluation, freeze_suite, leaderboard, suites
from al_platform.platform.scenarios import generate_scenarios
from al_platform.storage.arrays import MANIFEST_SUFFIX
from al_platform.storage.suites import read_scenarios
from tests.fleet import settings_of
from tests.judged import SIZES


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(settings_of(tmp_path / "home")) as opened:
        generate_scenarios(opened, 2, seed=3, sizes=SIZES)
        yield opened


def test_a_suite_stays_what_it_was_when_more_scenarios_come(platform: Platform) -> None:
    frozen = freeze_suite(platform, "all", "")
    generate_scenarios(platform, 1, seed=4, sizes=SIZES)
    assert [suite.scenarios for suite in suites(platform, PageRequest()).items] == [2]
    names = [scenario.name for scenario in read_scenarios(platform.blobs, frozen.scenarios_hash)]
    assert names == ["3/0", "3/1"]
    with pytest.raises(InvalidInput, match=r"'all': is frozen with 2 scenarios.*others now \(3\).*give another name"):
        freeze_suite(platform, "all", "")
    for name in ("", "sui_1"):
        with pytest.raises(InvalidInput, match="must not be empty, nor look like an id"):
            freeze_suite(platform, name, "")


def test_who_does_not_wait_finds_the_evaluation_later(platform: Platform) -> None:
    freeze_suite(platform, "all", "")
    asked = ask_evaluation(platform, EXPERT, "all")
    assert asked.evaluation is not None  # this backend computes here and now
    assert asked.status.state is JobState.DONE
    assert evaluation(platform, asked.evaluation_id) == asked.evaluation
    assert ask_evaluation(platform, EXPERT, "all") == asked
    (standing,) = leaderboard(platform, "all", PageRequest()).items
    assert (standing.rank, standing.evaluation, standing.licences) == (1, asked.evaluation, ())


def test_an_error_of_the_job_is_told_until_it_is_asked_again(platform: Platform, tmp_path: Path) -> None:
    freeze_suite(platform, "all", "")
    folder = platform.settings.scenarios_folder
    hidden = [(path, tmp_path / path.name) for path in folder.glob(f"*{MANIFEST_SUFFIX}")]
    for path, aside in hidden:
        path.rename(aside)
    assert ask_evaluation(platform, EXPERT, "all").status.state is JobState.FAILED
    with pytest.raises(NotFound, match="not in the store"):
        ask_evaluation(platform, EXPERT, "all")
    for path, aside in hidden:
        aside.rename(path)
    assert ask_evaluation(platform, EXPERT, "all", again=True).evaluation is not None
