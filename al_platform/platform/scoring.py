"""A scorer as a process of its own: a storage, its folders, and the id of what is to be scored."""

from pathlib import Path

from al_platform.domain.progress import ReportProgress
from al_platform.domain.scores import Share
from al_platform.platform.compiled import keep_compiled
from al_platform.scoring.job import read_job
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.worker import run_scorer
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches


def run_scorer_process(
    score_id: str, *, storage_url: str, cache_folder: Path, scenarios: Path, share: Share, report: ReportProgress
) -> int:
    """Score what is not finished of a job, beside whoever else does; gives the number of its shards. No catalog.

    Raises: NotFound for an id without a job in this storage, and as `scoring.worker.run_scorer`.
    """
    keep_compiled(cache_folder / "xla")
    place = ScoringPlace(BlobStore(storage_url), RecordCaches(cache_folder), str(scenarios))
    job = read_job(place.files, score_id)
    run_scorer(place, job, share=share, report=report)
    return job.shards
