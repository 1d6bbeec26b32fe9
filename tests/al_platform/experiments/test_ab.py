"""The A/B test over real rounds: what the arms share, what each buys, and what is found again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from al_platform.domain.progress import Progress
from al_platform.domain.rounds import Budget, StrategySpec
from al_platform.errors import InvalidInput, NotFound
from al_platform.experiments.design import make_design
from al_platform.experiments.gallery import PICTURES_PER_ARM
from al_platform.experiments.records import CurvePoint, ExperimentSpec, Thinning
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.platform.data import ingest_dataset
from al_platform.platform.experiments import list_experiments, report_again, run_ab
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from tests.fleet import CLASSES, MODEL, POOL, START, TARGETS, TEST, contents, frames_of

pytestmark = pytest.mark.story
BUDGET, ROUNDS, SEEDS = 5, 2, 2
SPEC = ExperimentSpec(
    name="Two arms",
    model=MODEL,
    targets=TARGETS,
    pool_filter=POOL,
    test_filter=TEST,
    strategies=(StrategySpec("mixdist"), StrategySpec("random", session_cap=2)),
    budget=Budget(BUDGET),
    start=START,
    rounds=ROUNDS,
    seeds=SEEDS,
)
ARMS = ("mixdist", "random cap 2")


def test_arms_share_start_set_and_reference_and_buy_their_budget_in_every_round(platform: Platform) -> None:
    result, report = run_ab(platform, SPEC)
    assert {(point.arm, point.seed, point.round_index) for point in result.points} == {
        (arm, seed, index) for arm in ARMS for seed in range(SEEDS) for index in range(ROUNDS + 1)
    }
    for point in result.points:
        assert point.frames == START + BUDGET * point.round_index
        assert point.picked == (BUDGET if point.round_index else 0)
        assert set(point.average_precision) == set(CLASSES)
    for seed in range(SEEDS):
        references = [comparable(point) for point in result.points if (point.seed, point.round_index) == (seed, 0)]
        assert len(references) == len(ARMS)
        assert references[0] == replace(references[1], arm=references[0].arm)
    starts = {row["purpose"] for row in contents(platform)["dataset_versions"]}
    assert {"start 0", "start 1", "test"} <= starts
    assert report.is_file()
    assert report.name == "report.html"
    summary = json.loads((report.parent / "summary.json").read_text())
    assert summary


def test_the_same_experiment_again_gives_the_same_points_and_trains_nothing(platform: Platform) -> None:
    small = replace(SPEC, seeds=1, rounds=1)
    first, report = run_ab(platform, small)
    known, page = contents(platform), report.read_bytes()
    heard: list[Progress] = []
    again, _ = run_ab(replace(platform, report=heard.append), small)
    assert again.points == first.points
    assert contents(platform) == known
    assert "train" not in {progress.stage for progress in heard}
    assert report_again(platform, first.experiment_id) == report
    assert report.read_bytes() == page
    assert [row["experiment_id"] for row in list_experiments(platform)] == [first.experiment_id]


def test_arms_that_pick_the_same_frames_each_pay_for_them(platform: Platform) -> None:
    twins = (StrategySpec("random"), StrategySpec("random", session_cap=len(frames_of(platform, POOL))))
    result, _ = run_ab(platform, replace(SPEC, strategies=twins, seeds=1, rounds=1))
    tasks = contents(platform)["tasks"]
    assert {row["state"] for row in tasks} == {"labeled"}
    by_queue = [sorted(row["item_id"] for row in tasks if row["queue"] == queue) for queue in queues(platform)]
    assert len(by_queue) == len(twins)
    assert by_queue[0] == by_queue[1]
    last = [comparable(point) for point in result.points if point.round_index == 1]
    assert [point.frames for point in last] == [START + BUDGET] * len(twins)
    assert last[0] == replace(last[1], arm=last[0].arm)


def test_pictures_are_of_what_was_labelled_and_say_what_the_label_showed(platform: Platform) -> None:
    spec = replace(SPEC, strategies=(StrategySpec("mixdist"),), seeds=1, rounds=1, budget=Budget(30, objects=1))
    result, _ = run_ab(platform, spec)
    tasks = contents(platform)["tasks"]
    labelled = sorted((row["rank"], row["item_id"]) for row in tasks if row["state"] == "labeled")
    assert 0 < len(labelled) < len(tasks)
    assert [(picture.rank, picture.frame_id) for picture in result.gallery] == labelled[:PICTURES_PER_ARM]
    for picture in result.gallery:
        assert picture.shows_target == shown(platform, [picture.frame_id], TARGETS)[0]
        assert len(picture.heatmap) == MODEL.grid.rows
        assert min(value for row in picture.heatmap for value in row) >= 0.0


def test_a_test_set_without_a_single_object_leaves_the_curve_empty(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "blank"
    for name, mode in (("images", "RGB"), ("masks", "L")):
        (folder / name).mkdir(parents=True)
        Image.new(mode, (32, 24)).save(folder / name / "street_0.png")
    values = {str(value): name for value, name in enumerate(("background", *CLASSES))}
    (folder / "classes.json").write_text(json.dumps({"values": values}))
    assert ingest_dataset(platform, "masks", str(folder), {}).added == 1
    spec = replace(SPEC, test_filter="dataset=blank", strategies=(StrategySpec("random"),), seeds=1, rounds=1)
    result, _ = run_ab(platform, spec)
    assert [point.average_precision for point in result.points] == [{}, {}]


def test_thinning_keeps_one_in_n_frames_that_show_the_class_always_the_same(platform: Platform) -> None:
    pool = frames_of(platform, POOL)
    showing = {name for name, shows in zip(pool, shown(platform, pool, ("car",)), strict=True) if shows}
    half, hardly = thinned(platform, 2), thinned(platform, 1000)
    assert set(pool) - showing == set(hardly) < set(half) < set(pool)
    assert 0.3 * len(showing) < len(showing & set(half)) < 0.7 * len(showing)
    assert thinned(platform, 2) == half
    assert half == [frame_id for frame_id in pool if frame_id in half]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"test_filter": "dataset=synthetic"},
            r"share 12 sessions, for example synthetic/synthetic_22_\d{4}",
        ),
        ({"pool_filter": "split=nowhere"}, "pool 'split=nowhere': no frame with a known label matches"),
        ({"test_filter": "split=nowhere"}, "test set 'split=nowhere': no frame with a known label matches"),
        ({"strategies": (StrategySpec("best"),)}, "strategy 'best': known are mixdist"),
        ({"strategies": (StrategySpec("mi"),) * 2}, "strategy mi: is named twice"),
        ({"targets": ("tram",)}, r"target tram: not a class of the model \(person, bicycle, car\)"),
        ({"start": 61}, "need .* frames, the pool has 60"),
        ({"rounds": 11}, "start 12, 11 rounds of 5 frames: need 63 frames, the pool has 60"),
        ({"rounds": 11, "budget": Budget(5, 3), "start": 61}, "start 61: the pool has 60 frames"),
        ({"thinning": Thinning("tram", 2)}, "thinning 'tram': no frame of the pool shows it"),
        ({"model": replace(MODEL, family="best")}, "model family best: known are prefix-heads, unet"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_before_anything_is_bought(
    platform: Platform, changes: dict[str, object], message: str
) -> None:
    known = contents(platform)
    with pytest.raises(InvalidInput, match=message):
        run_ab(platform, replace(SPEC, **changes))
    assert contents(platform) == known


def test_a_report_of_an_experiment_that_nobody_ran_is_refused(platform: Platform) -> None:
    with pytest.raises(NotFound, match="experiment exp_none: not in the catalog; `alp experiments` shows"):
        report_again(platform, "exp_none")


def thinned(platform: Platform, keep_one_in: int) -> list[str]:
    """The pool when one in so many frames with a car is left."""
    spec = replace(SPEC, thinning=Thinning("car", keep_one_in), rounds=1, start=1)
    annotator = OfflineAnnotator(platform.sealed, platform.blobs)
    return list(make_design(loop_context(platform), spec, annotator=annotator, oracle=Oracle(platform.sealed)).pool)


def shown(platform: Platform, frame_ids: list[str], classes: Sequence[str]) -> list[bool]:
    """Whether each frame shows any of these classes."""
    shows = Oracle(platform.sealed).shows(frame_ids, classes, MODEL.grid)
    return [bool(any(row)) for row in shows]


def comparable(point: CurvePoint) -> CurvePoint:
    """A point without what the clock says."""
    return replace(point, seconds={})


def queues(platform: Platform) -> list[str]:
    return sorted({row["queue"] for row in contents(platform)["tasks"]})
