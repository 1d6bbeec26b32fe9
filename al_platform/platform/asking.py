"""Judging and training without waiting: asked again and again, each time as far as it goes without computing here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from al_platform.catalog.policies import find_policy
from al_platform.compute.base import JobState, JobStatus
from al_platform.compute.waiting import require_well
from al_platform.domain.jobs import Job
from al_platform.domain.judging import Comparison, Evaluation, Fix, JudgeSpec
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.operations import FixWish
from al_platform.domain.policies import PolicyVersion
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.errors import InvalidInput
from al_platform.loop import policies as training
from al_platform.platform.fixes import fix_of, fix_question
from al_platform.platform.home import Platform
from al_platform.platform.judging import evaluation_job, judging_work, keep_evaluation, known_evaluation, suite
from al_platform.platform.licences import find_decision, license_policy
from al_platform.platform.rounds import loop_context
from al_platform.policies import comparing, evaluating
from al_platform.policies.changes import ComparisonSpec
from al_platform.policies.evaluating import EvaluationJob
from al_platform.storage.files import NamedFiles
from sim.varying import VariationSpec

Result = TypeVar("Result")
Other = TypeVar("Other")
Given_co = TypeVar("Given_co", covariant=True)

_SPEC = JudgeSpec()
_COMPARE = ComparisonSpec()


@dataclass(frozen=True)
class Asked(Generic[Given_co]):
    """What was asked for."""

    key: str
    """Of the job that runs for it, or ran last."""
    status: JobStatus
    """Of that job; MISSING where none was needed."""
    result: Given_co | None
    """None as long as it is computed."""


def ask_evaluation(
    platform: Platform, policy_id: str, suite_name: str, *, spec: JudgeSpec = _SPEC, again: bool = False
) -> Asked[Evaluation]:
    """Have a policy evaluated and do not wait: to be asked again and again, by as many as like; one job runs.

    A backend that computes here and now ends first. `again` starts a job anew that ended without a result.

    Raises: NotFound for an unknown policy or suite; else the error that ended the job.
    """
    job = evaluation_job(platform, policy_id, suite_name, spec)
    known = known_evaluation(platform, job)
    if known is not None:
        return Asked(job.evaluation_id, platform.compute.status(job.evaluation_id), known)
    asked = _ask_drives(platform, job, again=again)
    if asked.result is not None:
        keep_evaluation(platform, asked.result)
    return asked


def ask_comparison(
    platform: Platform,
    before: str,
    after: str,
    suite_name: str,
    *,
    spec: JudgeSpec = _SPEC,
    wanted: ComparisonSpec = _COMPARE,
    again: bool = False,
) -> Asked[Comparison]:
    """Have two policies compared and do not wait, as `ask_evaluation`: each drives first, then they are compared.

    Raises: as `ask_evaluation`; InvalidInput for a policy against itself.
    """
    if before == after:
        raise InvalidInput(f"policy {before}: is compared with itself; name two")
    chosen = suite(platform, suite_name)
    drives = [ask_evaluation(platform, each, suite_name, spec=spec, again=again) for each in (before, after)]
    evaluations = [drive.result for drive in drives if drive.result is not None]
    if len(evaluations) < len(drives):
        return _unfinished(next(drive for drive in drives if drive.result is None))
    files, (first, second) = NamedFiles(platform.blobs.url), evaluations
    job = comparing.make_comparison_job(first, second, scenarios_hash=chosen.scenarios_hash, spec=wanted)

    def work() -> Job:
        comparing.write_comparison_job(files, job)
        return judging_work(platform, comparing.KIND, job.name)

    return _asked(platform, job.comparison_id, work, lambda: comparing.find_comparison(files, job), again=again)


def ask_fix(platform: Platform, wish: FixWish, *, again: bool = False) -> Asked[Fix]:
    """Have variations of a scenario driven by two policies and do not wait, as `ask_evaluation`.

    Raises: NotFound for an unknown policy or scenario; else the error that ended a job; InvalidInput where no
        variation can be driven.
    """
    varied = VariationSpec(count=wish.variations, seed=wish.seed)
    question = fix_question(platform, wish.scenario_id, wish.before, wish.after, variations=varied, spec=wish.spec)
    drives = [_ask_drives(platform, job, again=again) for job in question.jobs]
    results = [drive.result for drive in drives if drive.result is not None]
    if len(results) < len(drives):
        return _unfinished(next(drive for drive in drives if drive.result is None))
    return Asked(drives[-1].key, drives[-1].status, fix_of(platform, question, results))


def ask_policy(platform: Platform, request: PolicyRequest, *, again: bool = False) -> Asked[PolicyVersion]:
    """Have a policy trained and do not wait, as `ask_evaluation`; one that was stopped goes on from its checkpoint.

    Raises: as `loop.policies.policy_job`; else the error that ended the job.
    """
    context = loop_context(platform)
    job = training.policy_job(context, request)
    with platform.catalog.transaction() as tx:
        known = find_policy(tx, training.policy_id_of(request, job))
    if known is not None:
        return Asked(job.training_id, platform.compute.status(job.training_id), known)
    asked = _asked(
        platform,
        job.training_id,
        lambda: training.policy_work(context, job),
        lambda: training.trained_by(context, job),
        again=again,
    )
    if asked.result is None:
        return _unfinished(asked)
    return Asked(asked.key, asked.status, training.keep_policy(context, request, job, cost=asked.status.cost))


def ask_licence(platform: Platform, policy_id: str, spec: LicenceSpec, *, again: bool = False) -> Asked[Licence]:
    """Have a licence decided and do not wait, as `ask_evaluation`: the policy drives first.

    Raises: as `ask_evaluation`; InvalidInput for a name under which something else is asked for.
    """
    decided = find_decision(platform, policy_id, spec)
    if decided is not None:
        return Asked(decided.evaluation_id, JobStatus(JobState.MISSING), decided)
    asked = ask_evaluation(platform, policy_id, spec.suite_id, spec=spec.judged, again=again)
    if asked.result is None:
        return _unfinished(asked)
    return Asked(asked.key, asked.status, license_policy(platform, policy_id, spec))


def _ask_drives(platform: Platform, job: EvaluationJob, *, again: bool) -> Asked[Evaluation]:
    """Have scenarios driven as a job says."""
    files = NamedFiles(platform.blobs.url)

    def work() -> Job:
        evaluating.write_evaluation_job(files, job)
        return judging_work(platform, evaluating.KIND, job.name)

    return _asked(platform, job.evaluation_id, work, lambda: evaluating.find_evaluation(files, job), again=again)


def _asked(
    platform: Platform, key: str, work: Callable[[], Job], find: Callable[[], Result | None], *, again: bool
) -> Asked[Result]:
    """See to it that a job runs where its result is not there."""
    found = find()
    if found is None:
        status = platform.compute.status(key)
        if status.state is not JobState.RUNNING:
            if not again:
                require_well(key, status)
            platform.compute.submit(key, work(), report=platform.report)
            found = find()
    return Asked(key, platform.compute.status(key), found)


def _unfinished(other: Asked[Other]) -> Asked[Result]:
    """What waits for the job of something else."""
    return Asked(other.key, other.status, None)
