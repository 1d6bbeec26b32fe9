"""The folder of a job: all that its keeper, its process and whoever asks say to each other, as small files."""

import json
import signal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from al_platform.compute.base import JobState, JobStatus
from al_platform.domain.hashing import canonical_json
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.errors import NotFound, Stopped, StorageUnavailable

ALIVE = "alive"
"""Locked by the keeper and by the job as long as one of them lives: no process number is ever trusted."""

ASKED = "asked"
"""Locked for a moment by whoever submits or asks."""

STOP = "stop"
"""There once somebody asked the job to stop."""

EXIT = "exit.json"
"""Written by the keeper at the end."""

LOG = "log"
"""What the job and its keeper print."""

_JOB, _PROGRESS, _ERROR = "job.json", "progress.json", "error.json"
_LAST_CHARACTERS = 600

Record = TypeVar("Record")


class JobFolder:
    """The files of one job. What is torn or garbage counts as not there: no answer depends on them alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def stop_asked(self) -> bool:
        """Whether somebody asked the job to stop."""
        return (self.path / STOP).exists()

    def begin(self, job: Job) -> None:
        """Write a job down, and forget how the one before ended.

        Raises: OSError where the disk is full or read-only.
        """
        for name in (STOP, EXIT, _PROGRESS, _ERROR):
            (self.path / name).unlink(missing_ok=True)
        _replace(self.path / _JOB, canonical_json(job))

    def job(self) -> Job:
        """Give the job.

        Raises: NotFound where there is none, StorageUnavailable where it is torn.
        """
        path = self.path / _JOB
        if not path.is_file():
            raise NotFound(f"job {path}: not there; jobs are started by `alp serve`")
        job = _read(path, Job)
        if job is None:
            raise StorageUnavailable(f"job {path}: is torn or of another version; delete {self.path}")
        return job

    def ask_to_stop(self) -> None:
        """Ask the job to stop."""
        (self.path / STOP).touch()

    def tell(self, progress: Progress) -> None:
        """Keep the newest report."""
        _replace(self.path / _PROGRESS, canonical_json(list(progress)))

    def progress(self) -> Progress | None:
        """Give the newest report."""
        values = _read_plain(self.path / _PROGRESS)
        return Progress(*values) if isinstance(values, list) and len(values) == len(Progress._fields) else None

    def fail(self, kind: str, message: str) -> None:
        """Keep why the job ended."""
        _replace(self.path / _ERROR, canonical_json({"kind": kind, "message": message}))

    def error(self) -> tuple[str, str]:
        """Give (kind, message) of the error that ended the job, empty where it left none."""
        found = _read_plain(self.path / _ERROR)
        return (str(found["kind"]), str(found["message"])) if _has(found, "kind", "message") else ("", "")

    def ended(self) -> tuple[int, Cost] | None:
        """Give exit code (negative: the signal) and cost, None where the keeper left none that can be read."""
        found = _read_plain(self.path / EXIT)
        if not _has(found, "code", "seconds", "cpu_seconds", "peak_memory_bytes"):
            return None
        try:
            cost = Cost(float(found["seconds"]), float(found["cpu_seconds"]), int(found["peak_memory_bytes"]))
            return int(found["code"]), cost
        except (TypeError, ValueError):
            return None

    def last_words(self) -> str:
        """Give the last of what the job printed, as one line."""
        try:
            text = (self.path / LOG).read_text(errors="replace")
        except OSError:
            return ""
        return " | ".join(text[-_LAST_CHARACTERS:].split("\n")[-4:]).strip(" |")


def end_of(folder: JobFolder) -> JobStatus:
    """Say how a job ended that does not run: by its exit code, the error that it left, and its last words."""
    ended, (kind, message) = folder.ended(), folder.error()
    if ended is None:
        reason = "it and its keeper were killed, or the disk was full; nothing says how far it came"
        return JobStatus(JobState.FAILED, reason=message or reason, error=kind)
    code, cost = ended
    if code == 0:
        return JobStatus(JobState.DONE, cost=cost)
    if kind == Stopped.__name__ or (not kind and folder.stop_asked):
        return JobStatus(JobState.STOPPED, cost=cost)
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    words = folder.last_words()
    reason = message or f"{how}; its last words: {words}" if words or message else how
    return JobStatus(JobState.FAILED, cost=cost, reason=reason, error=kind)


def _has(found: object, *names: str) -> bool:
    return isinstance(found, dict) and all(name in found for name in names)


def _replace(path: Path, text: str) -> None:
    """Readers see the old file or the new one. Not synced: after a power cut nothing of a job is left to be told."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text)
    temporary.replace(path)


def _read(path: Path, kind: type[Record]) -> Record | None:
    try:
        return record_from_json(kind, path.read_text())
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def _read_plain(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
