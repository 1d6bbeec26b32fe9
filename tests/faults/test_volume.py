"""A round of 2,000 tasks, its server killed again and again, its disk full: nothing is lost, nothing is there twice."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from al_platform.client import Client, RoundRecord, ServiceProblem
from al_platform.domain.rounds import RoundState
from tests.faults.volume import ROUND, TASKS, assert_whole, make_home
from tests.stories.test_served import Server, started

pytestmark = pytest.mark.story


def workers_of(pid: int) -> list[int]:
    """The processes that a server started, and those that they did."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [int(child), *workers_of(int(child))]
    return found


def killed_when(server: Server, round_id: str, met: Callable[[RoundRecord], bool], *, key: str) -> None:
    """Kill a server and all that works for it as soon as a round is seen in a state."""
    with Client(server.url, key=key) as client:
        for status in client.watch_round(round_id):
            if met(status):
                break
    for worker in workers_of(server.process.pid):
        try:
            os.kill(worker, signal.SIGKILL)
        except ProcessLookupError:
            continue  # ended by itself meanwhile
    server.kill()


def test_killed_in_every_part_of_a_large_round_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_home(home, tmp_path / "source")
    with started(home) as server, Client(server.url, key=server.key) as client:
        key = server.key
        asked = client.submit_round(ROUND, idempotency_key="large").round_id
        killed_when(server, asked, lambda seen: True, key=key)
    for met in (_encoding, _has_tasks):
        with started(home) as server:
            killed_when(server, asked, met, key=key)
    with started(home) as server, Client(server.url, key=key) as client:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        *_, ended = client.watch_round(asked)
        if ended.state is not RoundState.APPENDED:
            assert ended.run_state == "failed"
            assert "free space" in ended.message
        with pytest.raises(ServiceProblem, match="free space"):
            client.submit_round({**ROUND, "seed": 1}, idempotency_key="another")
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        if ended.state is not RoundState.APPENDED:
            client.resume_round(ended.round_id)
        *_, ended = client.watch_round(asked)
        assert (ended.state, ended.run_state) == (RoundState.APPENDED, "finished"), ended.message
    assert_whole(home, ended, tasks=TASKS)


def _encoding(seen: RoundRecord) -> bool:
    return seen.progress is not None and seen.progress.stage == "encode" and seen.progress.done > TASKS // 3


def _has_tasks(seen: RoundRecord) -> bool:
    return seen.state in (RoundState.SELECTED, RoundState.SENT, RoundState.LABELED, RoundState.APPENDED)
