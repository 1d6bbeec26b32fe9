"""Jobs on a cluster, without one: what a job tells by its log, and what is said where no cluster answers."""

import importlib.util
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from al_platform.compute.backends import Means, backend_named
from al_platform.compute.base import JobState
from al_platform.compute.on_ray import RayJobs
from al_platform.compute.remote import told_by
from al_platform.domain.hashing import canonical_json
from al_platform.domain.jobs import Cluster
from al_platform.domain.progress import Progress, silent
from al_platform.errors import ComputeUnavailable, InvalidInput
from tests.contracts import work
from tests.contracts.test_compute import job_in

RUN = "0f"
STARTED = [sys.executable, "-m", "al_platform.compute.remote", RUN]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "record").mkdir()
    return tmp_path / "record"


def command(folder: Path, kind: str) -> list[str]:
    return [*STARTED, canonical_json(job_in(folder, kind)), *work.PROGRAM]


@pytest.mark.parametrize(
    ("kind", "code", "state", "error"),
    [
        ("write", 0, JobState.DONE, ""),
        ("fail", 2, JobState.FAILED, "NonFiniteScore"),
        ("crash", 1, JobState.FAILED, ""),
    ],
)
def test_a_job_tells_how_it_ended_and_what_it_cost(
    folder: Path, kind: str, code: int, state: JobState, error: str
) -> None:
    ran = subprocess.run(command(folder, kind), capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr
    _, end = told_by(ran.stdout, RUN)
    assert end is not None
    assert (end.state, end.error) == (state, error)
    assert end.cost is not None
    assert end.cost.peak_memory_bytes > 2**20
    assert ("nobody foresaw" in end.reason) == (kind == "crash")


def test_a_job_that_is_interrupted_keeps_what_it_has_and_says_that_it_was_stopped(folder: Path) -> None:
    with subprocess.Popen(command(folder, "wait"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = first + process.stdout.read()
    progress, end = told_by(said, RUN)
    assert progress is not None
    assert (progress.stage, progress.note) == ("wait", "looks")
    assert end is not None
    assert end.state is JobState.STOPPED
    assert (folder / "kept").exists()


def test_only_whole_lines_of_this_run_count() -> None:
    mine = f'{RUN} progress ["train",1,2,"",null]\n'
    assert told_by(mine, RUN) == (Progress("train", 1, 2), None)
    assert told_by(mine, "another") == (None, None)
    for torn in (
        "",
        f"{RUN} progress [1",
        f"{RUN} progress {{}}",
        f"{RUN} end {{}}",
        f"{RUN} end",
        f"{RUN} progress [1]",
    ):
        assert told_by(mine + torn, RUN) == (Progress("train", 1, 2), None)


def test_a_cluster_that_is_not_there_is_named_with_its_cure(folder: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: the extra `ray`, as `make dev-env` installs it")
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        compute = RayJobs(Cluster(address), work.PROGRAM)
        for ask in (
            compute.status,
            compute.stop,
            lambda key: compute.submit(key, job_in(folder, "write"), report=silent),
        ):
            with pytest.raises(
                ComputeUnavailable, match=f"Ray at {address}: .*; start the cluster, or correct ALP_RAY_"
            ):
                ask("trn_0")


def test_a_cluster_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="set ALP_RAY_ADDRESS"):
        backend_named("ray", Means(tmp_path, work.run, work.PROGRAM))
