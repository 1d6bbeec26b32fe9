"""kill -9 anywhere in a round: run again, it comes to the same, and nothing is there twice."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import pytest

from al_platform.domain.hashing import canonical_json
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import RoundSpec, RoundState
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import run_one_round
from tests.fleet import STEPS, Outcome, contents, counts, outcome_of, round_spec, settings_of
from tests.stories.mortals import Mortals, mortals_of

pytestmark = pytest.mark.story
COMMITS = ("plan", "ensemble", "train", "score", "select", "send", "collect", "version", "append")
"""What a round's transactions write, in order; its encoder is there already."""


@dataclass(frozen=True)
class Unbroken:
    """A round that nobody killed: the home before it, and what it came to."""

    home: Path
    spec: RoundSpec
    outcome: Outcome
    rows: dict[str, int]


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with mortals_of("tests.stories.mortal") as running:
        yield running


@pytest.fixture(scope="module")
def unbroken(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("unbroken") / "home"))
    with open_platform(settings_of(home)) as platform:
        spec = round_spec(platform)
    finished = Path(shutil.copytree(home, home.with_name("finished")))
    with open_platform(settings_of(finished)) as platform:
        round_ = run_one_round(platform, spec)
        return Unbroken(home, spec, outcome_of(platform, round_.round_id), counts(contents(platform)))


def test_killed_before_and_after_every_commit_a_round_comes_to_the_same(
    mortals: Mortals, unbroken: Unbroken, tmp_path: Path
) -> None:
    home, deaths = Path(shutil.copytree(unbroken.home, tmp_path / "home")), 0
    for moment in ("before", "after") * len(COMMITS):
        deaths += mortals.order(home, spec=canonical_json(unbroken.spec), die=(moment, 1)) == SIGKILL
    assert deaths == 2 * len(COMMITS)
    assert mortals.order(home, spec=canonical_json(unbroken.spec), die=("before", 1)) == 0
    heard = assert_same_outcome(home, unbroken)
    assert not heard


@pytest.mark.parametrize(
    ("stage", "done", "repeated"),
    [
        ("train", STEPS // 2, STEPS // 2),  # a checkpoint holds the first half
        ("score", 0, 0),
    ],
)
def test_killed_while_it_computes_a_round_goes_on_from_what_it_had_kept(
    mortals: Mortals, unbroken: Unbroken, tmp_path: Path, *, stage: str, done: int, repeated: int
) -> None:
    home = Path(shutil.copytree(unbroken.home, tmp_path / "home"))
    assert mortals.order(home, spec=canonical_json(unbroken.spec), die=(stage, done)) == SIGKILL
    heard = assert_same_outcome(home, unbroken)
    trained = [progress.done for progress in heard if progress.stage == "train"]
    assert STEPS - min(trained, default=STEPS) == repeated
    assert not list((home / "runs").glob("*"))


def assert_same_outcome(home: Path, unbroken: Unbroken) -> list[Progress]:
    """Run the round of a home to its end: nothing differs from the unbroken one, nothing is doubled."""
    heard: list[Progress] = []
    with open_platform(settings_of(home), report=heard.append) as platform:
        round_ = run_one_round(platform, unbroken.spec)
        assert round_.state is RoundState.APPENDED
        assert outcome_of(platform, round_.round_id) == unbroken.outcome
        assert counts(contents(platform)) == unbroken.rows
    return heard
