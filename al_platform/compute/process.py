"""A job's own process: reads its folder, works, tells how far it is, and why it ended."""

import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from al_platform.compute.base import RunJob
from al_platform.compute.folders import JobFolder
from al_platform.domain.progress import Progress
from al_platform.errors import PlatformError, Stopped

_TELL_EVERY_S = 0.1

STOPPED, FAILED = 130, 2
"""Exit codes: asked to stop, and an error with a message."""


def work_in(path: Path, run: RunJob) -> int:
    """Do the job of a folder; gives the exit code. What nobody foresaw ends the process with a traceback."""
    folder = JobFolder(path)
    report = _Report(folder)
    signal.signal(signal.SIGINT, report.interrupt)
    try:
        job = folder.job()
        sys.stdout.write(f"{job.kind} {job.record}\n")
        sys.stdout.flush()
        run(job, report)
    except PlatformError as error:
        with suppress(OSError):  # on a full disk the exit code has to say it
            folder.fail(type(error).__name__, str(error))
        return STOPPED if isinstance(error, Stopped) else FAILED
    return 0


class _Report:
    """Keeps reports for whoever looks, a few a second; stops the work at the next one after it was asked to."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._stopping = False
        self._told: tuple[str, float] = ("", 0.0)

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Take the keeper's signal."""
        del number, frame
        self._stopping = True

    def __call__(self, progress: Progress) -> None:
        stage, at = self._told
        now = time.monotonic()
        if progress.stage != stage or progress.done >= progress.total or now - at >= _TELL_EVERY_S:
            self._told = progress.stage, now
            with suppress(OSError):  # the work matters more than who hears of it
                self._folder.tell(progress)
        if self._stopping or self._folder.stop_asked:
            raise Stopped("was asked to stop; what is finished is kept")
