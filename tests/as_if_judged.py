"""Policies as if they had driven: everything that their pages show, entered without a simulator."""

import io
from dataclasses import dataclass

from PIL import Image

from al_platform.catalog.datasets import add_version
from al_platform.catalog.judging import add_evaluation, add_licence, add_licence_spec
from al_platform.catalog.operations import save_operation
from al_platform.catalog.policies import add_policy
from al_platform.catalog.scenarios import add_sources
from al_platform.catalog.service_tables import ensure_service_tables
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.judging import EXPERT, Change, Comparison, Estimate, Evaluation, JudgeSpec, Stratum, Suite
from al_platform.domain.licences import LicenceSpec
from al_platform.domain.operations import ComparisonWish, Operation, OperationState
from al_platform.domain.policies import CloningRecipe, PolicySpec, PolicyVersion, PracticeRecipe
from al_platform.domain.scenarios import ScenarioReference, ScenarioSource
from al_platform.platform.home import Platform
from al_platform.platform.judging import evaluation_job, freeze_suite
from al_platform.platform.licences import decide, licence_id_of
from al_platform.policies.changes import ComparisonSpec
from al_platform.policies.comparing import make_comparison_job, write_comparison_job
from al_platform.policies.curve import write_curve
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import keep_record
from tests.judged import CURVE

_SPEC = JudgeSpec()
CLONED, PRACTISED = "pol_cloned", "pol_practised"


@dataclass(frozen=True)
class JudgedPlaces:
    """Pages of what was entered."""

    suite_id: str
    comparison: str
    """Id by which the comparison goes."""
    scenario_id: str

    @property
    def all(self) -> tuple[str, ...]:
        """Their addresses."""
        return (
            f"/policies/{CLONED}",
            f"/policies/{PRACTISED}",
            f"/policies/suites/{self.suite_id}",
            f"/policies/suites/{self.suite_id}?reactive=true",
            f"/policies/suites/{self.suite_id}/live",
            f"/policies/comparisons/{self.comparison}",
            f"/policies/comparisons/{self.comparison}/live",
            "/policies/licences",
            f"/scenarios/{self.scenario_id}",
        )


def enter_judged(platform: Platform, name: str) -> JudgedPlaces:
    """Enter two policies, a suite, evaluations, a comparison with a clip, and licences; all go by one name."""
    scenario_id = _enter_scenario(platform, name)
    _enter_policies(platform, scenario_id)
    suite = freeze_suite(platform, name, "")
    driven = [_enter_evaluation(platform, who, suite, failure=f) for who, f in ((EXPERT, 0.0), (CLONED, 1.0))]
    for licence, limit in ((name, 0.1), ("anybody", 1.0)):
        _enter_licence(platform, LicenceSpec(licence, suite.suite_id, {"failure": limit}), driven[1])
    return JudgedPlaces(suite.suite_id, _enter_comparison(platform, suite, driven, scenario_id, name), scenario_id)


def _enter_scenario(platform: Platform, name: str) -> str:
    scene = ScenarioReference(
        scenario_id="scn_judged",
        dataset="town",
        session_id=f"town/{name}",
        name=name,
        origin=name,
        source_id="src_judged",
        steps=31,
        agents=3,
        vehicles=3,
        pedestrians=0,
        cyclists=0,
        lights=0,
        stop_signs=0,
        route_m=60.0,
        driven_m=40.0,
        shard="shard",
        shard_row=0,
    )
    with platform.catalog.transaction() as tx:
        add_sources(tx, [ScenarioSource("src_judged", "generated", name, (scene.scenario_id,))], [scene])
    return scene.scenario_id


def _enter_policies(platform: Platform, scenario_id: str) -> None:
    curve, now = write_curve(platform.blobs, CURVE), utc_now()
    with platform.catalog.transaction() as tx:
        items = [DatasetItem(scenario_id, "")]
        version = add_version(
            tx, platform.blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=now
        )
        for policy_id, parent, spec in (
            (CLONED, None, PolicySpec(cloning=CloningRecipe())),
            (PRACTISED, CLONED, PolicySpec(members=2, practice=PracticeRecipe())),
        ):
            add_policy(tx, PolicyVersion(policy_id, spec, version.version_id, parent, 0, curve, curve), now=now)


def _enter_evaluation(platform: Platform, who: str, suite: Suite, *, failure: float) -> Evaluation:
    found = Evaluation(
        evaluation_id=evaluation_job(platform, who, suite.suite_id, _SPEC).evaluation_id,
        policy_id=who,
        suite_id=suite.suite_id,
        spec=_SPEC,
        results_hash=suite.scenarios_hash,
        measures={"failure": Estimate(failure, 0.0, 1.0, 1), "progress_ratio": Estimate(0.9, 0.8, 1.0, 1)},
        strata=(Stratum(suite.name, 1, failure),),
        member_failures=(failure, failure),
        seconds=1.0,
    )
    with platform.catalog.transaction() as tx:
        add_evaluation(tx, found, now=utc_now())
    return found


def _enter_licence(platform: Platform, spec: LicenceSpec, evaluation: Evaluation) -> None:
    with platform.catalog.transaction() as tx:
        add_licence_spec(tx, spec, now=utc_now())
        add_licence(tx, decide(licence_id_of(evaluation.policy_id, spec), spec, evaluation), now=utc_now())


def _enter_comparison(platform: Platform, suite: Suite, driven: list[Evaluation], scenario_id: str, reason: str) -> str:
    picture = io.BytesIO()
    Image.new("RGB", (80, 40), (90, 120, 40)).save(picture, "GIF")
    clip = platform.blobs.put(picture.getvalue(), media_type="image/gif")
    wanted, files = ComparisonSpec(clips=6), NamedFiles(platform.blobs.url)
    job = make_comparison_job(*driven, scenarios_hash=suite.scenarios_hash, spec=wanted)
    write_comparison_job(files, job)
    drawn = Change(scenario_id, f"town/{reason}", 0.0, 1.0, "", reason, clip.hash)
    bare = Change(scenario_id, f"town/{reason}", 1.0, 0.0, reason, "")
    found = Comparison(
        comparison_id=job.comparison_id,
        suite_id=suite.suite_id,
        before=driven[0].evaluation_id,
        after=driven[1].evaluation_id,
        differences={"failure": Estimate(1.0, 1.0, 1.0, 1), "jerk": Estimate(0.1, -0.2, 0.3, 1)},
        verdict="worse",
        worse=(drawn,),
        better=(bare,),
    )
    keep_record(files, job.result_name, found)
    wish = ComparisonWish(EXPERT, CLONED, suite.suite_id, _SPEC, wanted.clips, wanted.progress_margin)
    with platform.catalog.transaction() as tx:
        ensure_service_tables(tx)
        save_operation(tx, Operation(wish.wish_id, wish, reason, utc_now(), OperationState.DONE))
    return wish.wish_id
