"""A loop over HTTP: made once, run by its rules, paused, gone on with, cancelled; what its rounds showed."""

import re
import time

import pytest

from al_platform.client import Client, ServiceProblem
from al_platform.client.records import LoopRecord
from al_platform.domain.access import Scope
from al_platform.domain.loops import LoopState
from al_platform.domain.rounds import RoundState
from tests.api import conftest
from tests.api.conftest import Served
from tests.fleet import contents

pytestmark = pytest.mark.story
LIMIT_S = 240.0
ROUND = {**conftest.ROUND, "strategy": {"name": "mi"}}
LOOP = {"round": ROUND, "name": "story", "rounds": 2, "control_share": 0.34}
FAR = {**LOOP, "trigger": {"cron": "0 3 29 2 *"}}


def ended(client: Client, loop_id: str, *states: LoopState) -> LoopRecord:
    """Wait until a loop is in one of these states."""
    until = time.monotonic() + LIMIT_S
    while (loop := client.loop(loop_id)).state not in states:
        assert time.monotonic() < until, loop
        time.sleep(0.2)
    return loop


def test_a_loop_runs_its_rounds_and_tells_what_they_showed(served: Served) -> None:
    with served.client(Scope.OPERATOR) as client:
        made = client.create_loop({**LOOP, "warm_start": True}, idempotency_key="a")
        assert client.create_loop({**LOOP, "warm_start": True}, idempotency_key="a").loop_id == made.loop_id
        loop = ended(client, made.loop_id, LoopState.FINISHED, LoopState.PAUSED)
        assert (loop.state, loop.message) == (LoopState.FINISHED, "all 2 rounds are done")
        first, second = client.loop_rounds(made.loop_id)
        assert [(each.number, each.appended, each.labels) for each in (first, second)] == [(1, True, 6), (2, True, 6)]
        assert [(each.picked_frames, each.control_frames) for each in (first, second)] == [(4, 2), (4, 2)]
        assert first.metric is not None
        assert loop.labels == 12
        rounds = [client.round(each.round_id) for each in (first, second)]
        assert rounds[1].trained_on == rounds[0].dataset_version_id
        begun = [served_spec(served, each.round_id)["initial_ensemble_id"] for each in rounds]
        assert begun == [None, rounds[0].ensemble_id]
        assert [found.loop_id for found in client.loops(state="finished")] == [made.loop_id]
        with pytest.raises(ServiceProblem, match="is finished") as refused:
            client.pause_loop(made.loop_id)
        assert (refused.value.status, refused.value.code) == (409, "conflict")
    actions = [row["action"] for row in contents(served.service.platform)["audit_log"]]
    assert actions.count("loop.created") == 1


def served_spec(served: Served, round_id: str) -> dict[str, object]:
    with served.http() as http:
        spec: dict[str, object] = http.get(f"/v1/rounds/{round_id}/spec").json()["spec"]
    return spec


def test_a_scheduled_loop_waits_for_its_tick_and_is_paused_resumed_and_cancelled(served: Served) -> None:
    with served.client(Scope.OPERATOR) as client:
        made = client.create_loop(FAR, idempotency_key="a")
        until = time.monotonic() + LIMIT_S
        while client.loop(made.loop_id).next_at is None:
            assert time.monotonic() < until
            time.sleep(0.1)
        waits = client.loop(made.loop_id)
        assert re.fullmatch(r"\d{4}-02-29 03:00:00.000000", waits.next_at or "")
        assert waits.message.startswith("waits for ")
        assert client.pause_loop(made.loop_id).state is LoopState.PAUSED
        assert client.pause_loop(made.loop_id).message == "paused"
        assert client.resume_loop(made.loop_id).state is LoopState.ACTIVE
        assert client.cancel_loop(made.loop_id).state is LoopState.CANCELLED
        with pytest.raises(ServiceProblem, match="make another with another name"):
            client.resume_loop(made.loop_id)
        assert client.loop_rounds(made.loop_id) == []
        with pytest.raises(ServiceProblem, match="was never given to a service") as unknown:
            client.loop("loop_none")
        assert unknown.value.code == "not-found"


def test_a_cancelled_loop_cancels_its_running_round(served: Served) -> None:
    long = {**ROUND, "settings": {"steps": 100_000, "projection": 16, "hidden": 8}}
    with served.client(Scope.OPERATOR) as client:
        made = client.create_loop({**LOOP, "round": long}, idempotency_key="a")
        until = time.monotonic() + LIMIT_S
        while not client.loop_rounds(made.loop_id):
            assert time.monotonic() < until
            time.sleep(0.1)
        round_id = client.loop_rounds(made.loop_id)[0].round_id
        for status in client.watch_round(round_id):
            if status.progress is not None and status.progress.stage == "train" and not status.stop_requested:
                client.cancel_loop(made.loop_id)
                break
        *_, last = client.watch_round(round_id)
        assert last.state is RoundState.CANCELLED
        assert client.loop(made.loop_id).state is LoopState.CANCELLED
        while client.loop_rounds(made.loop_id)[0].ended_at is None:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert not client.loop_rounds(made.loop_id)[0].appended


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trigger": {"cron": "every night"}}, "cron 'every night': must be five fields"),
        ({"trigger": {"cron": "61 3 * * *"}}, "cron '61 3 * * *': must be five fields"),
        ({"stopping": {"plateau": {}}, "round": {**ROUND, "test": ""}}, "plateau: is one of the frozen-test metric"),
        ({"closing": {"share": 1.5}}, "less than or equal to 1"),
        ({"round": {**ROUND, "pool": "split=nowhere"}}, "no frame matches"),
        ({"rounds": 0}, "greater than or equal to 1"),
    ],
    ids=str,
)
def test_a_loop_that_cannot_be_says_why_and_is_not_entered(
    shared: Served, change: dict[str, object], message: str
) -> None:
    with shared.client() as client, pytest.raises(ServiceProblem, match=re.escape(message)):
        client.create_loop({**LOOP, **change}, idempotency_key=str(change)[:100])
    assert not contents(shared.service.platform)["loops"]
