"""The job of a training, as it lies in storage: a trainer needs its name and nothing of the catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from al_platform.domain.ids import make_id
from al_platform.domain.models import ModelSpec, ModelVersion
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record


@dataclass(frozen=True)
class TrainingJob:
    """All that determines an ensemble and its metrics. `training_id` is the content of all but the test set."""

    training_id: str
    model: ModelSpec
    seed: int
    encoder_id: str
    encoder_images: tuple[str, ...]
    """Content hashes of the pictures that a new encoder is fitted on."""
    labelled_hash: str
    """The frames to train on, see `labelled`."""
    test_hash: str | None = None
    """The frames to measure on."""
    initial_hash: str | None = None
    """The weights that the members begin with; None: fresh ones, drawn by the seed."""

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"trainings/{self.training_id}/job-{self.test_hash or 'untested'}.json"

    @property
    def trained_name(self) -> str:
        """Give the name of the file that says the ensemble is trained."""
        return f"trainings/{self.training_id}/trained.json"

    @property
    def measured_name(self) -> str:
        """Give the name of the file that holds the metrics on the test set."""
        return f"trainings/{self.training_id}/measured-{self.test_hash}.json"

    @property
    def encoder_name(self) -> str:
        """Give the name of the file that says the encoder is fitted; trainings on one pool share it."""
        return f"encoders/{self.encoder_id}.json"


@dataclass(frozen=True)
class FittedEncoder:
    """An encoder and the blob that holds it."""

    encoder_id: str
    blob_hash: str


@dataclass(frozen=True)
class Trained:
    """The weights that a training came to, what is known of each member, and what it was computed with."""

    training_id: str
    weights_hash: str
    members: tuple[ModelVersion, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """{metric: {class: value}} on a test set; without what is no number there."""

    training_id: str
    test_hash: str
    metrics: Mapping[str, Mapping[str, float]]


def make_training_job(
    model: ModelSpec,
    *,
    seed: int,
    encoder_id: str,
    encoder_images: Sequence[str],
    labelled_hash: str,
    test_hash: str | None,
    initial_hash: str | None = None,
) -> TrainingJob:
    """Give the job of training an ensemble, and of measuring it where there is a test set."""
    job = TrainingJob("", model, seed, encoder_id, tuple(encoder_images), labelled_hash, initial_hash=initial_hash)
    return replace(job, training_id=make_id("trn", job), test_hash=test_hash)


def write_training_job(files: NamedFiles, job: TrainingJob) -> None:
    """Put a job where trainers look for it; putting it again changes nothing."""
    keep_record(files, job.name, job)


def read_training_job(files: NamedFiles, name: str) -> TrainingJob:
    """Give the job of this name.

    Raises: NotFound where there is none, CorruptBlob where it is not what its name says.
    """
    job = find_record(files, name, TrainingJob)
    if job is None:
        raise NotFound(f"training {name}: no such job in {files.url}; give the storage of its round")
    if job.name != name or make_id("trn", replace(job, training_id="", test_hash=None)) != job.training_id:
        raise CorruptBlob(f"{files.path(name)}: was changed; delete it, then run the round again")
    return job
