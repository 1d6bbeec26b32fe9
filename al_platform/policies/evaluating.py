"""The job of driving a suite: from a policy and scenarios in storage to every drive, and what they say together."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from al_platform.domain.environment import environment
from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Workplace
from al_platform.domain.judging import Evaluation, JudgeSpec, SuiteScenario
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, NotFound
from al_platform.policies.driven import estimates, member_failures, strata
from al_platform.policies.results import write_drives
from al_platform.policies.stored import read_drivers
from al_platform.policies.suites import by_layout
from al_platform.policies.wheel import Drive, Wheel, drive_scenarios, expert_wheel, wheels_of
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from al_platform.storage.suites import read_scenarios
from sim.networks import network_named
from sim.varying import Variation, VariationSpec, draw_variations

KIND = "evaluate"
"""Of jobs that do this."""

STAGE = "drive"

FORMULA = "judging/3"
"""Names how drives are measured; raised whenever a number could come out otherwise."""


@dataclass(frozen=True)
class JudgedPolicy:
    """Who drives: a policy, the size of its network and its weights; the expert has neither."""

    policy_id: str
    network: str = ""
    weights_hash: str | None = None


@dataclass(frozen=True)
class EvaluationJob:
    """Who drives what, and how it is judged."""

    evaluation_id: str
    judged: JudgedPolicy
    suite_id: str
    scenarios_hash: str
    spec: JudgeSpec
    variations: VariationSpec | None = None
    """Drive these of every scenario, and the scenario itself as variation 0."""
    formula: str = FORMULA

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"evaluations/{self.evaluation_id}/job.json"

    @property
    def result_name(self) -> str:
        """Give the name of the file that holds its result."""
        return f"evaluations/{self.evaluation_id}/result.json"


def make_evaluation_job(
    judged: JudgedPolicy,
    *,
    suite_id: str,
    scenarios_hash: str,
    spec: JudgeSpec,
    variations: VariationSpec | None = None,
) -> EvaluationJob:
    """Give the job of driving a suite; its id is the content of everything that determines the drives."""
    job = EvaluationJob("", judged, suite_id, scenarios_hash, spec, variations)
    return replace(job, evaluation_id=make_id("evl", job))


def write_evaluation_job(files: NamedFiles, job: EvaluationJob) -> None:
    """Put a job into storage; putting it again changes nothing."""
    keep_record(files, job.name, job)


def read_evaluation_job(files: NamedFiles, name: str) -> EvaluationJob:
    """Give the job of this name.

    Raises: NotFound where there is none, CorruptBlob where it is not what its name says.
    """
    job = find_record(files, name, EvaluationJob)
    if job is None:
        raise NotFound(f"evaluation {name}: no such job in {files.url}; give the storage of its home")
    if job.name != name or make_id("evl", replace(job, evaluation_id="")) != job.evaluation_id:
        raise CorruptBlob(f"{files.path(name)}: was changed; delete it, then evaluate again")
    return job


def find_evaluation(files: NamedFiles, job: EvaluationJob) -> Evaluation | None:
    """Give the result of a job, None where there is none yet.

    Raises: CorruptBlob where it is torn.
    """
    return find_record(files, job.result_name, Evaluation)


def run_evaluation(workplace: Workplace, name: str, *, report: ReportProgress) -> None:
    """Drive every scenario by every driver of the policy, and store what came of it.

    Raises: NotFound for a job, a blob or a scenario that is not there; CorruptBlob for one that was changed;
        InvalidInput for weights of another network size; StorageUnavailable; Stopped where `report` does.
    """
    started = time.monotonic()
    blobs, files = BlobStore(workplace.storage_url), NamedFiles(workplace.storage_url)
    job = read_evaluation_job(files, name)
    if find_evaluation(files, job) is not None:
        return
    scenarios = read_scenarios(blobs, job.scenarios_hash)
    drives: list[Drive] = []
    for part, total in _driven_in_parts(blobs, workplace, job, scenarios):
        drives += part
        report(Progress(STAGE, len(drives), total))
    places = {scenario.scenario_id: place for place, scenario in enumerate(scenarios)}
    drives.sort(key=lambda each: (places[each.driven.unit[0]], each.driven.variation, each.driven.member))
    driven = [drive.driven for drive in drives]
    evaluation = Evaluation(
        evaluation_id=job.evaluation_id,
        policy_id=job.judged.policy_id,
        suite_id=job.suite_id,
        spec=job.spec,
        results_hash=write_drives(blobs, drives),
        measures=estimates(driven),
        strata=tuple(strata(driven)),
        member_failures=member_failures(driven),
        seconds=time.monotonic() - started,
        environment=environment(),
    )
    keep_record(files, job.result_name, evaluation)


def _driven_in_parts(
    blobs: BlobStore, workplace: Workplace, job: EvaluationJob, scenarios: Sequence[SuiteScenario]
) -> Iterator[tuple[list[Drive], int]]:
    """Yield drives, and how many there will be."""
    layouts = by_layout(Path(workplace.scenarios_folder), scenarios)
    wheels = _wheels(blobs, job)
    each = 1 if job.variations is None else job.variations.count + 1
    total = len(scenarios) * len(wheels) * each
    yield [], total
    for store, here in layouts:
        variations = _variations(job.variations, agents=store.sizes.agents)
        for wheel in wheels:
            for part in drive_scenarios(store, here, wheel, variations=variations):
                yield part, total


def _wheels(blobs: BlobStore, job: EvaluationJob) -> list[Wheel]:
    judged = job.judged
    if judged.weights_hash is None:
        return [expert_wheel(job.spec)]
    drivers = read_drivers(blobs, judged.weights_hash, network=network_named(judged.network))
    return wheels_of(drivers, job.spec)


def _variations(spec: VariationSpec | None, *, agents: int) -> tuple[Variation, ...]:
    return () if spec is None else (Variation(), *draw_variations(spec, agents=agents))
