"""From a key to a result: submitted, or found running, and waited for."""

import time
from collections.abc import Callable

from al_platform.compute.base import Compute, JobState, JobStatus
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.progress import Progress, ReportProgress, silent
from al_platform.errors import Closing, JobFailed, Stopped, error_named

_LOOK_EVERY_S = 0.1
_STARTS = 3
"""How often a job may end well without the result that was asked for: it may have been running for somebody else."""


def finish(
    compute: Compute, key: str, job: Job, *, finished: Callable[[], bool], report: ReportProgress
) -> Cost | None:
    """See to it that the result of a job is there; gives what it cost, None where no job was ever needed.

    The result is trusted, never the status: `finished` is asked first and last. A job that runs already, started by
    whomever, is waited for. Where `report` raises Stopped the job is stopped and waited for; where it raises Closing
    the job goes on alone.

    Raises: the error that ended the job; JobFailed where it died without one; Stopped, StorageUnavailable.
    """
    for _ in range(_STARTS):
        if finished():
            return compute.status(key).cost
        status = run_to_end(compute, key, job, report=report)
        if not finished():
            require_well(key, status)
    if finished():
        return compute.status(key).cost
    raise JobFailed(f"job {key}: ended well {_STARTS} times, and its result is not in {job.workplace.storage_url}")


def run_to_end(compute: Compute, key: str, job: Job, *, report: ReportProgress) -> JobStatus:
    """Submit a job, or find it running, and wait for its end, whatever that is.

    Raises: Stopped and Closing as `finish`; StorageUnavailable.
    """
    compute.submit(key, job, report=report)
    try:
        _wait(compute, key, report)
    except Closing:
        raise
    except Stopped:
        compute.stop(key)
        _wait(compute, key, silent)
        raise
    return compute.status(key)


def require_well(key: str, status: JobStatus) -> None:
    """Refuse a job that did not end well.

    Raises: the error that ended it; JobFailed where it died without one; Stopped where somebody else stopped it.
    """
    if status.state is JobState.STOPPED:
        raise Stopped(f"job {key}: was stopped; what it finished is kept")
    if status.state is JobState.FAILED:
        if status.error:
            raise error_named(status.error, status.reason)
        raise JobFailed(f"job {key}: {status.reason}. Run again: it goes on from what it had kept")


def _wait(compute: Compute, key: str, report: ReportProgress) -> None:
    """Return when the job does not run; reports its newest progress again and again, so that it can be stopped."""
    while (status := compute.status(key)).state is JobState.RUNNING:
        report(status.progress or Progress("start", 0, 1))
        time.sleep(_LOOK_EVERY_S)
