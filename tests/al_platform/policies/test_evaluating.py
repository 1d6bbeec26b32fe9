"""Suites driven by jobs: every scenario and driver once, the same numbers again, and what is lost or changed told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.domain.jobs import Workplace
from al_platform.domain.judging import EXPERT, Evaluation, JudgeSpec, SuiteScenario
from al_platform.domain.progress import Progress, silent
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import workplace_of
from al_platform.policies.changes import ComparisonSpec
from al_platform.policies.comparing import find_comparison, make_comparison_job, run_comparison, write_comparison_job
from al_platform.policies.evaluating import (
    JudgedPolicy,
    find_evaluation,
    make_evaluation_job,
    run_evaluation,
    write_evaluation_job,
)
from al_platform.policies.results import read_drives, write_drives
from al_platform.policies.stored import write_drivers
from al_platform.policies.suites import suite_scenario
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.suites import read_scenarios, write_scenarios
from sim.varying import VariationSpec
from tests.fleet import settings_of
from tests.judged import CRUISE, HALT, RACE, SCENES, drivers_that, make_judged_home

pytestmark = pytest.mark.long


class Bench:
    """Scenes in a store, and jobs on them."""

    def __init__(self, home: Path) -> None:
        make_judged_home(home)
        settings = settings_of(home)
        self.workplace: Workplace = workplace_of(settings)
        self.blobs, self.files = BlobStore(settings.storage_url), NamedFiles(settings.storage_url)
        with open_platform(settings) as platform, platform.catalog.transaction() as tx:
            self.scenarios = tuple(suite_scenario(each) for each in scenarios_of_filter(tx, ""))
        self.told: list[Progress] = []

    def evaluate(
        self,
        *accelerations: float,
        scenarios: tuple[SuiteScenario, ...] | None = None,
        variations: VariationSpec | None = None,
        network: str = "xs",
    ) -> Evaluation:
        """The expert drives where no acceleration is named."""
        judged = JudgedPolicy(EXPERT)
        if accelerations:
            weights = write_drivers(self.blobs, drivers_that(*accelerations))
            judged = JudgedPolicy(f"pol_{accelerations}", network, weights)
        listed = write_scenarios(self.blobs, self.scenarios if scenarios is None else scenarios)
        job = make_evaluation_job(
            judged, suite_id="sui_1", scenarios_hash=listed, spec=JudgeSpec(), variations=variations
        )
        write_evaluation_job(self.files, job)
        run_evaluation(self.workplace, job.name, report=self.told.append)
        found = find_evaluation(self.files, job)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench") / "home")


def test_every_driver_drives_every_scenario_and_their_means_are_the_policys(bench: Bench) -> None:
    bench.told.clear()
    found = bench.evaluate(HALT, RACE)
    drives = read_drives(bench.blobs, found.results_hash, bench.scenarios)
    keys = [(each.driven.scenario.scenario_id, each.driven.member) for each in drives]
    assert keys == [(scenario.scenario_id, member) for scenario in bench.scenarios for member in range(2)]
    assert (bench.told[0].done, bench.told[-1].done, bench.told[-1].total) == (0, 2 * SCENES, 2 * SCENES)
    failures = np.array([each.driven.failed for each in drives], float)
    assert found.measures["failure"].mean == pytest.approx(failures.mean())
    assert found.member_failures == pytest.approx((failures[::2].mean(), failures[1::2].mean()))
    assert found.measures["failure"].scenarios == SCENES
    ratios = np.array([each.driven.measures["progress_ratio"] for each in drives])
    assert ratios[::2].mean() < ratios[1::2].mean()
    assert found.environment["jax"]


def test_the_expert_never_fails_and_is_judged_like_a_policy(bench: Bench) -> None:
    found = bench.evaluate()
    assert (found.policy_id, found.measures["failure"].mean) == (EXPERT, 0.0)
    assert found.measures["progress_ratio"].mean == pytest.approx(1.0, abs=0.01)
    assert {stratum.failures for stratum in found.strata} == {0.0}


def test_drives_come_back_with_their_ways(bench: Bench) -> None:
    found = bench.evaluate()
    drives = read_drives(bench.blobs, found.results_hash, bench.scenarios)
    assert write_drives(bench.blobs, drives) == found.results_hash
    for drive in drives:
        assert drive.poses.shape == (31, 3)
        assert np.isfinite(drive.poses).all()
    with pytest.raises(CorruptBlob, match="no drives through this suite"):
        read_drives(bench.blobs, found.results_hash, bench.scenarios[1:])
    with pytest.raises(CorruptBlob, match="no drives through this suite"):
        read_drives(bench.blobs, bench.blobs.put(b"neither").hash, bench.scenarios)


def test_evaluated_again_nothing_is_driven(bench: Bench) -> None:
    found = bench.evaluate(HALT, RACE)
    bench.told.clear()
    assert bench.evaluate(HALT, RACE) == found
    assert bench.told == []


def test_what_is_lost_or_of_another_size_is_named(bench: Bench) -> None:
    lost = replace(bench.scenarios[0], scenario_id="scn_lost")
    with pytest.raises(NotFound, match=r"scn_lost: not in the store.*ingest or generate it again"):
        bench.evaluate(scenarios=(*bench.scenarios, lost))
    with pytest.raises(InvalidInput, match="name a policy of this size"):
        bench.evaluate(CRUISE, network="s")
    with pytest.raises(NotFound, match="no such job"):
        run_evaluation(bench.workplace, "evaluations/evl_0/job.json", report=silent)
    changed = make_evaluation_job(JudgedPolicy(EXPERT), suite_id="sui_1", scenarios_hash="x", spec=JudgeSpec())
    write_evaluation_job(bench.files, replace(changed, suite_id="sui_2"))
    with pytest.raises(CorruptBlob, match="was changed"):
        run_evaluation(bench.workplace, changed.name, report=silent)
    with pytest.raises(CorruptBlob, match="lists no scenarios"):
        read_scenarios(bench.blobs, bench.blobs.put(b"[1]").hash)


def test_variations_of_a_scene_are_driven_beside_the_scene_itself(bench: Bench) -> None:
    few = VariationSpec(count=3, start_steps=3, late_steps=2)
    found = bench.evaluate(scenarios=bench.scenarios[:1], variations=few)
    drives = read_drives(bench.blobs, found.results_hash, bench.scenarios[:1])
    assert [each.driven.variation for each in drives] == [0, 1, 2, 3]
    assert found.measures["failure"].scenarios == 4
    assert len(drives[0].poses) == 31
    assert {len(drive.poses) for drive in drives[1:]} <= set(range(20, 32))
    with pytest.raises(InvalidInput, match=r"steps are left.*vary it by less"):
        bench.evaluate(scenarios=bench.scenarios[:1], variations=replace(few, start_steps=1000, count=1))


def test_a_regression_is_listed_with_a_clip_of_both(bench: Bench) -> None:
    halting, racing = bench.evaluate(), bench.evaluate(RACE)
    listed = write_scenarios(bench.blobs, bench.scenarios)
    job = make_comparison_job(halting, racing, scenarios_hash=listed, spec=ComparisonSpec(clips=1))
    write_comparison_job(bench.files, job)
    run_comparison(bench.workplace, job.name, report=silent)
    found = find_comparison(bench.files, job)
    assert found is not None
    failed = {
        each.driven.scenario.scenario_id
        for each in read_drives(bench.blobs, racing.results_hash, bench.scenarios)
        if each.driven.failed
    }
    assert failed
    assert {change.scenario_id for change in found.worse if change.after == 1.0} == failed
    assert found.better == ()
    assert found.differences["failure"].mean == pytest.approx(len(failed) / SCENES)
    first, *others = found.worse
    assert first.after_reason.startswith(("collision", "off", "red", "stop"))
    assert first.before_reason == ""
    assert first.clip_hash is not None
    assert bench.blobs.get(first.clip_hash)[:6] in (b"GIF87a", b"GIF89a")
    assert all(change.clip_hash is None for change in others)
