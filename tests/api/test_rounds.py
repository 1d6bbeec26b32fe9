"""A round over HTTP: submitted once however often it is sent, watched, changed, cancelled."""

import re
import threading

import pytest

from al_platform.client import Client, RoundRecord, ServiceProblem
from al_platform.domain.access import Scope
from al_platform.domain.rounds import RoundState
from al_platform.platform.rounds import run_one_round
from tests.api.conftest import ROUND, Served
from tests.fleet import contents, counts, round_spec

pytestmark = pytest.mark.story


def test_an_estimate_keeps_nothing(served: Served) -> None:
    before = contents(served.service.platform)
    with served.client(Scope.READER) as client:
        estimate = client.estimate_round(ROUND)
    assert contents(served.service.platform) == before
    assert (estimate.pool_frames, estimate.pool_sessions, estimate.test_frames) == (60, 12, 20)
    assert estimate.labels == 6 + 12 + 20
    assert estimate.seconds == {"train": None, "score": None, "label": None}


def test_a_round_is_run_once_watched_to_its_end_and_comes_to_what_it_comes_to_here(served: Served) -> None:
    with served.client(Scope.OPERATOR) as client:
        asked = client.submit_round(ROUND, idempotency_key="nightly").round_id
        seen = list(client.watch_round(asked))
        ended = client.round(asked)
        assert seen[-1] == ended
        assert client.submit_round(ROUND, idempotency_key="nightly") == ended
        assert (ended.state, ended.run_state, ended.attempts) == (RoundState.APPENDED, "finished", 1)
        assert [step.step for step in client.steps(ended.round_id)] == [
            "train",
            "score",
            "select",
            "send",
            "collect",
            "append",
        ]
        *_, another = client.watch_round(client.submit_round(ROUND, idempotency_key="another").round_id)
        assert another.round_id == ended.round_id
        picks = list(client.selections(ended.round_id, page=4))
        assert [pick.rank for pick in picks] == list(range(6))
        heatmap = client.heatmap(ended.round_id, picks[0].item_id, class_name="person")
        assert heatmap.startswith(b"\x89PNG")
        assert client.thumbnail(picks[0].item_id, size=64).startswith(b"\xff\xd8")
        assert client.estimate_round(ROUND).based_on == {"train": 1, "score": 1, "label": 0}
        assert ended.ensemble_id is not None
        assert "average_precision" in client.metrics(ended.ensemble_id).tests[ended.test_version_id or ""]
        with pytest.raises(ServiceProblem, match="came before with another request") as refused:
            client.submit_round({**ROUND, "seed": 1}, idempotency_key="nightly")
        assert refused.value.code == "idempotency-mismatch"
        with pytest.raises(ServiceProblem, match="nothing is left to cancel"):
            client.cancel_round(ended.round_id)
    before = counts(contents(served.service.platform))
    assert run_one_round(served.service.platform, round_spec(served.service.platform)).round_id == ended.round_id
    assert counts(contents(served.service.platform)) == before


def test_sent_at_once_by_many_a_round_is_entered_once(served: Served) -> None:
    found: list[str] = []

    def send() -> None:
        with served.client(Scope.OPERATOR) as client:
            found.append(client.submit_round(ROUND, idempotency_key="same").round_id)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    with served.client(Scope.OPERATOR) as client:
        *_, ended = client.watch_round(found[0])
        assert {client.round(asked).round_id for asked in found} == {ended.round_id}
    rows = contents(served.service.platform)
    assert [len(rows[table]) for table in ("rounds", "round_runs", "round_requests", "idempotency_keys")] == [1] * 4


def test_a_running_round_stops_at_its_next_report_and_a_waiting_one_never_begins(served: Served) -> None:
    long = {**ROUND, "settings": {"steps": 100_000, "projection": 16, "hidden": 8}}
    with served.client(Scope.OPERATOR) as client:
        running = entered(client, long, key="a")
        waiting = entered(client, {**long, "seed": 1}, key="b")
        assert client.cancel_round(waiting.round_id).state is RoundState.CANCELLED
        for status in client.watch_round(running.round_id):
            if status.progress is not None and status.progress.stage == "train" and not status.stop_requested:
                client.cancel_round(running.round_id)
                break
        *_, last = client.watch_round(running.round_id)
        assert (last.state, last.run_state, last.attempts) == (RoundState.CANCELLED, "cancelled", 1)
        assert client.round(waiting.round_id).attempts == 0
        assert client.cancel_round(running.round_id).state is RoundState.CANCELLED
        with pytest.raises(ServiceProblem, match="submit it with another seed"):
            client.resume_round(running.round_id)
        *_, refused = client.watch_round(client.submit_round(long, idempotency_key="c").round_id)
        assert (refused.run_state, refused.state) == ("failed", RoundState.PLANNED)
        assert "submit it with another seed" in refused.message


