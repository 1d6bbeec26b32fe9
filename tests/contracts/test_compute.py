"""What holds for every compute backend."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from al_platform.compute.backends import BACKENDS, Means, backend_named
from al_platform.compute.base import Compute, JobState
from al_platform.compute.waiting import finish
from al_platform.domain.jobs import Cluster, Job, Workplace
from al_platform.domain.progress import Progress, ReportProgress, silent
from al_platform.errors import InvalidInput, JobFailed, NonFiniteScore, Stopped
from tests.contracts import work

PATIENCE_S = 120.0
RAY = os.environ.get("ALP_TEST_RAY", "")
"""The address of the cluster that the tests made for themselves."""


@dataclass(frozen=True)
class Case:
    """A backend and the folder of its jobs' records."""

    compute: Compute
    folder: Path

    def job(self, kind: str) -> Job:
        """A job that does what `work` says of its kind."""
        return job_in(self.folder, kind)

    def finish(self, key: str, kind: str, report: ReportProgress = silent) -> None:
        """See a job through to its result."""
        finish(self.compute, key, self.job(kind), finished=(self.folder / "result").exists, report=report)

    def runs(self) -> int:
        """How often any job was begun."""
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    @contextmanager
    def running(self, key: str, kind: str = "wait") -> Iterator[None]:
        """Let a job run meanwhile, submitted by a thread of its own; it is waited for at the end."""
        submitter = threading.Thread(target=lambda: self.compute.submit(key, self.job(kind), report=silent))
        submitter.start()
        until(lambda: self.compute.status(key).progress is not None)
        try:
            yield
        finally:
            submitter.join()
            until(lambda: self.compute.status(key).state is not JobState.RUNNING)


def job_in(folder: Path, kind: str) -> Job:
    place = Workplace(str(folder), "", "", "", blob_cache_bytes=1, memory_bytes=1)
    return Job(kind, str(folder), place)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what will be, on however loaded a machine."""
    patience = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.02)


def backends() -> list[str]:
    """Those of this process's world: `test_compute_on_ray` runs this file again where a cluster is."""
    return ["ray"] if RAY else [name for name in BACKENDS if name != "ray"]


@pytest.fixture(params=backends())
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    (tmp_path / "record").mkdir()
    means = Means(tmp_path / "jobs", work.run, work.PROGRAM, Cluster(RAY, 0.1) if RAY else None)
    return Case(backend_named(request.param, means), tmp_path / "record")


def test_it_answers_by_the_protocol(case: Case) -> None:
    assert isinstance(case.compute, Compute)


def test_a_key_that_never_came_is_missing_and_stopping_it_changes_nothing(case: Case) -> None:
    case.compute.stop("trn_0")
    assert case.compute.status("trn_0").state is JobState.MISSING


def test_a_job_is_done_once_and_tells_what_it_cost(case: Case) -> None:
    case.finish("trn_1", "write")
    case.finish("trn_1", "write")
    assert case.runs() == 1
    status = case.compute.status("trn_1")
    assert (status.state, status.reason) == (JobState.DONE, "")
    assert status.cost is not None
    assert status.cost.seconds > 0.0
    assert status.cost.cpu_seconds >= 0.0
    assert status.cost.peak_memory_bytes > 2**20


def test_a_job_that_runs_tells_how_far_it_is_and_is_not_begun_a_second_time(case: Case) -> None:
    with case.running("trn_2"):
        case.compute.submit("trn_2", case.job("wait"), report=silent)
        status = case.compute.status("trn_2")
        assert status.state is JobState.RUNNING
        assert status.progress is not None
        assert (status.progress.stage, status.progress.note, status.progress.seconds_left) == ("wait", "looks", 1.5)
        (case.folder / "go").touch()
    assert case.compute.status("trn_2").state is JobState.DONE
    assert case.runs() == 1


def test_many_who_want_the_same_get_it_from_one_job(case: Case) -> None:
    ended: list[str] = []

    def want() -> None:
        case.finish("trn_3", "wait")
        ended.append((case.folder / "result").read_text())

    wanting = [threading.Thread(target=want) for _ in range(4)]
    for one in wanting:
        one.start()
    until(lambda: case.compute.status("trn_3").progress is not None)
    (case.folder / "go").touch()
    for one in wanting:
        one.join()
    assert ended == ["wait"] * 4
    assert case.runs() == 1


def test_an_error_comes_back_as_what_it_was(case: Case) -> None:
    with pytest.raises(NonFiniteScore, match="score of frame frm_7 is nan"):
        case.finish("scr_1", "fail")
    status = case.compute.status("scr_1")
    assert (status.state, status.error) == (JobState.FAILED, "NonFiniteScore")


def test_a_job_that_failed_may_be_given_again(case: Case) -> None:
    with pytest.raises(NonFiniteScore):
        case.finish("scr_2", "fail")
    case.finish("scr_2", "write")
    assert case.compute.status("scr_2").state is JobState.DONE
    assert case.runs() == 2


def test_a_job_that_is_told_to_stop_keeps_what_it_has_and_goes_on_when_given_again(case: Case) -> None:
    with case.running("trn_4"):
        case.compute.stop("trn_4")
    assert case.compute.status("trn_4").state is JobState.STOPPED
    assert (case.folder / "kept").exists()
    (case.folder / "go").touch()
    case.finish("trn_4", "wait")
    assert case.compute.status("trn_4").state is JobState.DONE


def test_whoever_waits_stops_the_job_by_its_report(case: Case) -> None:
    def enough(progress: Progress) -> None:
        if progress.stage == "wait":
            raise Stopped("enough")

    with pytest.raises(Stopped):
        case.finish("trn_5", "wait", enough)
    assert case.compute.status("trn_5").state is JobState.STOPPED
    assert (case.folder / "kept").exists()


def test_the_result_is_trusted_and_the_status_is_not(case: Case) -> None:
    with pytest.raises(JobFailed, match=r"job trn_6: ended well 3 times, and its result is not in"):
        finish(case.compute, "trn_6", case.job("write"), finished=lambda: False, report=silent)
    (case.folder / "result").touch()
    case.finish("trn_7", "fail")
    assert case.compute.status("trn_7").state is JobState.MISSING


def test_a_backend_that_nobody_wrote_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"compute backend 'slurm': known are inline, local, ray"):
        backend_named("slurm", Means(tmp_path, work.run, work.PROGRAM))
