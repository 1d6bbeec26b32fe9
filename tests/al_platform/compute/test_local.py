"""Jobs that outlive those who submit them: what kill -9, garbage and a full disk leave of them."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from al_platform.compute.base import JobState
from al_platform.compute.local import LocalProcesses, forget_ended
from al_platform.compute.waiting import finish
from al_platform.domain.hashing import canonical_json
from al_platform.domain.progress import silent
from al_platform.errors import InvalidInput, JobFailed, StorageUnavailable
from tests.contracts import work
from tests.contracts.test_compute import job_in, until

KEY = "trn_0"
SUBMIT_AND_WAIT = """
import sys
from pathlib import Path
from al_platform.compute.local import LocalProcesses, forget_ended
from al_platform.compute.waiting import finish
from al_platform.domain.progress import silent
from tests.contracts import work
from tests.contracts.test_compute import job_in
compute, folder = LocalProcesses(Path(sys.argv[1]), work.PROGRAM), Path(sys.argv[2])
finish(compute, "trn_0", job_in(folder, "wait"), finished=(folder / "result").exists, report=silent)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "record").mkdir()
    return tmp_path / "record"


@pytest.fixture
def compute(tmp_path: Path) -> LocalProcesses:
    return LocalProcesses(tmp_path / "jobs", work.PROGRAM, grace_s=0.5)


@contextmanager
def running(compute: LocalProcesses, folder: Path, kind: str = "wait") -> Iterator[tuple[int, int]]:
    """A job under way: gives the process numbers of itself and of its keeper."""
    compute.submit(KEY, job_in(folder, kind), report=silent)
    until(lambda: compute.status(KEY).progress is not None)
    job, keeper = (int(number) for number in begun(folder)[-1].split())
    try:
        yield job, keeper
    finally:
        (folder / "go").touch()
        until(lambda: compute.status(KEY).state is not JobState.RUNNING)


def begun(folder: Path) -> list[str]:
    return (folder / "runs").read_text().splitlines()


def test_killed_whoever_submitted_leaves_the_job_to_the_next_who_asks(
    compute: LocalProcesses, folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", SUBMIT_AND_WAIT, str(tmp_path / "jobs"), str(folder)]
    with subprocess.Popen(command) as service:
        until(lambda: compute.status(KEY).progress is not None)
        service.kill()
    assert service.returncode == -signal.SIGKILL
    assert compute.status(KEY).state is JobState.RUNNING
    (folder / "go").touch()
    cost = finish(compute, KEY, job_in(folder, "wait"), finished=(folder / "result").exists, report=silent)
    assert cost is not None
    assert len(begun(folder)) == 1


def test_a_killed_job_says_by_what_and_what_it_printed_last(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder) as (job, _):
        os.kill(job, signal.SIGKILL)
    status = compute.status(KEY)
    assert status.state is JobState.FAILED
    assert status.reason == f"killed by SIGKILL; its last words: wait {folder}"
    assert status.cost is not None


def test_an_error_that_nobody_foresaw_is_told_by_its_last_words(compute: LocalProcesses, folder: Path) -> None:
    with pytest.raises(JobFailed, match=r"exit code 1; .*RuntimeError: a thing that nobody foresaw. Run again"):
        finish(compute, KEY, job_in(folder, "crash"), finished=lambda: False, report=silent)


def test_without_its_keeper_a_job_goes_on_and_its_result_counts(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder) as (_, keeper):
        os.kill(keeper, signal.SIGKILL)
        compute.submit(KEY, job_in(folder, "wait"), report=silent)
        assert compute.status(KEY).state is JobState.RUNNING
    assert compute.status(KEY).state is JobState.FAILED
    finish(compute, KEY, job_in(folder, "wait"), finished=(folder / "result").exists, report=silent)
    assert len(begun(folder)) == 1


def test_without_its_keeper_a_job_is_told_to_stop_all_the_same(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder) as (_, keeper):
        os.kill(keeper, signal.SIGKILL)
        compute.stop(KEY)
        until((folder / "kept").exists)
    assert compute.status(KEY).state is not JobState.DONE


def test_job_and_keeper_killed_nothing_runs_and_it_may_be_given_again(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder) as (job, keeper):
        os.kill(keeper, signal.SIGKILL)
        os.kill(job, signal.SIGKILL)
    assert compute.status(KEY).reason.startswith("it and its keeper were killed")
    finish(compute, KEY, job_in(folder, "wait"), finished=(folder / "result").exists, report=silent)
    assert compute.status(KEY).state is JobState.DONE


def test_a_job_that_does_not_listen_is_killed_when_its_grace_is_over(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder, "deaf"):
        compute.stop(KEY)
        until(lambda: compute.status(KEY).state is not JobState.RUNNING)
    assert compute.status(KEY).state is JobState.STOPPED


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"code": "x"}', b"\xff\xfe", b'{"code": null, "seconds": 1}'])
def test_garbage_in_its_folder_is_no_answer(
    compute: LocalProcesses, folder: Path, tmp_path: Path, garbage: bytes
) -> None:
    mine = tmp_path / "jobs" / KEY
    mine.mkdir(parents=True)
    for name in ("alive", "exit.json", "progress.json", "error.json", "job.json"):
        (mine / name).write_bytes(garbage)
    assert compute.status(KEY).state is JobState.FAILED
    finish(compute, KEY, job_in(folder, "write"), finished=(folder / "result").exists, report=silent)
    assert compute.status(KEY).state is JobState.DONE


