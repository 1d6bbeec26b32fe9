"""Answers come in by themselves: Label Studio hints at them, and what is withdrawn here is gone there."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from al_platform.client import Client
from al_platform.domain.rounds import RoundState
from al_platform.settings import HOOK_PATH, HookSettings, LabelStudioSettings
from tests.api.conftest import ROUND, Served, serving
from tests.fleet import settings_of
from tests.label_studio import TOKEN, Server, free_port

pytestmark = [pytest.mark.story, pytest.mark.label_studio]
SECRET = "a-secret-of-the-hook"
PATIENCE_S = 300.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes by itself; a loaded machine takes its time."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def labelled(home: Path, label_studio: Server) -> Iterator[Served]:
    """A server whose rounds are labelled in Label Studio, which knows where to find it; nobody polls.

    The pictures of its tasks end with their round.
    """
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    hook = HookSettings(here + HOOK_PATH, SECRET)
    people = LabelStudioSettings(label_studio.url, TOKEN, hook=hook, poll_s=100_000.0, picture_days=0)
    with serving(home, settings=replace(settings_of(home), label_studio=people, browser_url=here), port=port) as served:
        yield served


def sent_round(client: Client, queue: str) -> str:
    """A round whose tasks are at the labellers."""
    wanted = {**ROUND, "test": "", "annotator": "label-studio", "queue": queue, "budget": {"frames": 4}}
    *_, waiting = client.watch_round(client.submit_round(wanted, idempotency_key=queue).round_id)
    assert (waiting.state, waiting.run_state) == (RoundState.SENT, "waiting"), waiting.message
    return waiting.round_id


def pictures(task: dict[str, Any]) -> list[int]:
    """What whoever follows the links of a task is answered, with no key."""
    return [httpx.get(task["data"][name]).status_code for name in ("image", "heatmap")]


def test_what_people_do_reaches_the_round_and_what_is_withdrawn_reaches_people(
    labelled: Served, label_studio: Server
) -> None:
    with labelled.client() as client, labelled.http() as http:
        round_id = sent_round(client, "hinted")
        (project,) = label_studio.projects("hinted")
        sent = {task["data"]["external_id"]: task for task in label_studio.tasks("hinted")}
        assert all(pictures(task) == [200, 200] for task in sent.values())
        (hook,) = label_studio.ask("GET", "/api/webhooks/", project=project["id"])
        assert hook["headers"] == {"X-Hook-Secret": SECRET}
        best, second, third, last = client.selections(round_id)

        def change(task_id: str, **body: object) -> int:
            path = f"/v1/tasks/{task_id}"
            return http.patch(path, json=body, headers={"If-Match": http.get(path).headers["etag"]}).status_code

        assert change(last.task_id, rank=0) == 200
        assert change(third.task_id, state="withdrawn") == 200
        there = {task["data"]["external_id"]: task for task in label_studio.tasks("hinted")}
        assert pictures(sent[third.task_id]) == [401, 401]
        assert there.keys() == {best.task_id, second.task_id, last.task_id}
        assert there[last.task_id]["data"]["order"] == "0" * 10
        label_studio.annotate(there[second.task_id]["id"], [])
        until(lambda: client.round(round_id).message.startswith("2 of 3 labels are still out"))
        assert change(second.task_id, state="withdrawn") == 409
        assert pictures(there[second.task_id]) == [200, 200]  # for as long as its round waits
        for task_id in (best.task_id, last.task_id):
            label_studio.annotate(there[task_id]["id"], [])
        until(lambda: client.round(round_id).state is RoundState.APPENDED)
        states = {task.task_id: task.state for task in client.selections(round_id)}
        assert all(pictures(task) == [401, 401] for task in there.values())
        assert states.pop(third.task_id) == "withdrawn"
        assert set(states.values()) == {"labeled"}


def test_a_cancelled_round_leaves_nothing_with_people_and_a_secret_is_needed_to_hint(
    labelled: Served, label_studio: Server
) -> None:
    with labelled.client() as client, labelled.http(None) as http:
        round_id = sent_round(client, "cancelled")
        assert len(label_studio.tasks("cancelled")) == 4
        sent = label_studio.tasks("cancelled")
        assert client.cancel_round(round_id).state is RoundState.CANCELLED
        assert label_studio.tasks("cancelled") == []
        assert all(pictures(task) == [401, 401] for task in sent)
        for headers, status in [({}, 401), ({"X-Hook-Secret": "a guess"}, 401), ({"X-Hook-Secret": SECRET}, 202)]:
            assert http.post(HOOK_PATH, headers=headers).status_code == status


def test_a_server_that_is_down_leaves_the_round_waiting_with_the_reason_until_it_is_back(
    home: Path, label_studio: Server
) -> None:
    down = LabelStudioSettings(f"http://127.0.0.1:{free_port()}", TOKEN, poll_s=1.0)
    with serving(home, settings=replace(settings_of(home), label_studio=down)) as served, served.client() as client:
        wanted = {**ROUND, "test": "", "annotator": "label-studio", "queue": "down again", "budget": {"frames": 2}}
        *_, waiting = client.watch_round(client.submit_round(wanted, idempotency_key="a").round_id)
        assert (waiting.state, waiting.run_state) == (RoundState.SELECTED, "waiting")
        assert "Label Studio at http://127.0.0.1" in waiting.message
        assert "cannot be reached" in waiting.message
    up = LabelStudioSettings(label_studio.url, TOKEN, poll_s=1.0)
    with serving(home, settings=replace(settings_of(home), label_studio=up)) as served, served.client() as client:
        until(lambda: len(label_studio.tasks("down again")) == 2)
        for task in label_studio.tasks("down again"):
            label_studio.annotate(task["id"], [])
        until(lambda: client.round(waiting.round_id).state is RoundState.APPENDED)
