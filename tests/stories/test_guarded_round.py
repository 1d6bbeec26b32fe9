"""A round with a noise guard: scenes rejected in earlier rounds teach which recordings are not worth people's time."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from al_platform.catalog.check import faults_of
from al_platform.catalog.selections import selection_of
from al_platform.domain.driving import policy_model
from al_platform.domain.labels import CONTROL_CLASS
from al_platform.domain.progress import silent
from al_platform.domain.rounds import Budget, Round, RoundSpec, StrategySpec
from al_platform.domain.triage import Verdict
from al_platform.errors import InvalidInput
from al_platform.loop.frame_items import require_trainable
from al_platform.loop.guarding import LEAST_VERDICTS, read_guard
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform
from al_platform.platform.rounds import prepare_round, round_details, run_one_round, verify_round
from al_platform.platform.triage import triages
from tests.damage import enter_damaged
from tests.fleet import MODEL
from tests.fleet import TARGETS as CLASSES
from tests.scenes import POLICY, SIZES, home_with_scenes

pytestmark = pytest.mark.story
TARGETS = ("off_route",)
SOUND, BAD, EARLY, TAUGHT = 22, 12, 6, 22
LIMIT = 0.5


@dataclass(frozen=True)
class Home:
    """An open home, and which of its scenes are bad recordings."""

    platform: Platform
    bad: frozenset[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home_with_scenes(tmp_path_factory.mktemp("home"), scenes=SOUND) as platform:
        yield Home(platform, frozenset(enter_damaged(platform, range(BAD), seed=1, sizes=SIZES)))


def run(home: Home, strategy: StrategySpec, *, budget: int, queue: str, seed: int = 0) -> Round:
    wanted = RoundSpec(policy_model(POLICY, TARGETS), "", "", TARGETS, Budget(budget), strategy, seed=seed, queue=queue)
    return run_one_round(home.platform, prepare_round(home.platform, wanted, pool="", test="", start=1))


def picks(home: Home, round_: Round, *, control: bool = False) -> set[str]:
    chosen = round_details(home.platform, round_.round_id).selections
    return {pick.item_id for pick in chosen if (pick.for_class == CONTROL_CLASS) is control}


@pytest.fixture(scope="module")
def early(home: Home) -> Round:
    return run(home, StrategySpec("random", guard=LIMIT), budget=EARLY, queue="early")


@pytest.fixture(scope="module")
def taught(home: Home) -> Round:
    return run(home, StrategySpec("random"), budget=TAUGHT, queue="taught", seed=3)


@pytest.fixture(scope="module")
def guarded(home: Home, early: Round, taught: Round) -> Round:
    return run(
        home, StrategySpec("random", guard=LIMIT, control_share=0.4), budget=SOUND + BAD, queue=taught.spec.queue
    )


def guard_said(home: Home, round_: Round) -> tuple[str, int]:
    (outputs,) = (step.outputs for step in round_details(home.platform, round_.round_id).steps if step.step == "select")
    return str(outputs["guard"]), int(outputs["guarded_scenarios"])


def test_without_verdicts_the_guard_is_idle_and_says_why(home: Home, early: Round) -> None:
    said, kept_away = guard_said(home, early)
    assert said == f"idle: 0 verdicts, 0 of bad recordings; needs {LEAST_VERDICTS}, 5 of either kind"
    assert kept_away == 0
    assert len(picks(home, early)) == EARLY
    assert verify_round(home.platform, early.round_id) == []


def test_bad_recordings_are_picked_for_no_target_once_others_were_rejected(home: Home, guarded: Round) -> None:
    for_targets, drawn = picks(home, guarded), picks(home, guarded, control=True)
    said, kept_away = guard_said(home, guarded)
    assert kept_away > 0
    assert said.startswith(f"limit {LIMIT:g}; of ")
    assert len(for_targets & home.bad) <= kept_away // 3
    assert drawn & home.bad, "control passes the guard by, so its mistakes come to light"


def test_the_guard_is_kept_with_the_selection_and_tells_how_good_it_is(
    home: Home, taught: Round, guarded: Round
) -> None:
    with home.platform.catalog.transaction() as tx:
        record = selection_of(tx, guarded.round_id)
        assert selection_of(tx, taught.round_id).guard_hash is None
        assert list(faults_of(tx, home.platform.blobs, silent)) == []
    guard = read_guard(home.platform.blobs, record.guard_hash or "")
    told = {each.scenario_id: each.verdict is Verdict.REJECT for each in triages(home.platform, taught.round_id)}
    assert told.items() <= guard.verdicts.items()
    assert guard.held_out is not None
    assert guard.held_out.verdicts == len(guard.verdicts)
    assert guard.held_out.precision is not None
    assert guard.held_out.precision >= 0.75
    assert guard.held_out.log_loss < guard.held_out.base_log_loss
    nodes = lineage(home.platform, guarded.round_id)
    assert {"guarded by": record.guard_hash}.items() <= {
        parent.relation: parent.node_id for parent in nodes[guarded.round_id].parents
    }.items()


def test_verdicts_that_came_later_change_no_verification(home: Home, early: Round, guarded: Round) -> None:
    for round_ in (early, guarded):
        assert verify_round(home.platform, round_.round_id) == []


def test_frames_have_no_guard() -> None:
    spec = RoundSpec(MODEL, "", "", CLASSES, Budget(1), StrategySpec("mi", guard=LIMIT))
    with pytest.raises(InvalidInput, match=r"guard 0\.5: learns from the triage of scenarios, frames have none"):
        require_trainable(spec)
