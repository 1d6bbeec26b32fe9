"""What a compute backend does: three verbs over keys."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from al_platform.domain.jobs import Cost, Job
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import InvalidInput

GRACE_S = 120.0
"""How long a job that is told to stop may take: a training finishes its stretch of steps and keeps its state."""

RunJob = Callable[[Job, ReportProgress], None]
"""Does the work of a job to its end; reports may raise Stopped, and what is finished stays."""


class JobState(StrEnum):
    """What became of a job. Whether its result is there, only the result says."""

    MISSING = "missing"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class JobStatus:
    """A job as it is: how far while it runs, its cost once it ended, and for a failed one the reason."""

    state: JobState
    progress: Progress | None = None
    cost: Cost | None = None
    reason: str = ""
    error: str = ""
    """The kind of platform error that ended it; "" where it ended otherwise."""


@runtime_checkable
class Compute(Protocol):
    """Runs jobs by key. The same content has the same key, so that it is never computed twice at once."""

    def submit(self, key: str, job: Job, *, report: ReportProgress) -> None:
        """Start a job, unless one of this key is running; one that ended is started again.

        A backend that computes here and now returns at the end and reports meanwhile, any other at once; its
        progress is in the status.

        Raises: StorageUnavailable where the job cannot be written down; ComputeUnavailable, as the others, where
            what runs it does not answer.
        """

    def status(self, key: str) -> JobStatus:
        """Say what is known of a job; MISSING for a key that never came."""

    def stop(self, key: str) -> None:
        """Ask a job to stop; it keeps what it finished. One that does not run is left alone."""


def require_key(key: str) -> str:
    """Give a key that may name a file or a process.

    Raises: InvalidInput for any other.
    """
    if not key or not all(letter.isalnum() or letter in "_-" for letter in key):
        raise InvalidInput(f"job key {key!r}: must be letters, digits, _ and -")
    return key
