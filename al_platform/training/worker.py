"""A trainer: from a job in storage to an ensemble and its metrics in storage; what is there is not made again."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from al_platform.domain.environment import environment
from al_platform.domain.progress import ReportProgress
from al_platform.models.base import Encoder
from al_platform.models.batches import Rows
from al_platform.models.families import family_named
from al_platform.models.records import image_batches
from al_platform.models.weights import weights_from_bytes, weights_to_bytes
from al_platform.storage.checkpoints import OrbaxCheckpoints
from al_platform.storage.named_records import find_record, keep_record
from al_platform.training.ensemble import TrainedEnsemble, train_ensemble
from al_platform.training.evaluate import measure
from al_platform.training.folds import deal_folds
from al_platform.training.frames import LabeledFrames
from al_platform.training.inputs import PresenceMaps
from al_platform.training.job import FittedEncoder, Measured, Trained, TrainingJob
from al_platform.training.labelled import Labelled, read_labelled
from al_platform.training.place import TrainingPlace, inputs_of
from al_platform.training.predict import mean_probabilities

KIND = "train"
"""Of jobs that do this."""


def run_training(place: TrainingPlace, job: TrainingJob, *, report: ReportProgress) -> None:
    """Fit the encoder, train the ensemble from its newest checkpoint, measure it on the test set.

    Raises: InvalidInput for a frame that cannot be read, or labels that nothing can be learned from;
        TrainingDiverged, CorruptBlob, StorageUnavailable; Stopped where `report` does, after a checkpoint.
    """
    encoder = _encoder(place, job, report)
    trained = find_record(place.files, job.trained_name, Trained)
    if trained is None:
        trained = _train(place, job, encoder, report=report)
        keep_record(place.files, job.trained_name, trained)
    checkpoints_of(place, job).clear()
    if job.test_hash is not None and find_record(place.files, job.measured_name, Measured) is None:
        metrics = _measure(place, job, encoder, trained=trained, test_hash=job.test_hash, report=report)
        keep_record(place.files, job.measured_name, Measured(job.training_id, job.test_hash, metrics))


def checkpoints_of(place: TrainingPlace, job: TrainingJob) -> OrbaxCheckpoints:
    """Give where a training keeps its state."""
    work = place.workplace
    return OrbaxCheckpoints(Path(work.runs_folder) / job.training_id, every_s=work.checkpoint_every_s)


@dataclass(frozen=True)
class _Arrays:
    """Labelled frames as a model reads them."""

    inputs: Rows
    presence: NDArray[Any]


def _encoder(place: TrainingPlace, job: TrainingJob, report: ReportProgress) -> Encoder:
    family, spec = family_named(job.model.family), job.model
    known = find_record(place.files, job.encoder_name, FittedEncoder)
    if known is None:
        batches = image_batches(job.encoder_images, spec.grid, blobs=place.blobs, report=report)
        known = FittedEncoder(job.encoder_id, place.blobs.put(family.fit_encoder(spec, batches)).hash)
        keep_record(place.files, job.encoder_name, known)
    return family.load_encoder(spec, place.blobs.get(known.blob_hash))


def _train(place: TrainingPlace, job: TrainingJob, encoder: Encoder, *, report: ReportProgress) -> Trained:
    labelled = read_labelled(place.blobs, job.labelled_hash)
    arrays = _arrays(place, job, encoder, labelled=labelled, report=report)
    folds = deal_folds(
        labelled.session_ids, labelled.frame_numbers, folds=job.model.training.validation_folds, seed=job.seed
    )
    initial = None if job.initial_hash is None else place.blobs.get(job.initial_hash)
    family = family_named(job.model.family)
    ensemble = train_ensemble(
        family,
        job.model,
        LabeledFrames(arrays.inputs, arrays.presence, folds, labelled.weights, labelled.loss_weights),
        seed=job.seed,
        checkpoints=checkpoints_of(place, job),
        report=report,
        initial=None if initial is None else weights_from_bytes(family, job.model, initial),
    )
    weights = place.blobs.put(weights_to_bytes(ensemble.parameters), media_type="application/msgpack")
    return Trained(job.training_id, weights.hash, ensemble.members, environment())


def _measure(
    place: TrainingPlace,
    job: TrainingJob,
    encoder: Encoder,
    *,
    trained: Trained,
    test_hash: str,
    report: ReportProgress,
) -> dict[str, dict[str, float]]:
    family, spec = family_named(job.model.family), job.model
    test = _arrays(place, job, encoder, labelled=read_labelled(place.blobs, test_hash), report=report)
    weights = weights_from_bytes(family, spec, place.blobs.get(trained.weights_hash))
    probabilities = mean_probabilities(family, spec, TrainedEnsemble(weights, trained.members), test.inputs)
    found = measure(probabilities, test.presence, spec.classes)
    return {
        metric: {name: value for name, value in by_class.items() if math.isfinite(value)}
        for metric, by_class in found.items()
    }


def _arrays(
    place: TrainingPlace, job: TrainingJob, encoder: Encoder, *, labelled: Labelled, report: ReportProgress
) -> _Arrays:
    images = dict(zip(labelled.frame_ids, labelled.images, strict=True))
    inputs = inputs_of(place, job.model, encoder, images=images, frame_ids=labelled.frame_ids, report=report)
    maps = PresenceMaps(job.model.classes, job.model.grid, blobs=place.blobs, caches=place.caches)
    return _Arrays(inputs, maps.of(labelled.annotations))
