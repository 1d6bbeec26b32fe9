"""TRAIN: from a dataset version to a measured ensemble; the same inputs never train twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.catalog.frames import frames_matching_among
from al_platform.compute.waiting import finish
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.models import EnsembleVersion
from al_platform.domain.rounds import RoundSpec
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.curriculum import curriculum_weights
from al_platform.loop.label_noise import loss_weights
from al_platform.loop.models import encoder_id_of, encoder_images, labelled_frames
from al_platform.storage.named_records import find_record, keep_record
from al_platform.training.job import (
    FittedEncoder,
    Measured,
    Trained,
    TrainingJob,
    make_training_job,
    write_training_job,
)
from al_platform.training.labelled import Labelled, labelled_of, write_labelled
from al_platform.training.worker import KIND, checkpoints_of


@dataclass(frozen=True)
class TrainOutcome:
    """Which ensemble came out, from how many labelled frames, whether it was there already, and what it took."""

    ensemble_id: str
    labelled_frames: int
    cached: bool
    training_id: str = ""
    """The job, whose record in storage lists all inputs; "" where none was needed."""
    cost: Cost | None = None
    curve: str = ""
    """What the learning curve of drivers is measured on, in words; "" where none were trained."""


@dataclass(frozen=True)
class _Results:
    """What a finished job left in storage."""

    encoder: FittedEncoder
    trained: Trained
    metrics: Mapping[str, Mapping[str, float]]


def train_round(context: LoopContext, spec: RoundSpec) -> TrainOutcome:
    """Train the ensemble of a round and measure it on its test set by a job, or find either.

    The ensemble's id is the hash of all that determines it. The job knows nothing of the catalog; what it left in
    storage is taken in by one transaction.
    """
    encoder_id = encoder_id_of(spec.frame_model, spec.pool_id)
    doubted = _loss_weights(context, spec)
    noise = [] if doubted is None else doubted.tolist()
    initial = [spec.initial_ensemble_id] if spec.initial_ensemble_id else []
    inputs = (spec.frame_model, spec.dataset_version_id, encoder_id, spec.seed, list(spec.curriculum), noise, *initial)
    ensemble_id = make_id("ens", *inputs)
    with context.catalog.transaction() as tx:
        known, test = model_catalog.find_ensemble(tx, ensemble_id), spec.test_version_id
        measured = known and (test is None or model_catalog.metrics_of(tx, ensemble_id, test))
    if known and measured:
        return TrainOutcome(ensemble_id, len(_labelled(context, spec.dataset_version_id).frame_ids), cached=True)
    job, labelled = _job(context, spec, encoder_id, doubted)
    _tell_what_is_known(context, job, known)
    cost = finish(
        context.compute,
        job.training_id,
        Job(KIND, job.name, context.workplace),
        finished=lambda: _results(context, job) is not None,
        report=context.report,
    )
    context.caches.forget()
    _keep(context, spec, job, ensemble_id=ensemble_id)
    return TrainOutcome(ensemble_id, labelled, cached=False, training_id=job.training_id, cost=cost)


def _job(
    context: LoopContext, spec: RoundSpec, encoder_id: str, doubted: NDArray[Any] | None
) -> tuple[TrainingJob, int]:
    """Write down all that the training needs; gives the job, and how many labelled frames it trains on."""
    labelled = replace(_labelled(context, spec.dataset_version_id, spec), loss_weights=doubted)
    test = None if spec.test_version_id is None else _labelled(context, spec.test_version_id)
    with context.catalog.transaction() as tx:
        images = encoder_images(tx, context, spec.pool_id)
    job = make_training_job(
        spec.frame_model,
        seed=spec.seed,
        encoder_id=encoder_id,
        encoder_images=images,
        labelled_hash=write_labelled(context.blobs, labelled),
        test_hash=None if test is None else write_labelled(context.blobs, test),
        initial_hash=_initial_weights(context, spec, encoder_id),
    )
    write_training_job(context.place.files, job)
    return job, len(labelled.frame_ids)


def _initial_weights(context: LoopContext, spec: RoundSpec, encoder_id: str) -> str | None:
    """The weights that training begins with, None for fresh ones."""
    if spec.initial_ensemble_id is None:
        return None
    with context.catalog.transaction() as tx:
        before = model_catalog.ensemble_named(tx, spec.initial_ensemble_id)
    if before.encoder_id != encoder_id or replace(before.spec, training=spec.frame_model.training) != spec.frame_model:
        raise InvalidInput(
            f"initial ensemble {before.ensemble_id}: is of another model or encoder; leave it out for fresh members"
        )
    return before.weights_hash


def _labelled(context: LoopContext, version_id: str, spec: RoundSpec | None = None) -> Labelled:
    """The frames of a dataset version with their labels, weighed by the curriculum of a round."""
    items, frames, annotations = labelled_frames(context, version_id)
    if not items:
        raise InvalidInput(f"dataset version {version_id}: is empty; give a start set of at least 1 labelled frame")
    frame_ids = [item.item_id for item in items]
    return labelled_of(
        [frames[frame_id] for frame_id in frame_ids],
        [annotations[item.annotation_id] for item in items],
        _weights(context, spec, frame_ids) if spec else None,
    )


def _weights(context: LoopContext, spec: RoundSpec, frame_ids: Sequence[str]) -> NDArray[Any] | None:
    return curriculum_weights(
        context, spec.curriculum, frame_ids, version_id=spec.dataset_version_id, among=frames_matching_among
    )


def _loss_weights(context: LoopContext, spec: RoundSpec) -> NDArray[Any] | None:
    doubt = spec.frame_model.training.doubt
    items = labelled_frames(context, spec.dataset_version_id)[0] if doubt else []
    return loss_weights(context, items, doubt=doubt)


def _tell_what_is_known(context: LoopContext, job: TrainingJob, ensemble: EnsembleVersion | None) -> None:
    """Put into storage what the catalog knows of the encoder and the ensemble, so that neither is made again."""
    files = context.place.files
    with context.catalog.transaction() as tx:
        blob_hash = model_catalog.encoder_blob(tx, job.encoder_id)
    if blob_hash is not None:
        keep_record(files, job.encoder_name, FittedEncoder(job.encoder_id, blob_hash))
    if ensemble is not None:
        keep_record(files, job.trained_name, Trained(job.training_id, ensemble.weights_hash, ensemble.members))


def _results(context: LoopContext, job: TrainingJob) -> _Results | None:
    """What lies in storage for a job, None as long as a part of it is missing."""
    files = context.place.files
    encoder = find_record(files, job.encoder_name, FittedEncoder)
    trained = find_record(files, job.trained_name, Trained)
    measured = find_record(files, job.measured_name, Measured) if job.test_hash else None
    if encoder is None or trained is None or (job.test_hash and measured is None):
        return None
    return _Results(encoder, trained, measured.metrics if measured else {})


def _keep(context: LoopContext, spec: RoundSpec, job: TrainingJob, *, ensemble_id: str) -> None:
    results = _results(context, job)
    if results is None:
        raise InvalidInput(f"training {job.training_id}: its results were deleted meanwhile; run the round again")
    checkpoints_of(context.place, job).clear()  # left by a job that died before it could
    ensemble = EnsembleVersion(
        ensemble_id=ensemble_id,
        spec=spec.frame_model,
        dataset_version_id=spec.dataset_version_id,
        encoder_id=job.encoder_id,
        seed=spec.seed,
        weights_hash=results.trained.weights_hash,
        members=results.trained.members,
    )
    with context.catalog.transaction() as tx:
        now = utc_now()
        model_catalog.add_encoder(
            tx,
            job.encoder_id,
            family=spec.frame_model.family,
            pool_id=spec.pool_id,
            blob_hash=results.encoder.blob_hash,
            now=now,
        )
        model_catalog.add_ensemble(tx, ensemble, now=now)
        if spec.test_version_id is not None:
            model_catalog.add_metrics(tx, ensemble_id, spec.test_version_id, results.metrics)
