import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from al_platform.domain.progress import Progress, ReportProgress, silent
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput, NotFound, Stopped, TrainingDiverged
from al_platform.policies.job import Diverged, PolicyJob, make_policy_job, write_policy_job
from al_platform.policies.scenes import WantedScenes, write_wanted
from al_platform.policies.worker import kept_of, run_policy_job
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from tests.al_platform.policies.lanes import CLONED, CLONING, PRACTICE, PRACTISED, ids, job_of, result, run, workplace

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Weights and curves of trainings that nothing disturbed: a clone, and the practice that goes on from it."""
    place = workplace(tmp_path_factory.mktemp("unbroken"))
    clone = run(place, job_of(place, CLONED))
    practised = run(place, job_of(place, PRACTISED, parent_hash=clone.weights_hash))
    return {
        "clone": (clone.weights_hash, clone.curve_hash),
        "practice": (practised.weights_hash, practised.curve_hash),
        "place": (place.storage_url, ""),
    }


def kept(parent: BlobStore, place: BlobStore, name: str) -> str:
    return place.put(parent.get(name)).hash


def test_a_clone_learns_and_its_curve_tells_when_it_was_how_good(tmp_path: Path) -> None:
    place, seen = workplace(tmp_path), list[Progress]()
    trained = run(place, job_of(place, CLONED), report=seen.append)
    drivers, points = result(place, trained)
    assert drivers.members == 1
    assert [point.step for point in points] == [0, 20, 30]
    assert [point.agent_steps for point in points] == [0, 20 * 64, 30 * 64]
    assert points[0].terms == {}
    assert points[2].terms["cross_entropy"] < points[1].terms["cross_entropy"]
    assert all({"failure", "progress_ratio", "collision"} <= point.measures.keys() for point in points)
    assert [report.done for report in seen] == [0, 10, 20, 30]
    assert "failures" in seen[-1].note
    assert "1,920 steps" in seen[-1].note
    assert trained.environment["jax"] == jax.__version__
    assert not kept_of(place, job_of(place, CLONED)).curve.read().points


def test_what_is_trained_already_is_not_trained_again(tmp_path: Path) -> None:
    place, seen = workplace(tmp_path), list[Progress]()
    first = run(place, job_of(place, CLONED))
    assert run(place, job_of(place, CLONED), report=seen.append) == first
    assert seen == []


def stopped_at(step: int) -> ReportProgress:
    def report(progress: Progress) -> None:
        if progress.done == step:
            raise Stopped("enough")

    return report


def begin_practice(folder: Path, unbroken: dict[str, tuple[str, str]], *, every_s: float = 3600.0) -> PolicyJob:
    place = workplace(folder, every_s=every_s)
    parent = kept(BlobStore(unbroken["place"][0]), BlobStore(place.storage_url), unbroken["clone"][0])
    return job_of(place, PRACTISED, parent_hash=parent)


def test_practice_that_is_stopped_and_goes_on_comes_to_the_same_numbers(
    tmp_path: Path, unbroken: dict[str, tuple[str, str]]
) -> None:
    job, place, seen = begin_practice(tmp_path, unbroken), workplace(tmp_path), list[Progress]()
    with pytest.raises(Stopped):
        run_policy_job(place, job.name, report=stopped_at(2))
    trained = run(place, job, report=seen.append)
    assert seen[0].done == 2
    assert (trained.weights_hash, trained.curve_hash) == unbroken["practice"]


def test_a_clone_that_is_stopped_and_goes_on_comes_to_the_same_numbers(
    tmp_path: Path, unbroken: dict[str, tuple[str, str]]
) -> None:
    place, seen = workplace(tmp_path), list[Progress]()
    job = job_of(place, CLONED)
    with pytest.raises(Stopped):
        run_policy_job(place, job.name, report=stopped_at(10))
    trained = run(place, job, report=seen.append)
    assert seen[0].done == 10
    assert (trained.weights_hash, trained.curve_hash) == unbroken["clone"]


PRACTISE_ALOUD = """
import tests.checked
import sys
from pathlib import Path
from al_platform.policies.worker import run_policy_job
from tests.al_platform.policies.lanes import workplace
place = workplace(Path(sys.argv[1]), every_s=0.0)
run_policy_job(place, sys.argv[2], report=lambda progress: print(progress.done, flush=True))
"""


def test_practice_killed_while_it_saves_and_begun_again_comes_to_the_same_numbers(
    tmp_path: Path, unbroken: dict[str, tuple[str, str]]
) -> None:
    job, seen = begin_practice(tmp_path, unbroken), list[Progress]()
    command = [sys.executable, "-W", "error", "-c", PRACTISE_ALOUD, str(tmp_path), job.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "4":
            assert process.poll() is None
        process.kill()
    assert process.returncode == -signal.SIGKILL
    trained = run(workplace(tmp_path), job, report=seen.append)
    assert seen[0].done >= 2
    assert (trained.weights_hash, trained.curve_hash) == unbroken["practice"]


def test_members_of_an_ensemble_are_trained_each_in_its_own_way(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    clones = run(place, job_of(place, replace(CLONED, members=2)))
    both = run(place, job_of(place, replace(PRACTISED, members=2), parent_hash=clones.weights_hash))
    drivers, points = result(place, both)
    assert drivers.members == 2
    assert points[-1].step == PRACTICE.iterations
    first, second = (jax.tree.leaves(drivers.member(number)) for number in (0, 1))
    assert all(np.isfinite(leaf).all() for leaf in [*first, *second])
    assert any(not np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_parent_of_another_network_or_with_other_eyes_is_refused(
    tmp_path: Path, unbroken: dict[str, tuple[str, str]]
) -> None:
    place = workplace(tmp_path)
    parent = begin_practice(tmp_path, unbroken).parent_hash
    other = job_of(place, replace(PRACTISED, network="s"), parent_hash=parent)
    with pytest.raises(InvalidInput, match=r"their network is .*width=48.* not .*width=80"):
        run_policy_job(place, other.name, report=silent)
    blind = job_of(place, replace(PRACTISED, agents=2), parent_hash=parent)
    with pytest.raises(InvalidInput, match=r"the parent has 1 drivers .* give the same members, agents, roads"):
        run_policy_job(place, blind.name, report=silent)


def test_a_scenario_that_the_store_lost_is_named(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    wanted = WantedScenes((*ids()[:2], "scn_gone"), (1.0, 1.0, 1.0))
    scenes_hash = write_wanted(BlobStore(place.storage_url), wanted)
    lost = make_policy_job(CLONED, seed=0, scenes_hash=scenes_hash, held_out_hash=None, parent_hash=None)
    write_policy_job(NamedFiles(place.storage_url), lost)
    with pytest.raises(NotFound, match=r"scenario scn_gone: not in .*; ingest or generate it again"):
        run_policy_job(place, lost.name, report=silent)


def test_a_loss_that_is_no_number_stops_the_training_and_names_step_and_scenarios(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    wild = replace(CLONED, cloning=replace(CLONING, learning_rate=1e30))
    job = job_of(place, wild)
    with pytest.raises(TrainingDiverged, match=r"step \d+: the loss or its gradient .* listed in .*diverged.json"):
        run_policy_job(place, job.name, report=silent)
    told = record_from_json(Diverged, (tmp_path / "runs" / f"{job.training_id}.diverged.json").read_text())
    assert 0 < told.step < 10
    assert set(told.scenario_ids) <= set(ids()[:6])
    assert told.scenario_ids


FILL_THE_DISK = """
import tests.checked
import resource, signal, sys
from pathlib import Path
from al_platform.errors import StorageUnavailable
from al_platform.policies.worker import run_policy_job
from tests.al_platform.policies.lanes import workplace
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def report(progress):
    if progress.done == 10:  # a file beyond this limit fails as on a full disk; the curve is smaller
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    run_policy_job(workplace(Path(sys.argv[1]), every_s=0.0), sys.argv[2], report=report)
except StorageUnavailable as error:
    print(error)
"""


def test_on_a_full_disk_the_last_checkpoint_stays_whole(tmp_path: Path, unbroken: dict[str, tuple[str, str]]) -> None:
    job, seen = job_of(workplace(tmp_path), CLONED), list[Progress]()
    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path), job.name]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "checkpoints" in said.stdout
    assert "Free space or make it writable" in said.stdout
    trained = run(workplace(tmp_path), job, report=seen.append)
    assert seen[0].done == 10
    assert (trained.weights_hash, trained.curve_hash) == unbroken["clone"]
