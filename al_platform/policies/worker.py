"""A trainer of policies: from a job in storage to drivers and a learning curve in storage."""

from functools import partial
from pathlib import Path

import jax

from al_platform.domain.environment import environment
from al_platform.domain.hashing import canonical_json
from al_platform.domain.jobs import Workplace
from al_platform.domain.policies import PolicySpec
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput
from al_platform.policies.cloning import Cloning
from al_platform.policies.course import Course
from al_platform.policies.curve import GrowingCurve, write_curve
from al_platform.policies.job import Diverged, PolicyJob, TrainedPolicy, read_policy_job
from al_platform.policies.measuring import hard_first, measured
from al_platform.policies.practice import Practice
from al_platform.policies.recipes import drivers_of, fresh_of, network_of, training_drive
from al_platform.policies.running import Kept, run_course
from al_platform.policies.scenes import Scenes, open_scenes
from al_platform.policies.stored import read_drivers, write_drivers
from al_platform.storage.blobs import BlobStore, storage_errors, write_durably
from al_platform.storage.checkpoints import OrbaxCheckpoints
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from sim.networks import Parameters

KIND = "policy"
"""Of jobs that do this."""


def run_policy_job(workplace: Workplace, name: str, *, report: ReportProgress) -> None:
    """Train the drivers of a job from their newest checkpoint; what is there already is not made again.

    Raises: NotFound for a scenario that the store lacks; InvalidInput for scenarios of several sizes or a parent of
        another network; TrainingDiverged, CorruptBlob, StorageUnavailable; Stopped where `report` does, after a
        checkpoint.
    """
    blobs = BlobStore(workplace.storage_url)
    files = NamedFiles(workplace.storage_url)
    job = read_policy_job(files, name)
    if find_record(files, job.trained_name, TrainedPolicy) is None:
        keep_record(files, job.trained_name, _train(workplace, blobs, job, report=report))
    kept_of(workplace, job).clear()


def kept_of(workplace: Workplace, job: PolicyJob) -> Kept:
    """Give where a training keeps its state and its curve while it is under way."""
    folder = Path(workplace.runs_folder) / job.training_id
    checkpoints = OrbaxCheckpoints(folder, every_s=workplace.checkpoint_every_s)
    return Kept(checkpoints, GrowingCurve(folder.with_name(f"{job.training_id}.curve.json")))


def _train(workplace: Workplace, blobs: BlobStore, job: PolicyJob, *, report: ReportProgress) -> TrainedPolicy:
    spec = job.spec
    key = jax.random.key(job.seed)
    scenes = open_scenes(workplace.scenarios_folder, blobs, job.scenes_hash)
    held_out = None if job.held_out_hash is None else open_scenes(workplace.scenarios_folder, blobs, job.held_out_hash)
    first = _first_parameters(blobs, job, jax.random.fold_in(key, 0))
    state, curve = run_course(
        course_of(spec, _weighed(job, scenes, first), jax.random.fold_in(key, 1)),
        first,
        kept=kept_of(workplace, job),
        measure=lambda parameters: {} if held_out is None else measured_by(spec, held_out, parameters),
        diverged=partial(_tell_diverged, workplace, job),
        report=report,
    )
    drivers = drivers_of(spec, state.learners.learned)
    return TrainedPolicy(job.training_id, write_drivers(blobs, drivers), write_curve(blobs, curve), environment())


def _weighed(job: PolicyJob, scenes: Scenes, first: Parameters) -> Scenes:
    """The scenes as the recipe weighs them: it follows from the parent, so a restart finds the same."""
    spec = job.spec
    if job.parent_hash is None or spec.practice is None or spec.practice.hard == 1.0:
        return scenes
    return hard_first(
        scenes, first, network_of(spec), hard=spec.practice.hard, members=spec.members, drive=training_drive(spec)
    )


def course_of(spec: PolicySpec, scenes: Scenes, key: jax.Array) -> Course:
    """Give the course that a policy takes on these scenes."""
    if spec.cloning is not None:
        return Cloning(spec, spec.cloning, scenes, key)
    assert spec.practice is not None  # a spec has one of the two
    return Practice(spec, spec.practice, scenes, key)


def _first_parameters(blobs: BlobStore, job: PolicyJob, key: jax.Array) -> Parameters:
    """The parent's drivers, or fresh ones."""
    spec = job.spec
    if job.parent_hash is None:
        return fresh_of(spec, key)
    drive = training_drive(spec)
    parent = read_drivers(blobs, job.parent_hash, network=network_of(spec))
    if (parent.members, parent.observation) != (spec.members, drive.observation):
        raise InvalidInput(
            f"the parent has {parent.members} drivers that see {parent.observation}, the specification {spec.members} "
            f"that see {drive.observation}: give the same members, agents, roads and route_points"
        )
    return parent.parameters


def measured_by(spec: PolicySpec, held_out: Scenes, parameters: Parameters) -> dict[str, float]:
    """Give the mean of each measure over scenes and the drivers of a policy."""
    return measured(parameters, network_of(spec), held_out, members=spec.members, drive=training_drive(spec))


def _tell_diverged(workplace: Workplace, job: PolicyJob, step: int, scenario_ids: list[str]) -> str:
    path = Path(workplace.runs_folder) / f"{job.training_id}.diverged.json"
    with storage_errors(str(path)):
        write_durably(path, canonical_json(Diverged(job.training_id, step, tuple(scenario_ids))).encode())
    return str(path)
