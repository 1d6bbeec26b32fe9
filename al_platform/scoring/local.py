"""More scorers on this machine: processes that share the storage and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from al_platform.domain.scores import ScoringJob

PROGRAM = (sys.executable, "-m", "al_platform.cli.main")
"""`alp`, with the interpreter that runs now."""


@contextmanager
def local_scorers(job: ScoringJob, *, storage_url: str, cache_folder: Path, scorers: int) -> Iterator[None]:
    """Let scorers 2 to `scorers` of a job run meanwhile; none for a pool of one shard.

    They end when this ends, or its process does: each leaves when its standard input closes. One that dies
    is missed by nobody, since every scorer takes up what the others leave.
    """
    shares = [f"{number}/{scorers}" for number in range(2, min(scorers, job.shards) + 1)]
    running = [_start(job.score_id, share, storage_url, cache_folder) for share in shares]
    try:
        yield
    finally:
        for process in running:
            process.communicate()


def _start(score_id: str, share: str, storage_url: str, cache_folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *PROGRAM,
            *("scorer", score_id, "--storage", storage_url, "--cache", str(cache_folder)),
            *("--share", share, "--until-input-closes"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the process that began them; they leave when it does
    )
