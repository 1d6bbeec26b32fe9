"""Several scorers on this machine: processes that share the storage and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from al_platform.domain.jobs import Workplace
from al_platform.domain.progress import ReportProgress
from al_platform.domain.scores import ScoringJob, Share
from al_platform.scoring.job import read_job
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.worker import run_scorer
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches

KIND = "score"
"""Of jobs that do this."""

PROGRAM = (sys.executable, "-m", "al_platform.cli.main")
"""`alp`, with the interpreter that runs now."""


def run_scorers(workplace: Workplace, score_id: str, *, report: ReportProgress) -> None:
    """Score what is missing of a job, by as many processes as the workplace says, this one among them.

    Raises: NotFound for an id without a job in the storage, and as `worker.run_scorer`.
    """
    folder = Path(workplace.cache_folder)
    place = ScoringPlace(BlobStore(workplace.storage_url), RecordCaches(folder), workplace.scenarios_folder)
    job = read_job(place.files, score_id)
    with _others(job, workplace):
        run_scorer(place, job, share=Share(1, workplace.scorers), report=report)


@contextmanager
def _others(job: ScoringJob, workplace: Workplace) -> Iterator[None]:
    """Let scorers 2 to `scorers` of a job run meanwhile; none for a pool of one shard.

    They end when this ends, or its process does: each leaves when its standard input closes. One that dies
    is missed by nobody, since every scorer takes up what the others leave.
    """
    scorers = workplace.scorers
    shares = [f"{number}/{scorers}" for number in range(2, min(scorers, job.shards) + 1)]
    running = [_start(job.score_id, share, workplace) for share in shares]
    try:
        yield
    finally:
        for process in running:
            process.communicate()


def _start(score_id: str, share: str, workplace: Workplace) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *PROGRAM,
            *("scorer", score_id, "--storage", workplace.storage_url, "--cache", workplace.cache_folder),
            *("--scenarios", workplace.scenarios_folder, "--share", share, "--until-input-closes"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the process that began them; they leave when it does
    )