def entered(client: Client, wanted: dict[str, object], *, key: str) -> RoundRecord:
    """A submitted round, once its pool is frozen."""
    asked = client.submit_round(wanted, idempotency_key=key)
    return next(seen for seen in client.watch_round(asked.round_id) if seen.round_id.startswith("rnd_"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool": "split"}, "filter term 'split': write NAME=A|B"),
        ({"filter": "speed=3"}, "filter name 'speed': no frame carries it"),
        ({"annotator": "nobody"}, "annotator 'nobody': known are offline"),
        ({"scorers": 0}, "scorers: Input should be greater than or equal to 1"),
        ({"curriculum": [{"share": 0}]}, "curriculum: all shares are 0"),
        ({"targets": ["tram"]}, "target tram: not a class of the model"),
        ({"targets": []}, "no target classes"),
        ({"family": "best"}, "model family best: known are"),
        ({"settings": {"depth": 3}}, "setting depth: known are"),
        ({"settings": {"steps": "many"}}, "setting steps=many: must be a number"),
        ({"dataset_version_id": "dsv_none"}, "dataset version dsv_none: not in the catalog"),
        ({"strategy": {"name": "best"}}, "strategy 'best': known are"),
        ({"image": {"width": 192, "height": 128, "cell": 7}}, "cell 7: must divide the image"),
        ({"frames": 3}, "frames: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_a_round_that_cannot_be_says_why_and_is_not_entered(
    shared: Served, change: dict[str, object], message: str
) -> None:
    with shared.client() as client, pytest.raises(ServiceProblem, match=re.escape(message)):
        client.submit_round({**ROUND, **change}, idempotency_key=str(change))
    rows = contents(shared.service.platform)
    assert not any(rows[table] for table in ("rounds", "round_requests", "round_runs", "idempotency_keys"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool": "split=nowhere"}, "pool 'split=nowhere': no frame matches"),
        ({"test": "split=nowhere"}, "test set 'split=nowhere': no frame matches"),
        ({"pool": "dataset=synthetic"}, "pool and test set share 4 sessions"),
        ({"start": 61}, "start 61: must be at least 1 and at most the pool's 60 frames"),
        ({"targets": ["tram"], "classes": ["tram", "car"]}, "class tram: no label of pool"),
    ],
    ids=str,
)
def test_what_freezing_finds_wrong_is_the_reason_why_a_round_never_came_to_be(
    served: Served, change: dict[str, object], message: str
) -> None:
    with served.client(Scope.OPERATOR) as client, served.http(Scope.READER) as http:
        asked = client.submit_round({**ROUND, **change}, idempotency_key=str(change)).round_id
        *_, ended = client.watch_round(asked)
        assert (ended.round_id, ended.state, ended.run_state) == (asked, RoundState.PLANNED, "failed")
        assert message in ended.message
        assert client.steps(asked) == list(client.selections(asked)) == []
        listed = http.get("/v1/rounds/requests").json()["items"][0]
        assert (listed["request_id"], listed["round_id"], listed["message"]) == (asked, None, ended.message)
        assert client.cancel_round(asked).state is RoundState.CANCELLED
    assert not contents(served.service.platform)["rounds"]


def test_what_waits_is_re_ordered_and_withdrawn_by_whoever_saw_it_last(served: Served) -> None:
    with served.client() as client, served.http(Scope.OPERATOR) as http:
        *_, ended = client.watch_round(client.submit_round(ROUND, idempotency_key="a").round_id)
        round_id = ended.round_id
        with served.service.platform.catalog.transaction() as tx:
            tx.execute("UPDATE tasks SET state = 'sent'")
        first, *_, last = client.selections(round_id)
        path = f"/v1/tasks/{last.task_id}"
        mark = http.get(path).headers["etag"]
        moved = http.patch(path, json={"rank": 0}, headers={"If-Match": mark})
        assert moved.json()["rank"] == 0
        assert http.patch(path, json={"rank": 3}, headers={"If-Match": mark}).json()["code"] == "stale-version"
        withdrawn = http.patch(path, json={"state": "withdrawn"}, headers={"If-Match": moved.headers["etag"]})
        assert withdrawn.json()["state"] == "withdrawn"
        closed = http.patch(path, json={"rank": 1}, headers={"If-Match": withdrawn.headers["etag"]})
        assert closed.json()["code"] == "conflict"
        assert http.get("/v1/queues").json() == [{"queue": "main", "tasks": {"sent": 5, "withdrawn": 1}}]
        assert {task["task_id"] for task in http.get("/v1/tasks?queue=main").json()["items"][:2]} == {
            first.task_id,
            last.task_id,
        }
