"""A job on a machine that shares nothing with the service but the storage: works in a folder of its own.

    python -P -m al_platform.compute.remote RUN JOB PROGRAM...

How far the job is and how it ended is told by lines on the standard output, marked with RUN: the log of a cluster may
hold those of earlier runs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import ValidationError

from al_platform.compute.base import JobStatus
from al_platform.compute.folders import LOG, JobFolder, end_of
from al_platform.compute.keeper import write_end
from al_platform.domain.hashing import canonical_json
from al_platform.domain.jobs import Job
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json

_LOOK_EVERY_S = 0.1
_RARELY_S = 60.0
_SHARE = 0.01
"""A line for each hundredth of the time so far, so that the log of a job of days is short."""


def told_by(log: str, run: str) -> tuple[Progress | None, JobStatus | None]:
    """Give the newest progress and the end that a run told of in a log; what is torn counts as not there."""
    progress: Progress | None = None
    end: JobStatus | None = None
    for line in log.splitlines():
        words = line.split(" ", 2)
        if len(words) < 3 or words[0] != run:
            continue
        if words[1] == "progress":
            progress = _progress_from(words[2]) or progress
        elif words[1] == "end":
            end = _end_from(words[2]) or end
    return progress, end


def _progress_from(text: str) -> Progress | None:
    values = _plain(text)
    return Progress(*values) if isinstance(values, list) and len(values) == len(Progress._fields) else None


def _end_from(text: str) -> JobStatus | None:
    try:
        return record_from_json(JobStatus, text)
    except ValidationError:
        return None


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def main() -> int:
    """Do a job in a temporary folder; gives its exit code."""
    run, job, *program = sys.argv[1:]

    def tell(what: str, text: str) -> None:
        sys.stdout.write(f"{run} {what} {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="alp-") as path:
        folder = JobFolder(Path(path))
        folder.begin(record_from_json(Job, job))
        code = keep(folder, program, tell)
        tell("end", canonical_json(end_of(folder)))
    return code


def keep(folder: JobFolder, program: Sequence[str], tell: Callable[[str, str], None]) -> int:
    """Run the program on the folder to its end; Ctrl-C, which it gets too, asks it to stop. Gives its exit code.

    The program stays in this group of processes: what kills the group kills it.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        folder.ask_to_stop()

    signal.signal(signal.SIGINT, interrupt)
    started = time.monotonic()
    with (folder.path / LOG).open("ab") as log:
        process = subprocess.Popen([*program, str(folder.path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    told, at = None, started
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        now, progress = time.monotonic(), folder.progress()
        if progress is not None and progress != told and _worth(progress, told, since=now - at, so_far=now - started):
            tell("progress", canonical_json(list(progress)))
            told, at = progress, now
        time.sleep(_LOOK_EVERY_S)
    write_end(folder.path, status, usage, seconds=time.monotonic() - started)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _worth(progress: Progress, told: Progress | None, *, since: float, so_far: float) -> bool:
    """Whether a report is worth a line."""
    if told is None or progress.stage != told.stage:
        return True
    return since >= min(max(1.0, so_far * _SHARE), _RARELY_S)


if __name__ == "__main__":
    sys.exit(main())
