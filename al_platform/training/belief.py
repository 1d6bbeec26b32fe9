"""What an ensemble says of the frames that it picked: a job in storage, its result a blob."""

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.domain.ids import make_id
from al_platform.domain.models import EnsembleVersion
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, NotFound
from al_platform.models.families import family_named
from al_platform.models.weights import weights_from_bytes
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from al_platform.training.ensemble import TrainedEnsemble
from al_platform.training.place import TrainingPlace, inputs_of
from al_platform.training.predict import heatmaps, mean_probabilities

KIND = "belief"
"""Of jobs that do this."""

STAGE = "heatmaps"


@dataclass(frozen=True)
class Belief:
    """What an ensemble says of N frames, per class and cell."""

    probability: NDArray[Any]
    """[N, K, H, W], mean over the members of the probability that the class is there, in [0, 1]."""
    information: NDArray[Any]
    """[N, K, H, W], mutual information in [0, log 2] nats; higher = more to learn."""


@dataclass(frozen=True)
class BeliefJob:
    """Which ensemble is asked about which frames: (frame id, image hash), in the order of the answer."""

    belief_id: str
    ensemble: EnsembleVersion
    encoder_hash: str
    frames: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"beliefs/{self.belief_id}/job.json"

    @property
    def answer_name(self) -> str:
        """Give the name of the file that says which blob holds the answer."""
        return f"beliefs/{self.belief_id}/answer.json"


@dataclass(frozen=True)
class Answered:
    """The blob that holds a belief."""

    belief_id: str
    blob_hash: str


def make_belief_job(ensemble: EnsembleVersion, *, encoder_hash: str, frames: tuple[tuple[str, str], ...]) -> BeliefJob:
    """Give the job of asking an ensemble about frames."""
    job = BeliefJob("", ensemble, encoder_hash, frames)
    return replace(job, belief_id=make_id("blf", job))


def write_belief_job(files: NamedFiles, job: BeliefJob) -> None:
    """Put a job into storage; putting it again changes nothing."""
    keep_record(files, job.name, job)


def read_belief_job(files: NamedFiles, name: str) -> BeliefJob:
    """Give the job of this name.

    Raises: NotFound where there is none, CorruptBlob where it is not what its name says.
    """
    job = find_record(files, name, BeliefJob)
    if job is None:
        raise NotFound(f"belief {name}: no such job in {files.url}; give the storage of its round")
    if job.name != name or make_id("blf", replace(job, belief_id="")) != job.belief_id:
        raise CorruptBlob(f"{files.path(name)}: was changed; delete it, then send the round again")
    return job


def run_belief(place: TrainingPlace, job: BeliefJob, *, report: ReportProgress) -> None:
    """Ask the ensemble, and store what it says.

    Raises: InvalidInput for a frame that cannot be read; StorageUnavailable; Stopped where `report` does.
    """
    spec, family = job.ensemble.spec, family_named(job.ensemble.spec.family)
    report(Progress(STAGE, 0, len(job.frames)))
    encoder = family.load_encoder(spec, place.blobs.get(job.encoder_hash))
    frame_ids = [frame_id for frame_id, _ in job.frames]
    inputs = inputs_of(place, spec, encoder, images=dict(job.frames), frame_ids=frame_ids, report=report)
    weights = weights_from_bytes(family, spec, place.blobs.get(job.ensemble.weights_hash))
    trained = TrainedEnsemble(weights, job.ensemble.members)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        probability=mean_probabilities(family, spec, trained, inputs),
        information=heatmaps(family, spec, trained, inputs),
    )
    answered = Answered(job.belief_id, place.blobs.put(stream.getvalue()).hash)
    keep_record(place.files, job.answer_name, answered)
    report(Progress(STAGE, len(job.frames), len(job.frames)))


def find_belief(files: NamedFiles, blobs: BlobStore, job: BeliefJob) -> Belief | None:
    """Give the answer to a job, None where there is none yet.

    Raises: CorruptBlob where it is not what was written.
    """
    answered = find_record(files, job.answer_name, Answered)
    if answered is None or not blobs.has(answered.blob_hash):
        return None
    with np.load(io.BytesIO(blobs.get(answered.blob_hash))) as arrays:
        return Belief(arrays["probability"], arrays["information"])
