"""Jobs as processes of this machine that outlive whoever submitted them."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from al_platform.compute.base import GRACE_S, JobState, JobStatus, require_key
from al_platform.compute.folders import ALIVE, ASKED, JobFolder, end_of
from al_platform.domain.jobs import Job
from al_platform.domain.progress import ReportProgress
from al_platform.errors import StorageUnavailable


class LocalProcesses:
    """Jobs in folders `<folder>/<key>`, each a process with a keeper; whoever opens the folder finds them by key.

    Whether a job runs is told by a lock that it inherits, so a killed service, a killed keeper, a killed job and a
    reused process number are all told apart. `program` is started with the job's folder as its last argument.
    """

    def __init__(self, folder: Path, program: Sequence[str], *, grace_s: float = GRACE_S) -> None:
        self._folder = folder
        self._program = tuple(program)
        self._grace_s = grace_s

    def submit(self, key: str, job: Job, *, report: ReportProgress) -> None:
        """Start a job and return; see `Compute`."""
        del report  # its progress lies in its folder
        path = self._path(key)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with _asking(path), _lock_of(path) as lock:
                if _taken(lock):
                    return
                JobFolder(path).begin(job)
                self._start(path, lock)
        except OSError as error:
            raise StorageUnavailable(
                f"job {path}: {error.strerror or error}. Free space or make it writable, then run again"
            ) from error

    def status(self, key: str) -> JobStatus:
        """Say what is known of a job; see `Compute`."""
        path = self._path(key)
        if not (path / ALIVE).exists():
            return JobStatus(JobState.MISSING)
        folder = JobFolder(path)
        with _asking(path), _lock_of(path) as lock:
            running = _taken(lock)
        return JobStatus(JobState.RUNNING, folder.progress()) if running else end_of(folder)

    def stop(self, key: str) -> None:
        """Ask a job to stop; see `Compute`. What does not stop within the grace is killed."""
        if self.status(key).state is JobState.RUNNING:
            JobFolder(self._path(key)).ask_to_stop()

    def _path(self, key: str) -> Path:
        return self._folder / require_key(key)

    def _start(self, path: Path, lock: int) -> None:
        keeper = (sys.executable, "-P", "-m", "al_platform.compute.keeper", str(path), str(lock), str(self._grace_s))
        with (path / "log").open("ab") as log:
            started = subprocess.run(
                [*keeper, *self._program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the process that submitted
                pass_fds=[lock],
                check=False,
            )
        if started.returncode:
            raise StorageUnavailable(f"job {path}: its keeper did not start ({JobFolder(path).last_words()})")


def forget_ended(folder: Path, *, before: float) -> list[str]:
    """Delete the folders of jobs that do not run and were last written to before a moment (s since 1970).

    Gives their keys. What they computed lies in the storage, what it cost in the steps of their rounds.
    """
    forgotten = []
    for path in sorted(folder.glob("*/")):
        with _asking(path), _lock_of(path) as lock:
            if not _taken(lock) and _last_written(path) < before:
                shutil.rmtree(path)
                forgotten.append(path.name)
    return forgotten


def _last_written(path: Path) -> float:
    """When a job or its keeper last wrote a word; the locks are touched by whoever asks."""
    times = [file.stat().st_mtime for file in path.iterdir() if file.name not in (ALIVE, ASKED)]
    return max(times, default=0.0)


@contextmanager
def _asking(path: Path) -> Iterator[None]:
    """One at a time: whoever looks whether a job is alive takes its lock for a moment."""
    with (path / ASKED).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _lock_of(path: Path) -> Iterator[int]:
    descriptor = os.open(path / ALIVE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(lock: int) -> bool:
    """Whether a job holds the lock; else it is ours, until its descriptor is closed everywhere."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
