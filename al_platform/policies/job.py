"""The job of training a policy, as it lies in storage: a trainer needs its name and nothing of the catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from al_platform.domain.ids import make_id
from al_platform.domain.policies import PolicySpec
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record


@dataclass(frozen=True)
class PolicyJob:
    """All that determines a policy. `training_id` is the hash of the rest."""

    training_id: str
    spec: PolicySpec
    seed: int
    scenes_hash: str
    """The scenarios to learn from and their weights, see `scenes`."""
    held_out_hash: str | None = None
    """Those that the learning curve is measured on; they teach nothing."""
    parent_hash: str | None = None
    """The weights to go on from; None: fresh ones, drawn by the seed."""

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"policies/{self.training_id}/job.json"

    @property
    def trained_name(self) -> str:
        """Give the name of the file that says what came out."""
        return f"policies/{self.training_id}/trained.json"


@dataclass(frozen=True)
class TrainedPolicy:
    """What a training came to, and what it was computed with."""

    training_id: str
    weights_hash: str
    curve_hash: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Diverged:
    """Where a training met a number that is not finite."""

    training_id: str
    step: int
    scenario_ids: tuple[str, ...]


def make_policy_job(
    spec: PolicySpec, *, seed: int, scenes_hash: str, held_out_hash: str | None, parent_hash: str | None
) -> PolicyJob:
    """Give the job of training a policy: the same inputs are the same job."""
    job = PolicyJob("", spec, seed, scenes_hash, held_out_hash, parent_hash)
    return replace(job, training_id=make_id("plt", job))


def write_policy_job(files: NamedFiles, job: PolicyJob) -> None:
    """Put a job where trainers look for it; putting it again changes nothing."""
    keep_record(files, job.name, job)


def read_policy_job(files: NamedFiles, name: str) -> PolicyJob:
    """Give the job of this name.

    Raises: NotFound where there is none, CorruptBlob where it is not what its name says.
    """
    job = find_record(files, name, PolicyJob)
    if job is None:
        raise NotFound(f"training {name}: no such job in {files.url}; give the storage of its home")
    if job.name != name or make_id("plt", replace(job, training_id="")) != job.training_id:
        raise CorruptBlob(f"{files.path(name)}: was changed; delete it, then train again")
    return job
