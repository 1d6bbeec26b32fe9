"""Jobs on a Ray cluster, submitted by key. The machines share the storage with the service, and have its program."""

import shlex
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from al_platform.compute.base import GRACE_S, JobState, JobStatus, require_key
from al_platform.compute.remote import told_by
from al_platform.domain.hashing import canonical_json
from al_platform.domain.jobs import Cluster, Job
from al_platform.domain.progress import ReportProgress
from al_platform.errors import ComputeUnavailable, MissingExtra

if TYPE_CHECKING:
    from ray.dashboard.modules.job.pydantic_models import JobDetails
    from ray.job_submission import JobSubmissionClient

_RUN = "run"
_NOT_THERE = "status code 404"
_STOPS = {"RAY_JOB_STOP_SIGNAL": "SIGINT", "RAY_JOB_STOP_WAIT_TIME_S": str(int(GRACE_S))}
"""What Ray reads: how a job is told to stop, and when it is killed."""


class RayJobs:
    """Jobs by submission id: the key and which time it is handed over. `program` gets a job's folder as last argument.

    An id is never used again: what supervised a job that was stopped dies a little later, and a new one of its name
    with it. Progress, cost and errors are lines of the job's log, see `remote`; a cluster that forgot a job says
    nothing of it.
    """

    def __init__(self, cluster: Cluster, program: Sequence[str]) -> None:
        self._cluster = cluster
        self._program = tuple(program)
        self._connected: JobSubmissionClient | None = None

    def submit(self, key: str, job: Job, *, report: ReportProgress) -> None:
        """Hand a job over and return; see `Compute`."""
        del report  # its progress lies in its log
        with self._asked() as client:
            times, known = _newest(client, require_key(key))
            if known is not None and not known.status.is_terminal():
                return
            run, name = uuid.uuid4().hex, _name(key, times + 1)
            try:
                client.submit_job(
                    entrypoint=shlex.join(self._command(run, job)),
                    submission_id=name,
                    runtime_env={"env_vars": _STOPS},
                    metadata={_RUN: run},
                    entrypoint_num_cpus=self._cluster.processors,
                    entrypoint_num_gpus=self._cluster.accelerators,
                )
            except RuntimeError:
                if _details(client, name) is None:  # else somebody else has just submitted it
                    raise

    def status(self, key: str) -> JobStatus:
        """Say what is known of a job; see `Compute`. One that waits for a machine counts as running."""
        with self._asked() as client:
            times, known = _newest(client, require_key(key))
            if known is None:
                return JobStatus(JobState.MISSING)
            log = ""
            with suppress(RuntimeError):  # the machine that kept it is gone, or has not begun
                log = client.get_job_logs(_name(key, times))
        progress, end = told_by(log, (known.metadata or {}).get(_RUN, ""))
        if not known.status.is_terminal():
            return JobStatus(JobState.RUNNING, progress)
        return end or _ended(known)

    def stop(self, key: str) -> None:
        """Ask a job to stop; see `Compute`. Ray kills what does not within the grace."""
        if self.status(key).state is JobState.RUNNING:
            with self._asked() as client:
                client.stop_job(_name(key, _newest(client, key)[0]))

    def _command(self, run: str, job: Job) -> list[str]:
        return [
            "exec",
            sys.executable,
            "-P",
            "-m",
            "al_platform.compute.remote",
            run,
            canonical_json(job),
            *self._program,
        ]

    @contextmanager
    def _asked(self) -> Iterator["JobSubmissionClient"]:
        """Give the client, made when it is first needed: a service starts where its cluster is down."""
        try:
            if self._connected is None:
                self._connected = _client(self._cluster.address)
            yield self._connected
        except (OSError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise ComputeUnavailable(
                f"Ray at {self._cluster.address}: {reason}; start the cluster, or correct ALP_RAY_ADDRESS"
            ) from error


def _client(address: str) -> "JobSubmissionClient":
    try:
        from ray.job_submission import JobSubmissionClient  # noqa: PLC0415 two seconds, and only where Ray computes
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"{missing.name}: is not installed; pip install 'al-platform[ray]'") from missing
    return JobSubmissionClient(address)


def _name(key: str, times: int) -> str:
    return f"{key}-{times}"


def _newest(client: "JobSubmissionClient", key: str) -> "tuple[int, JobDetails | None]":
    """How often a job was handed over, and what is known of the last time."""
    times, newest = 0, None
    while (known := _details(client, _name(key, times + 1))) is not None:
        times, newest = times + 1, known
    return times, newest


def _details(client: "JobSubmissionClient", name: str) -> "JobDetails | None":
    try:
        return client.get_job_info(name)
    except RuntimeError as error:
        if _NOT_THERE in str(error):
            return None
        raise


def _ended(known: "JobDetails") -> JobStatus:
    """How a job ended that left no word."""
    state = {"SUCCEEDED": JobState.DONE, "STOPPED": JobState.STOPPED}.get(known.status.value, JobState.FAILED)
    if state is not JobState.FAILED:
        return JobStatus(state)
    message = " ".join((known.message or "").split()) or "nothing says why"
    return JobStatus(state, reason=f"Ray says: {message}")
