"""`alp serve` as people start it: its first key, who may start it, and what kill -9 and a full disk leave of it."""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from al_platform.client import Client, ServiceProblem
from al_platform.compute.base import JobState
from al_platform.compute.local import LocalProcesses
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import RoundState
from al_platform.platform.home import open_platform
from al_platform.platform.jobs import PROGRAM
from tests.api.conftest import ROUND, serving
from tests.contracts.test_compute import until
from tests.fleet import contents, counts, outcome_of, settings_of

pytestmark = pytest.mark.story
ALP = shutil.which("alp", path=str(Path(sys.executable).parent)) or "alp"
LONGER = {**ROUND, "settings": {"steps": 4000, "projection": 16, "hidden": 8}}
NOTHING = Progress("", 0, 0)
SERVICE_TABLES = ("api_keys", "audit_log", "round_runs", "round_requests", "idempotency_keys")


def jobs(home: Path) -> LocalProcesses:
    """The jobs of a home, seen from outside."""
    return LocalProcesses(home / "jobs", PROGRAM)


@dataclass(frozen=True)
class Server:
    """A server process, its address, and the key that it printed; "" where it printed none."""

    process: "subprocess.Popen[str]"
    url: str
    key: str

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(home: Path, *options: str, port: int = 0) -> Iterator[Server]:
    """Start a server on any free port or this one, wait until it answers, and end it if the block did not."""
    port, log = port or free_port(), home.with_name(f"{home.name}.log")
    with (
        log.open("a") as errors,
        subprocess.Popen(
            [ALP, "--home", str(home), "serve", "--port", str(port), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("serving "):
                break
        key = re.search(r"alp_[0-9a-f]{12}_\S+", said)
        server = Server(process, f"http://127.0.0.1:{port}", key[0] if key else "")
        try:
            with Client(server.url) as client:
                while not _answers(client):
                    assert process.poll() is None, said + log.read_text()[-4000:]
            yield server
        finally:
            process.terminate()
            process.wait()


def _answers(client: Client) -> bool:
    try:
        client.datasets()
    except ServiceProblem as problem:
        return problem.code != "unreachable"
    return True


def test_killed_while_jobs_train_and_score_it_finds_them_again_and_nothing_is_done_or_there_twice(
    fleet_home: Path, tmp_path: Path
) -> None:
    killed = Path(shutil.copytree(fleet_home, tmp_path / "killed"))
    whole = Path(shutil.copytree(fleet_home, tmp_path / "whole"))
    with started(killed) as server, Client(server.url, key=server.key) as client:
        key = server.key
        asked = client.submit_round(LONGER, idempotency_key="nightly").round_id
        for status in client.watch_round(asked):
            round_id = status.round_id
            if status.progress is not None and status.progress.stage == "train" and status.progress.done > 0:
                server.kill()
                break
    (training,) = jobs_of(killed, "trn_*")
    assert jobs(killed).status(training).state is JobState.RUNNING
    with started(killed) as server, Client(server.url, key=key) as client:
        assert not server.key  # the first key is made once
        assert client.submit_round(LONGER, idempotency_key="nightly").round_id == round_id
        until(lambda: jobs_of(killed, "scr_*") != [])
        server.kill()
    (scoring,) = jobs_of(killed, "scr_*")
    until(lambda: jobs(killed).status(scoring).state is JobState.DONE)  # with nobody there to wait for it
    with started(killed) as server, Client(server.url, key=key) as client:
        *_, last = client.watch_round(round_id)
        assert (last.state, last.run_state, last.attempts) == (RoundState.APPENDED, "finished", 3)
        outputs = {step.step: step.outputs for step in client.steps(round_id)}
    assert all(float(outputs[step]["cpu_seconds"]) > 0.0 for step in ("train", "score"))
    assert [len(begun(killed, job)) for job in (training, scoring)] == [1, 1]
    with serving(whole) as served, served.client() as client:
        *_, last = client.watch_round(client.submit_round(LONGER, idempotency_key="nightly").round_id)
        assert (last.round_id, last.attempts) == (round_id, 1)
    with open_platform(settings_of(killed)) as one, open_platform(settings_of(whole)) as other:
        assert outcome_of(one, round_id) == outcome_of(other, round_id)
        rows, expected = contents(one), contents(other)
    assert len(rows.pop("api_keys")) < len(expected.pop("api_keys"))  # this service has a key for every scope
    assert len(rows.pop("audit_log")) < len(expected.pop("audit_log"))
    assert counts(rows) == counts(expected)
    assert len(rows["round_runs"]) == len(rows["idempotency_keys"]) == 1


def test_told_to_end_it_leaves_its_job_running_and_a_cancelled_round_stops_its_job(home: Path) -> None:
    endless = {**ROUND, "settings": {"steps": 1_000_000, "projection": 16, "hidden": 8}}
    with started(home) as server, Client(server.url, key=server.key) as client:
        key = server.key
        round_id = client.submit_round(endless, idempotency_key="nightly").round_id
        until(lambda: (jobs(home).status((*jobs_of(home, "trn_*"), "none")[0]).progress or NOTHING).stage == "train")
        server.process.terminate()
        server.process.wait()
    (training,) = jobs_of(home, "trn_*")
    assert jobs(home).status(training).state is JobState.RUNNING
    with started(home) as server, Client(server.url, key=key) as client:
        client.cancel_round(round_id)
        *_, last = client.watch_round(round_id)
        assert (last.state, last.run_state) == (RoundState.CANCELLED, "cancelled")
    assert jobs(home).status(training).state is JobState.STOPPED
    assert list((home / "runs" / training).iterdir())  # what it had learned is kept
    assert len(begun(home, training)) == 1


def jobs_of(home: Path, pattern: str) -> list[str]:
    """The keys of the jobs of a home."""
    return [path.parent.name for path in (home / "jobs").glob(f"{pattern}/alive")]


def begun(home: Path, key: str) -> list[str]:
    """A line for each time that a job was begun."""
    kind = {"trn": "train trainings/", "scr": "score scr_"}[key[:3]]
    lines = (home / "jobs" / key / "log").read_text().splitlines()
    return [line for line in lines if line.startswith(kind)]


def test_a_full_disk_is_a_problem_that_passes(home: Path) -> None:
    with started(home) as server, Client(server.url, key=server.key) as client:
        none, unlimited = (1000, resource.RLIM_INFINITY), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, none)
        with pytest.raises(ServiceProblem, match="free space") as full:
            client.submit_round(ROUND, idempotency_key="nightly")
        assert (full.value.status, full.value.code) == (503, "storage-unavailable")
        assert client.count_frames("").frames == 80
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        round_id = client.submit_round(ROUND, idempotency_key="nightly").round_id
        *_, last = client.watch_round(round_id)
        assert last.state is RoundState.APPENDED


def test_commands_say_the_same_of_a_server_as_of_a_home(home: Path) -> None:
    with started(home, "--dev") as server:
        remote = [ALP, "--server", server.url]
        said = subprocess.run([*remote, "frames", "--filter", "split=pool"], capture_output=True, text=True, check=True)
        assert said.stdout == "60 frames of 12 sessions match\n"
        wanted = ["--pool", "split=pool", "--test", "split=test", "--targets", "person,bicycle"]
        sizes = ["--members", "2", "--image", "192x128/16", "--start", "12", "--budget", "6"]
        recipe = ["--set", "steps=50", "--set", "projection=16", "--set", "hidden=8"]
        command = [*remote, "round", "run", *wanted, *sizes, *recipe]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert re.match(r"rnd_\w+ appended  train .* s, score .*\n  average precision of ens_\w+: ", run.stdout)
        round_id = run.stdout.split()[0]
        listed = subprocess.run([*remote, "round", "list"], capture_output=True, text=True, check=True)
        assert "appended" in listed.stdout
        shown = subprocess.run([*remote, "round", "show", round_id], capture_output=True, text=True, check=True)
        assert shown.stdout.count("frm_") == 6
        refused = subprocess.run([*remote, "lineage", round_id], capture_output=True, text=True, check=False)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "alp: lineage: works on a home alone; leave out --server (and ALP_SERVER)\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dev", "--host", "0.0.0.0"), "--dev on 0.0.0.0: asks nobody for a key, so it listens on 127.0.0.1 alone"),
        (("--port", "70000"), "port 70000: must be at least 0"),
    ],
)
def test_what_cannot_be_served_is_one_line(home: Path, options: tuple[str, ...], message: str) -> None:
    ended = subprocess.run(
        [ALP, "--home", str(home), "serve", *options], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_home_that_somebody_else_holds_is_not_served(home: Path) -> None:
    with open_platform(settings_of(home)):
        ended = subprocess.run(
            [ALP, "--home", str(home), "serve"], capture_output=True, text=True, check=False, timeout=60
        )
    assert ended.returncode == 2
    assert f"held by process {os.getpid()} (" in ended.stderr
    assert ended.stderr.count("\n") == 1
