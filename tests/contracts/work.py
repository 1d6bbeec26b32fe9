"""Work for the compute backends: what a job does is named by its kind. Also the program of such jobs.

The record of a job is a folder: every run adds a line to `runs` there, and what waits waits for `go`.
"""

import os
import signal
import sys
import time
from pathlib import Path

from al_platform.compute.process import work_in
from al_platform.domain.jobs import Job
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import NonFiniteScore, Stopped

PROGRAM = (sys.executable, "-m", "tests.contracts.work")


def run(job: Job, report: ReportProgress) -> None:
    """Do what the kind of a job says."""
    folder = Path(job.record)
    with (folder / "runs").open("a") as runs:
        runs.write(f"{os.getpid()} {os.getppid()}\n")
    if job.kind == "wait":
        _wait(folder, report)
    elif job.kind == "fail":
        raise NonFiniteScore("score of frame frm_7 is nan")
    elif job.kind == "crash":
        raise RuntimeError("a thing that nobody foresaw")
    elif job.kind == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        report(Progress("deaf", 1, 2))
        time.sleep(600)
    (folder / "result").write_text(job.kind)


def _wait(folder: Path, report: ReportProgress) -> None:
    looks = 0
    while not (folder / "go").exists():
        try:
            report(Progress("wait", looks, looks + 1, "looks", 1.5))
        except Stopped:
            (folder / "kept").touch()
            raise
        looks += 1
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(work_in(Path(sys.argv[1]), run))
