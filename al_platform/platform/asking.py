"""Judging without waiting: asked again and again, each time it goes as far as it can without computing here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from al_platform.compute.base import JobState, JobStatus
from al_platform.compute.waiting import require_well
from al_platform.domain.jobs import Job
from al_platform.domain.judging import Comparison, Evaluation, JudgeSpec
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.judging import evaluation_job, judging_work, keep_evaluation, known_evaluation, suite
from al_platform.platform.licences import find_decision, license_policy
from al_platform.policies import comparing, evaluating
from al_platform.policies.changes import ComparisonSpec
from al_platform.storage.files import NamedFiles

Result = TypeVar("Result")
Other = TypeVar("Other")

_SPEC = JudgeSpec()
_COMPARE = ComparisonSpec()


@dataclass(frozen=True)
class Asked(Generic[Result]):
    """What was asked for."""

    key: str
    """Of the job that runs for it, or ran last."""
    status: JobStatus
    """Of that job; MISSING where none was needed."""
    result: Result | None
    """None as long as it is computed."""


def ask_evaluation(
    platform: Platform, policy_id: str, suite_name: str, *, spec: JudgeSpec = _SPEC, again: bool = False
) -> Asked[Evaluation]:
    """Have a policy evaluated and do not wait: to be asked again and again, by as many as like; one job runs.

    A backend that computes here and now ends first. `again` starts a job anew that ended without a result.

    Raises: NotFound for an unknown policy or suite; else the error that ended the job.
    """
    job = evaluation_job(platform, policy_id, suite_name, spec)
    files, key = NamedFiles(platform.blobs.url), job.evaluation_id
    known = known_evaluation(platform, job)
    if known is not None:
        return Asked(key, platform.compute.status(key), known)

    def work() -> Job:
        evaluating.write_evaluation_job(files, job)
        return judging_work(platform, evaluating.KIND, job.name)

    asked = _asked(platform, key, work, lambda: evaluating.find_evaluation(files, job), again=again)
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
