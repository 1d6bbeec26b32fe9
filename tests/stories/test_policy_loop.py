"""A loop of scenarios that trains: what a round accepted is in the weights of the next round's drivers."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from al_platform.catalog.datasets import items_added, version_items
from al_platform.catalog.policies import policy_named
from al_platform.domain.driving import PolicyTraining, policy_model
from al_platform.domain.holding_out import held_out_among
from al_platform.domain.loops import LoopSpec
from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import NEW, Budget, CurriculumShare, Round, RoundSpec, RoundState, StrategySpec
from al_platform.errors import InvalidInput, Stopped
from al_platform.loop.loops import run_loop
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.policies import curve_of
from al_platform.platform.rounds import loop_context, prepare_round, round_details, run_one_round, run_rounds
from al_platform.platform.scenarios import generate_scenarios, scenario
from al_platform.policies.job import read_policy_job
from al_platform.policies.scenes import WantedScenes
from al_platform.storage.files import NamedFiles
from tests.fleet import contents, counts, settings_of
from tests.scenes import SIZES

pytestmark = pytest.mark.story
TARGETS = ("off_route", "action")
SCENES, START, BUDGET = 8, 2, 2
BRIEF = CloningRecipe(updates=2, batch_steps=16, scenes=2, updates_a_draw=1, evaluate_every=1, gusts=0.0)
RECIPE = PolicySpec(agents=4, roads=8, route_points=16, cloning=BRIEF)
MOSTLY_NEW = (CurriculumShare(NEW, 3.0), CurriculumShare("", 1.0))
STEPS = 6
HELD_OUT = 0.5


@dataclass(frozen=True)
class Looped:
    """A home before a loop, the loop, and its two rounds as they came out in a copy of the home that is open."""

    before: Path
    loop: LoopSpec
    rounds: tuple[Round, ...]
    platform: Platform


@pytest.fixture(scope="module")
def looped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looped]:
    before = tmp_path_factory.mktemp("trained") / "home"
    with open_platform(settings_of(before)) as platform:
        generate_scenarios(platform, SCENES, seed=0, sizes=SIZES)
        first = prepare_round(platform, wanted(), pool="dataset=generated", test="", start=START)
    loop = LoopSpec(first, 2)
    after = Path(shutil.copytree(before, before.with_name("after")))
    with open_platform(settings_of(after)) as platform:
        yield Looped(before, loop, tuple(run_loop(loop_context(platform), loop)), platform)


def wanted(**changes: object) -> RoundSpec:
    spec = RoundSpec(
        model=policy_model("", TARGETS, training=PolicyTraining(RECIPE)),
        dataset_version_id="",
        pool_id="",
        targets=TARGETS,
        budget=Budget(BUDGET),
        strategy=StrategySpec("random"),
        seed=5,
        curriculum=MOSTLY_NEW,
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


def test_the_second_round_trains_on_what_the_first_accepted(looped: Looped) -> None:
    first, second = looped.rounds
    assert [each.state for each in looped.rounds] == [RoundState.APPENDED] * 2
    assert second.spec.dataset_version_id == first.dataset_version_id
    assert first.ensemble_id != second.ensemble_id
    accepted = {pick.item_id for pick in round_details(looped.platform, first.round_id).selections}
    assert len(accepted) == BUDGET
    learned = learned_by(looped, second)
    assert accepted < learned.keys()
    assert set(learned_by(looped, first)) == learned.keys() - accepted
    with looped.platform.catalog.transaction() as tx:
        assert items_added(tx, looped.platform.blobs, second.spec.dataset_version_id) == accepted
        drivers = policy_named(tx, second.ensemble_id or "")
    assert (drivers.dataset_version_id, drivers.seed, drivers.spec) == (first.dataset_version_id, 5, RECIPE)


def test_the_newly_accepted_are_drawn_more_often_and_the_old_ones_keep_their_share(looped: Looped) -> None:
    first, second = looped.rounds
    assert set(learned_by(looped, first).values()) == {1.0}  # of a start set everything is new
    learned = learned_by(looped, second)
    accepted = {pick.item_id for pick in round_details(looped.platform, first.round_id).selections}
    items, total = START + BUDGET, sum(learned.values())
    assert sum(learned[name] for name in accepted) / total == pytest.approx(3 / 4 + 1 / 4 * BUDGET / items)
    assert min(learned.values()) / total == pytest.approx(1 / 4 / items)


def test_stopped_between_any_two_steps_a_loop_comes_to_the_same(looped: Looped, tmp_path: Path) -> None:
    home, rounds = Path(shutil.copytree(looped.before, tmp_path / "home")), list[Round]()
    starts = 0
    while len(rounds) < len(looped.rounds):
        starts += 1
        with open_platform(settings_of(home)) as platform:
            context = replace(loop_context(platform), report=StopAfterOneStep())
            rounds = []
            try:
                rounds.extend(run_loop(context, looped.loop))
            except Stopped:
                continue
            assert counts(contents(platform)) == counts(contents(looped.platform))
    assert starts == STEPS * len(looped.rounds)
    assert rounds == list(looped.rounds)


def test_the_lineage_of_drivers_reaches_the_scenes_that_were_accepted(looped: Looped) -> None:
    first, second = looped.rounds
    nodes = lineage(looped.platform, second.ensemble_id or "")
    parents = {parent.relation: parent.node_id for parent in nodes[second.ensemble_id or ""].parents}
    assert parents["trained on"] == first.dataset_version_id
    accepted = {pick.item_id for pick in round_details(looped.platform, first.round_id).selections}
    assert accepted < nodes.keys()
    assert {first.round_id, first.ensemble_id} < nodes.keys()


@pytest.fixture(scope="module")
def onwards(looped: Looped) -> Round:
    """A round on everything that the loop accepted, from its last drivers on, that holds sessions out."""
    training = PolicyTraining(RECIPE, parent_id=looped.rounds[1].ensemble_id, held_out=HELD_OUT)
    model = policy_model("", TARGETS, training=training)
    version = looped.rounds[1].dataset_version_id or ""
    spec = replace(looped.loop.first, model=model, dataset_version_id=version, queue="other", curriculum=())
    return run_one_round(looped.platform, spec)


def test_a_round_measures_its_curve_on_sessions_that_taught_it_nothing(looped: Looped, onwards: Round) -> None:
    platform = looped.platform
    with platform.catalog.transaction() as tx:
        known = [item.item_id for item in version_items(tx, platform.blobs, onwards.spec.dataset_version_id)]
    apart = held_out_among({name: scenario(platform, name).session_id for name in known}, HELD_OUT)
    assert 0 < len(apart) < len(known)
    assert learned_by(looped, onwards).keys() == set(known) - apart
    points = curve_of(platform, onwards.ensemble_id or "").points
    assert all("failure" in point.measures for point in points)
    said = [learning_curve(looped, each) for each in (looped.rounds[0], onwards)]
    assert said == [
        "of the loss alone: no session is held out",
        f"measured on {len(apart)} scenarios that teach nothing",
    ]


def test_a_round_goes_on_from_a_policy_and_says_so(looped: Looped, onwards: Round) -> None:
    platform, spec, parent = looped.platform, onwards.spec, looped.rounds[1].ensemble_id or ""
    with platform.catalog.transaction() as tx:
        drivers = policy_named(tx, onwards.ensemble_id or "")
    assert (drivers.parent_id, drivers.dataset_version_id) == (parent, spec.dataset_version_id)
    relations = {
        each.relation: each.node_id for each in lineage(platform, drivers.policy_id)[drivers.policy_id].parents
    }
    assert relations["went on from"] == parent


def test_a_loop_ends_with_drivers_that_know_everything_unless_they_are_only_asked(looped: Looped) -> None:
    *_, last = run_rounds(looped.platform, looped.loop)
    with looped.platform.catalog.transaction() as tx:
        drivers = policy_named(tx, last.round.ensemble_id or "")
    assert drivers.dataset_version_id == looped.rounds[-1].dataset_version_id
    asking = policy_model(drivers.policy_id, TARGETS)
    first = replace(looped.loop.first, model=asking, curriculum=(), queue="asked")
    assert len(list(run_rounds(looped.platform, LoopSpec(first, 1)))) == 1


def test_what_cannot_be_trained_is_refused_before_the_round_is_entered(looped: Looped) -> None:
    platform, first = looped.platform, looped.loop.first
    before, known = counts(contents(platform)), looped.rounds[0].ensemble_id or ""
    larger = PolicyTraining(replace(RECIPE, network="s"), known)
    unknown = PolicyTraining(replace(RECIPE, network="xxl"))
    for spec, said in (
        (replace(first, model=policy_model("", TARGETS, training=larger)), "has network xs and the recipe s"),
        (replace(first, model=policy_model("", TARGETS, training=unknown)), "network 'xxl': must be one of"),
        (replace(first, model=policy_model("", TARGETS)), "neither a policy nor a recipe"),
        (replace(first, model=policy_model(known, TARGETS)), "give a recipe to train by"),
    ):
        with pytest.raises(InvalidInput, match=said):
            run_one_round(platform, spec)
    assert counts(contents(platform)) == before
    with pytest.raises(InvalidInput, match="given beside a recipe"):
        policy_model(known, TARGETS, training=PolicyTraining(RECIPE))


class StopAfterOneStep:
    """Hears of every step of a round before it begins, and stops at the second."""

    def __init__(self) -> None:
        self.heard = 0

    def __call__(self, progress: Progress) -> None:
        self.heard += progress.stage == "round"
        if self.heard > 1:
            raise Stopped("after one step")


def learning_curve(looped: Looped, round_: Round) -> str:
    """What a round says of its learning curve."""
    (trained,) = (step for step in round_details(looped.platform, round_.round_id).steps if step.step == "train")
    return str(trained.outputs["learning_curve"])


def learned_by(looped: Looped, round_: Round) -> dict[str, float]:
    """The scenarios that a round's drivers were trained on, each with how often it is drawn."""
    platform = looped.platform
    (trained,) = (step for step in round_details(platform, round_.round_id).steps if step.step == "train")
    job = read_policy_job(NamedFiles(platform.blobs.url), f"policies/{trained.outputs['training_id']}/job.json")
    listed = record_from_json(WantedScenes, platform.blobs.get(job.scenes_hash).decode())
    return dict(zip(listed.ids, listed.weights, strict=True))
