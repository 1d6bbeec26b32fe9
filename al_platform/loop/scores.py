"""The scores of a round: the job, the scorers that run it, and what the catalog keeps of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog import scores as score_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_in_pool_order
from al_platform.catalog.models import find_ensemble
from al_platform.catalog.rounds import spec_of_scores
from al_platform.catalog.scores import ScoreSet
from al_platform.compute.waiting import finish
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.rounds import RoundSpec
from al_platform.domain.scores import ScoringJob, ShardMarker
from al_platform.errors import NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.kinds import kind_of
from al_platform.scoring.fetch import ClassFiles, local_shards
from al_platform.scoring.job import read_job, write_job
from al_platform.scoring.local import KIND
from al_platform.scoring.markers import finished_markers
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.read import DenseScores, dense_scores, scores_of_row
from al_platform.storage.pools import row_of_item


@dataclass(frozen=True)
class ItemUncertainty:
    """What one ensemble thought of a frame: {class: {measure: value}}; when it was scored, in UTC."""

    score_id: str
    ensemble_id: str
    scored_at: str
    measures: dict[str, dict[str, float]]


def job_of(tx: Transaction, context: LoopContext, spec: RoundSpec, picker_id: str) -> ScoringJob:
    """Give the job of scoring the pool of a round by an ensemble or policy.

    Raises: NotFound for an unknown ensemble, policy, encoder or pool.
    """
    return kind_of(spec.model).job_of(tx, context, spec.model, picker_id, spec.pool_id)


@dataclass(frozen=True)
class ScoredPool:
    """The markers of all shards of a job, and what computing them took: None where nothing ever was computed here."""

    markers: list[ShardMarker]
    cost: Cost | None = None


def score_pool(context: LoopContext, job: ScoringJob) -> ScoredPool:
    """Score what is missing of a pool by a job, in as many processes as the workplace says.

    Raises: as `scoring.worker.run_scorer`, and `compute.waiting.finish`.
    """
    files = place_of(context).files
    markers = finished_markers(files, job)
    if len(markers) == job.shards:
        return ScoredPool(list(markers.values()), context.compute.status(job.score_id).cost)
    write_job(files, job)
    cost = finish(
        context.compute,
        job.score_id,
        Job(KIND, job.score_id, context.workplace),
        finished=lambda: len(finished_markers(files, job)) == job.shards,
        report=context.report,
    )
    context.caches.forget()
    return ScoredPool(list(finished_markers(files, job).values()), cost)


@dataclass(frozen=True)
class ScoreFiles:
    """The scores of a pool as files of this machine: of each class in turn, and which rows are in them, bool [N]."""

    paths: ClassFiles
    scored: NDArray[Any]


def pool_scores(context: LoopContext, score_id: str, classes: tuple[str, ...]) -> DenseScores:
    """Give the measures of every row of a scored pool for these classes. What is gone of it is scored again.

    Raises: NotFound for scores that the catalog lacks, CorruptScores naming the file that is not what was written.
    """
    job, markers = _scored_again(context, score_id)
    return dense_scores(place_of(context).files, job, markers, classes)


def pool_score_files(context: LoopContext, score_id: str, classes: tuple[str, ...]) -> ScoreFiles:
    """Give the verified files of a scored pool for these classes; nothing of them is kept in memory.

    Raises: as `pool_scores`.
    """
    job, markers = _scored_again(context, score_id)
    scored = np.ones(job.frames, bool)
    scored[[item.row for marker in markers for item in marker.unreadable]] = False
    folder = context.caches.folder / "scores"
    return ScoreFiles(local_shards(place_of(context).files, markers, classes, folder=folder), scored)


def _scored_again(context: LoopContext, score_id: str) -> tuple[ScoringJob, list[ShardMarker]]:
    """The job of a score set and the markers of all its shards; those that are gone are made again."""
    with context.catalog.transaction() as tx:
        job = _job_again(tx, context, score_catalog.score_set_named(tx, score_id))
        known = score_catalog.shards_of(tx, score_id)
    markers = score_pool(context, job).markers
    if known != score_catalog.shards_in(markers):
        with context.catalog.transaction() as tx:
            score_catalog.keep_shards(tx, markers)
    return job, markers


def uncertainty_of(context: LoopContext, frame_id: str) -> list[ItemUncertainty]:
    """Give what every ensemble that scored a pool with this frame thought of it, the oldest first.

    Raises: NotFound for an unknown frame, CorruptScores for a file that is not what was written.
    """
    with context.catalog.transaction() as tx:
        frames_in_pool_order(tx, [frame_id])
        sets = [each for each in score_catalog.all_score_sets(tx) if find_ensemble(tx, each.ensemble_id)]
        jobs = [_job_again(tx, context, each) for each in sets]
    manifests = {job.pool_manifest_hash for job in jobs}
    rows = {manifest: row_of_item(context.blobs, manifest, frame_id) for manifest in manifests}
    found: list[ItemUncertainty] = []
    for scored, job in zip(sets, jobs, strict=True):
        row = rows[job.pool_manifest_hash]
        measures = None if row is None else scores_of_row(place_of(context).files, job, row)
        if measures is not None:
            found.append(ItemUncertainty(scored.score_id, scored.ensemble_id, scored.created_at, measures))
    return found


def place_of(context: LoopContext) -> ScoringPlace:
    """Give where the scorers of this home read and write."""
    return ScoringPlace(context.blobs, context.caches, context.workplace.scenarios_folder)


def _job_again(tx: Transaction, context: LoopContext, scored: ScoreSet) -> ScoringJob:
    """The job of a score set: as it lies in storage, or made anew where it is gone."""
    try:
        return read_job(place_of(context).files, scored.score_id)
    except NotFound as missing:
        spec = spec_of_scores(tx, scored.score_id)
        job = job_of(tx, context, spec, scored.ensemble_id) if spec else None
        if job is None or job.score_id != scored.score_id:
            raise NotFound(
                f"scores {scored.score_id}: gone from storage, and made by {scored.formula} where this version makes "
                f"{job.formula if job else 'none without a round'}; submit the round with another seed"
            ) from missing
        return job
