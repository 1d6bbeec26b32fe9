"""The heavy work of rounds and policies, by kind.

`python -m al_platform.platform.jobs FOLDER` is the process of one job.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from al_platform.compute.base import RunJob
from al_platform.compute.process import work_in
from al_platform.domain.jobs import Job
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput
from al_platform.platform.compiled import keep_compiled
from al_platform.policies import comparing, evaluating
from al_platform.policies import worker as policies
from al_platform.scoring import local
from al_platform.training import belief, embedding, worker
from al_platform.training.job import read_training_job
from al_platform.training.place import open_place

PROGRAM = (sys.executable, "-P", "-m", "al_platform.platform.jobs")
"""-P: a folder that happens to be here is none of our packages."""


def run_job(job: Job, report: ReportProgress) -> None:
    """Do the work of a job, whatever its kind; nothing opens the catalog.

    Raises: InvalidInput for a kind that this version does not know, and as each kind says.
    """
    if job.kind not in KINDS:
        raise InvalidInput(f"job of kind {job.kind!r}: known are {', '.join(KINDS)}; run it with the version it is of")
    keep_compiled(Path(job.workplace.cache_folder) / "xla")
    KINDS[job.kind](job, report)


def _train(job: Job, report: ReportProgress) -> None:
    place = open_place(job.workplace)
    worker.run_training(place, read_training_job(place.files, job.record), report=report)


def _score(job: Job, report: ReportProgress) -> None:
    local.run_scorers(job.workplace, job.record, report=report)


def _belief(job: Job, report: ReportProgress) -> None:
    place = open_place(job.workplace)
    belief.run_belief(place, belief.read_belief_job(place.files, job.record), report=report)


def _embed(job: Job, report: ReportProgress) -> None:
    embedding.run_embedding(open_place(job.workplace), job.record, report=report)


def _evaluate(job: Job, report: ReportProgress) -> None:
    evaluating.run_evaluation(job.workplace, job.record, report=report)


def _compare(job: Job, report: ReportProgress) -> None:
    comparing.run_comparison(job.workplace, job.record, report=report)


def _policy(job: Job, report: ReportProgress) -> None:
    policies.run_policy_job(job.workplace, job.record, report=report)


KINDS: Mapping[str, RunJob] = {
    worker.KIND: _train,
    local.KIND: _score,
    belief.KIND: _belief,
    embedding.KIND: _embed,
    evaluating.KIND: _evaluate,
    comparing.KIND: _compare,
    policies.KIND: _policy,
}
"""Kind of a job to what does it."""


if __name__ == "__main__":
    sys.exit(work_in(Path(sys.argv[1]), run_job))
