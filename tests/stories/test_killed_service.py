"""kill -9 anywhere in a loop that a service runs: the next service finishes it, and no finished step is done again."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from signal import SIGKILL

import pytest

from al_platform.domain.access import Actor, Scope
from al_platform.domain.loops import LoopSpec
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.platform.home import open_platform
from al_platform.platform.loops import LoopRequest, create_loop, show_loop
from al_platform.platform.service import idle_service
from tests.fleet import MODEL, POOL, START, STEPS, TARGETS, TEST, Outcome, contents, counts, outcome_of, settings_of
from tests.stories.mortal_service import Journal
from tests.stories.mortals import Mortals, mortals_of

pytestmark = pytest.mark.story
BUDGET = 5
MOST_DEATHS = 120
WANTED = RoundSpec(MODEL, "", "", TARGETS, Budget(BUDGET), StrategySpec("mi", control_share=0.2))


@dataclass(frozen=True)
class Unbroken:
    """A loop of one round that nobody killed: the home before it, what it came to, and what that took."""

    home: Path
    loop_id: str
    outcome: Outcome
    rows: dict[str, int]
    journal: Journal


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with mortals_of("tests.stories.mortal_service") as running:
        yield running


@pytest.fixture(scope="module")
def unbroken(mortals: Mortals, fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("unbroken") / "home"))
    with open_platform(settings_of(home)) as platform:
        request = LoopRequest(LoopSpec(WANTED, 1, pool=POOL), test=TEST, start=START)
        status, _ = create_loop(idle_service(platform), request, actor=Actor("test", Scope.ADMIN), key="a")
    finished = Path(shutil.copytree(home, home.with_name("finished")))
    journal = Journal(home.with_name("journal"))
    assert mortals.order(finished, journal=str(journal.path)) == 0
    outcome, rows = came_to(finished, status.run.loop_id)
    return Unbroken(home, status.run.loop_id, outcome, rows, journal)


def came_to(home: Path, loop_id: str) -> tuple[Outcome, dict[str, int]]:
    with open_platform(settings_of(home)) as platform:
        (round_,) = show_loop(platform, loop_id).rounds
        assert (round_.appended, round_.labels, round_.control_frames) == (True, BUDGET, 1)
        return outcome_of(platform, round_.round_id), counts(contents(platform))


def test_killed_before_and_after_every_commit_a_loop_comes_to_the_same_and_repeats_nothing(
    mortals: Mortals, unbroken: Unbroken, tmp_path: Path
) -> None:
    home, journal = Path(shutil.copytree(unbroken.home, tmp_path / "home")), Journal(tmp_path / "journal")
    deaths = 0
    for moment in cycle([("before", 1), ("after", 1), ("before", 2), ("after", 2)]):
        ended = mortals.order(home, journal=str(journal.path), die=moment)
        if ended == 0:
            break
        assert ended == SIGKILL
        deaths += 1
        assert deaths < MOST_DEATHS
    assert deaths > 20
    assert_same_outcome(home, journal, unbroken)
    assert journal.subjects("score") == unbroken.journal.subjects("score")
    # killed between a checkpoint and its end on the disk, a training repeats what came after; never all of it
    assert journal.subjects("train").count("0") == 1


@pytest.mark.parametrize("die", [("train", STEPS // 2), ("score", 0), ("send", 2), ("collect", 2)], ids=str)
def test_killed_in_the_middle_of_a_step_a_loop_goes_on_from_what_was_kept(
    mortals: Mortals, unbroken: Unbroken, tmp_path: Path, die: tuple[str, int]
) -> None:
    home, journal = Path(shutil.copytree(unbroken.home, tmp_path / "home")), Journal(tmp_path / "journal")
    assert mortals.order(home, journal=str(journal.path), die=die) == SIGKILL
    assert mortals.order(home, journal=str(journal.path)) == 0
    assert_same_outcome(home, journal, unbroken)
    trained = [int(done) for done in journal.subjects("train")]
    assert trained.count(0) == 1
    if die[0] != "train":
        assert trained == [int(done) for done in unbroken.journal.subjects("train")]


def assert_same_outcome(home: Path, journal: Journal, unbroken: Unbroken) -> None:
    """The loop of a home came to what the unbroken one came to, and nothing is there or was asked for twice."""
    assert came_to(home, unbroken.loop_id) == (unbroken.outcome, unbroken.rows)
    asked = journal.subjects("asked")
    assert asked == unbroken.journal.subjects("asked")
    assert len(asked) == len(set(asked)) == BUDGET