def test_a_job_of_another_version_says_so(compute: LocalProcesses, folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "jobs" / KEY
    mine.mkdir(parents=True)
    (mine / "job.json").write_text(canonical_json({"kind": "train"}))
    ran = subprocess.run([*work.PROGRAM, str(mine)], check=False)
    assert ran.returncode == 2
    (mine / "alive").touch()
    assert "is torn or of another version" in compute.status(KEY).reason


def test_a_full_disk_is_named_and_passes(compute: LocalProcesses, folder: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(StorageUnavailable, match=r"job .*trn_0: File too large. Free space"):
            compute.submit(KEY, job_in(folder, "write"), report=silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert compute.status(KEY).state is JobState.FAILED
    finish(compute, KEY, job_in(folder, "write"), finished=(folder / "result").exists, report=silent)
    assert len(begun(folder)) == 1


def test_a_disk_that_fills_up_while_a_job_runs_costs_no_result(compute: LocalProcesses, folder: Path) -> None:
    with running(compute, folder) as (_, keeper):
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (0, 0))
    assert compute.status(KEY).state is JobState.FAILED
    finish(compute, KEY, job_in(folder, "wait"), finished=(folder / "result").exists, report=silent)
    assert len(begun(folder)) == 1


def test_a_service_that_hears_nothing_of_its_jobs_loses_no_descriptor(compute: LocalProcesses, folder: Path) -> None:
    finish(compute, KEY, job_in(folder, "write"), finished=(folder / "result").exists, report=silent)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        compute.status(KEY)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_the_service_starts_meanwhile_does_not_keep_a_job_alive(compute: LocalProcesses, folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        finish(compute, KEY, job_in(folder, "write"), finished=(folder / "result").exists, report=silent)
        assert compute.status(KEY).state is JobState.DONE
        other.kill()


def test_a_key_names_a_folder_and_nothing_above_it(compute: LocalProcesses, folder: Path) -> None:
    for key in ("", "../trn", "a/b", "."):
        with pytest.raises(InvalidInput, match=r"must be letters, digits, _ and -"):
            compute.submit(key, job_in(folder, "write"), report=silent)


def test_ended_jobs_are_forgotten_when_they_are_old_and_running_ones_never(
    compute: LocalProcesses, folder: Path, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs"
    assert forget_ended(jobs, before=float("inf")) == []
    finish(compute, "scr_0", job_in(folder, "write"), finished=(folder / "result").exists, report=silent)
    (folder / "result").unlink()
    ended_at = (jobs / "scr_0" / "exit.json").stat().st_mtime
    assert forget_ended(jobs, before=ended_at) == []
    with running(compute, folder):
        assert forget_ended(jobs, before=float("inf")) == ["scr_0"]
        assert [path.name for path in jobs.iterdir()] == [KEY]
    assert compute.status("scr_0").state is JobState.MISSING
    assert compute.status(KEY).state is JobState.DONE
