"""A round of scenarios: drivers disagree, the scenes are triaged, accepted ones are learned from."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from al_platform.catalog.check import faults_of
from al_platform.catalog.datasets import version_items
from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.catalog.selections import selection_of
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.driving import OUTCOMES, TAG, policy_model
from al_platform.domain.progress import silent
from al_platform.domain.rounds import Budget, Round, RoundSpec, RoundState, StrategySpec
from al_platform.domain.triage import Verdict
from al_platform.errors import InvalidInput
from al_platform.labeling.base import Clip
from al_platform.loop.clips import clips_of
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, prepare_round, round_details, run_one_round, verify_round
from al_platform.platform.triage import event_precision, triages
from al_platform.storage.files import NamedFiles
from tests.scenes import POLICY, home_with_scenes

pytestmark = pytest.mark.story
TARGETS = ("off_route", "action", f"{TAG}jaywalker")
START, BUDGET = 3, 4


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with home_with_scenes(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def first(platform: Platform) -> Round:
    return run_one_round(platform, spec_of(platform, "mi"))


def spec_of(
    platform: Platform,
    strategy: str,
    *,
    queue: str = "main",
    dataset: str = "",
    targets: tuple[str, ...] = TARGETS,
) -> RoundSpec:
    wanted = RoundSpec(
        model=policy_model(POLICY, targets),
        dataset_version_id=dataset,
        pool_id="",
        targets=targets,
        budget=Budget(BUDGET),
        strategy=StrategySpec(strategy, session_cap=1),
        queue=queue,
    )
    return prepare_round(platform, wanted, pool="dataset=generated", test="", start=START)


def test_the_scenes_that_drivers_disagree_on_are_triaged_and_appended(platform: Platform, first: Round) -> None:
    assert first.state is RoundState.APPENDED
    picks = round_details(platform, first.round_id).selections
    assert [pick.for_class for pick in picks] == [*TARGETS, TARGETS[0]]
    with platform.catalog.transaction() as tx:
        start = {item.item_id for item in version_items(tx, platform.blobs, first.spec.dataset_version_id)}
        items = {item.item_id: item for item in version_items(tx, platform.blobs, first.dataset_version_id or "")}
    found = triages(platform, first.round_id)
    assert items.keys() == start | {pick.item_id for pick in picks}
    assert not start & {pick.item_id for pick in picks}
    assert all(items[name].annotation_id == "" for name in start)
    assert [triage.item_id for triage in found] == [pick.item_id for pick in picks]
    assert {triage.verdict for triage in found} == {Verdict.ACCEPT}
    assert [dict(triage.events) for triage in found] == [
        {pick.for_class: True} if pick.for_class in OUTCOMES and pick.score > 0.0 else {} for pick in picks
    ]


def test_precision_of_an_event_is_what_triage_confirmed(platform: Platform, first: Round) -> None:
    picks = round_details(platform, first.round_id).selections
    seen = sum(pick.for_class == "off_route" and pick.score > 0.0 for pick in picks)
    found = event_precision(platform, first.round_id)
    assert [(each.event, each.confirmed, each.denied) for each in found] == [("off_route", seen, 0)][: bool(seen)]
    assert all(each.precision == 1.0 for each in found)


def test_a_round_of_scenarios_is_selected_again_bit_for_bit(platform: Platform, first: Round) -> None:
    assert verify_round(platform, first.round_id) == []
    files = NamedFiles(platform.blobs.url)
    before = contents(files, first.score_id or "")
    for name in before:
        Path(files.path(name)).unlink()
    assert verify_round(platform, first.round_id) == []
    assert contents(files, first.score_id or "") == before


def test_what_was_picked_is_not_picked_again(platform: Platform, first: Round) -> None:
    second = run_one_round(platform, spec_of(platform, "mi", dataset=first.dataset_version_id or ""))
    picks = [pick.item_id for each in (first, second) for pick in round_details(platform, each.round_id).selections]
    assert len(set(picks)) == len(picks) == 2 * BUDGET
    assert second.score_id == first.score_id


@pytest.mark.parametrize("strategy", ["mi", "random"])
def test_a_queue_for_a_tag_never_fills_with_scenes_that_lack_it(platform: Platform, strategy: str) -> None:
    spec = spec_of(platform, strategy, queue=f"tagged-{strategy}", targets=TARGETS[2:])
    round_ = run_one_round(platform, spec)
    with platform.catalog.transaction() as tx:
        tagged = {each.scenario_id for each in scenarios_of_filter(tx, "jaywalker=1")}
        labelled = {item.item_id for item in version_items(tx, platform.blobs, spec.dataset_version_id)}
    picks = round_details(platform, round_.round_id).selections
    assert {pick.item_id for pick in picks} == tagged - labelled
    assert 0 < len(picks) < BUDGET
    assert verify_round(platform, round_.round_id) == []
    with pytest.raises(
        InvalidInput, match=r"none of the \d+ scenarios that could be picked is suited to tag:jaywalker"
    ):
        run_one_round(platform, replace(spec, seed=1))


def test_people_see_the_drive_in_which_an_event_was_detected_beside_the_recorded_one(
    platform: Platform, first: Round
) -> None:
    context = loop_context(platform)
    with platform.catalog.transaction() as tx:
        picked = tasks_of(tx, first.round_id)
    drawing = replace(first, spec=replace(first.spec, model=replace(first.spec.policy_model, drives=2)))
    plain = clips_of(context, drawing, [replace(task, score=0.0) for task in picked])
    shown = clips_of(context, drawing, [replace(task, for_class="off_route", score=0.5) for task in picked])
    assert all(wide(platform, clip) is False for clip in plain.values())
    assert any(wide(platform, clip) for clip in shown.values()), "who draws what to do leaves the route somewhere"
    assert clips_of(context, first, picked).keys() == plain.keys()


def test_the_lineage_of_a_version_reaches_its_scenes(platform: Platform, first: Round) -> None:
    nodes = lineage(platform, first.dataset_version_id or "")
    assert {"scenario", "task", "round", "scores", "pool"} <= {node.kind for node in nodes.values()}
    with platform.catalog.transaction() as tx:
        assert list(faults_of(tx, platform.blobs, silent)) == []
        assert selection_of(tx, first.round_id).ensemble_id == POLICY


@pytest.mark.parametrize("strategy", ["entropy", "variance", "mass", "epishare", "mi-max", "mi-top"])
def test_every_score_of_frames_ranks_scenes(platform: Platform, strategy: str) -> None:
    round_ = run_one_round(platform, spec_of(platform, strategy, queue=strategy))
    assert len(round_details(platform, round_.round_id).selections) == BUDGET


@pytest.mark.parametrize("strategy", ["random", "stratified"])
def test_scenes_are_drawn_without_scores(platform: Platform, strategy: str) -> None:
    round_ = run_one_round(platform, spec_of(platform, strategy, queue=strategy))
    assert (round_.score_id, round_.state) == (None, RoundState.APPENDED)


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("mixdist", "scenarios have none"),
        ("epidist", "scenarios have none"),
        ("core-set", "scenarios have none"),
        ("manual", "imitates a curator"),
    ],
)
def test_a_strategy_that_needs_what_scenes_lack_is_refused(platform: Platform, strategy: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=rf"strategy {strategy}.*{reason}"):
        spec_of(platform, strategy)


def wide(platform: Platform, clip: Clip) -> bool:
    """Whether two pictures stand side by side in a clip, which moves."""
    with Image.open(BytesIO(platform.blobs.get(clip.picture.hash))) as picture:
        assert getattr(picture, "n_frames", 1) > 5
        return picture.width > picture.height


def contents(files: NamedFiles, score_id: str) -> dict[str, pa.Table]:
    folder = f"scores/{score_id}"
    names = [f"{folder}/{name}" for name in files.names(folder) if name.endswith(".parquet")]
    return {name: pq.read_table(pa.BufferReader(files.read(name))) for name in names}
