"""Eight plain scenes in a store, and recipes so small that a test can wait for them."""

from functools import cache
from pathlib import Path

import jax
import numpy as np

from al_platform.datasets.scenarios.store import arrays_of, layout_of, scenario_id_of
from al_platform.domain.jobs import Workplace
from al_platform.domain.policies import CloningRecipe, CurvePoint, PolicySpec, PracticeRecipe
from al_platform.domain.progress import ReportProgress, silent
from al_platform.policies.curve import read_curve
from al_platform.policies.job import PolicyJob, TrainedPolicy, make_policy_job, write_policy_job
from al_platform.policies.scenes import WantedScenes, write_wanted
from al_platform.policies.stored import Drivers, read_drivers
from al_platform.policies.worker import run_policy_job
from al_platform.storage.arrays import ArrayRecord, write_shard
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record
from sim.scenario import Scenario
from tests.sim.learning.scenes import SIZES, store

CLONING = CloningRecipe(updates=30, batch_steps=64, scenes=6, updates_a_draw=10, evaluate_every=20)
PRACTICE = PracticeRecipe(
    iterations=6, scenes=8, sequence=8, passes=1, parts=2, drawn=6, iterations_a_draw=2, evaluate_every=4, cloned=0.1
)
CLONED = PolicySpec(agents=4, roads=8, route_points=16, cloning=CLONING)
PRACTISED = PolicySpec(agents=4, roads=8, route_points=16, practice=PRACTICE)


@cache
def records() -> tuple[ArrayRecord, ...]:
    """The scenes as the store keeps them."""
    found = []
    for number in range(8):
        one: Scenario = jax.tree.map(lambda leaf, number=number: np.asarray(leaf[number]), store())
        arrays = arrays_of(one)
        about = {"name": f"lanes/drive/{number}", "tags": []}
        found.append(ArrayRecord(scenario_id_of(arrays), about, arrays))
    return tuple(found)


def ids() -> list[str]:
    """Of the scenes."""
    return [record.record_id for record in records()]


def workplace(folder: Path, *, every_s: float = 3600.0) -> Workplace:
    """A place with the eight scenes in its store."""
    write_shard(folder / "scenarios", records(), layout=layout_of(SIZES))
    return Workplace(
        storage_url=str(folder / "storage"),
        cache_folder=str(folder / "cache"),
        hot_folder=str(folder / "hot"),
        runs_folder=str(folder / "runs"),
        scenarios_folder=str(folder / "scenarios"),
        blob_cache_bytes=1,
        memory_bytes=1,
        checkpoint_every_s=every_s,
    )


def job_of(place: Workplace, spec: PolicySpec, *, seed: int = 0, parent_hash: str | None = None) -> PolicyJob:
    """Write the job of learning from six of the scenes, measured on the other two."""
    blobs = BlobStore(place.storage_url)
    job = make_policy_job(
        spec,
        seed=seed,
        scenes_hash=write_wanted(blobs, WantedScenes(tuple(ids()[:6]), (1.0,) * 6)),
        held_out_hash=write_wanted(blobs, WantedScenes(tuple(ids()[6:]), (1.0,) * 2)),
        parent_hash=parent_hash,
    )
    write_policy_job(NamedFiles(place.storage_url), job)
    return job


def run(place: Workplace, job: PolicyJob, *, report: ReportProgress = silent) -> TrainedPolicy:
    """Do a job and give what it left in storage."""
    run_policy_job(place, job.name, report=report)
    trained = find_record(NamedFiles(place.storage_url), job.trained_name, TrainedPolicy)
    assert trained is not None
    return trained


def result(place: Workplace, trained: TrainedPolicy) -> tuple[Drivers, tuple[CurvePoint, ...]]:
    """What a training came to."""
    blobs = BlobStore(place.storage_url)
    return read_drivers(blobs, trained.weights_hash), read_curve(blobs, trained.curve_hash).points
