"""Jobs in this very process: for commands that end with their work."""

import resource
import threading
import time

from al_platform.compute.base import JobState, JobStatus, RunJob
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import PlatformError, Stopped

_KILOBYTE = 1024


class InlineJobs:
    """Jobs that are computed by whoever submits them, and forgotten with the process."""

    def __init__(self, run: RunJob) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._known: dict[str, JobStatus] = {}
        self._stopping: set[str] = set()

    def submit(self, key: str, job: Job, *, report: ReportProgress) -> None:
        """Run a job to its end; see `Compute`. One that another thread runs is left to it."""
        with self._lock:
            if self.status(key).state is JobState.RUNNING:
                return
            self._known[key] = JobStatus(JobState.RUNNING)
            self._stopping.discard(key)

        def hear(progress: Progress) -> None:
            self._known[key] = JobStatus(JobState.RUNNING, progress)
            report(progress)
            if key in self._stopping:
                raise Stopped(f"job {key}: was asked to stop")

        ended = JobStatus(JobState.FAILED, reason="an error that nobody foresaw")
        started, cpu = time.monotonic(), time.process_time()
        try:
            ended = self._end_of(job, hear)
        finally:
            cost = Cost(time.monotonic() - started, time.process_time() - cpu, _peak_memory_bytes())
            self._known[key] = JobStatus(ended.state, cost=cost, reason=ended.reason, error=ended.error)

    def status(self, key: str) -> JobStatus:
        """Say what is known of a job; see `Compute`."""
        return self._known.get(key, JobStatus(JobState.MISSING))

    def stop(self, key: str) -> None:
        """Ask a job to stop at its next report; see `Compute`."""
        self._stopping.add(key)

    def _end_of(self, job: Job, hear: ReportProgress) -> JobStatus:
        try:
            self._run(job, hear)
        except Stopped:
            return JobStatus(JobState.STOPPED)
        except PlatformError as error:
            return JobStatus(JobState.FAILED, reason=str(error), error=type(error).__name__)
        return JobStatus(JobState.DONE)


def _peak_memory_bytes() -> int:
    """Of the process so far, with whatever else it did."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE
