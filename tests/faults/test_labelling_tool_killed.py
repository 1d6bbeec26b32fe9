"""Label Studio killed while it takes tasks and while people answer: the round waits, says why, asks nobody twice."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from al_platform.client import Client, RoundRecord
from al_platform.domain.rounds import RoundState
from al_platform.labeling.label_studio import TASKS_PER_IMPORT
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_config import frame_config
from al_platform.labeling.label_studio_projects import QueueConfig, make_project
from al_platform.settings import LabelStudioSettings
from tests.al_platform.labeling.test_label_studio_faults import server as server_answering
from tests.api.conftest import serving
from tests.faults.volume import ROUND, START, assert_whole, make_home
from tests.fleet import settings_of
from tests.label_studio import TOKEN, Server

pytestmark = [pytest.mark.story, pytest.mark.label_studio]
TASKS = TASKS_PER_IMPORT + 10
"""Two imports."""
BY_HAND = 5


@contextmanager
def killed_by(action: str, label_studio: Server, *, project: int) -> Iterator[None]:
    """Kill the server when it first did something of this kind in a project: it is on its disk, and nobody was told.

    A hook of its own tells us, which it sends before it answers. It is up again when the block has ended.
    """
    killed = threading.Event()

    def kill(request: BaseHTTPRequestHandler) -> tuple[int, str]:
        if not killed.is_set():
            killed.set()
            label_studio.stop(signal.SIGKILL)
        return 200, "{}"

    with server_answering(kill) as url:
        wanted = {"project": project, "url": url, "send_for_all_actions": False, "actions": [action]}
        hook = label_studio.ask("POST", "/api/webhooks/", wanted)["id"]
        try:
            yield
        finally:
            if killed.is_set():
                label_studio.start()
            label_studio.ask("DELETE", f"/api/webhooks/{hook}/")
    assert killed.is_set()


def test_killed_while_it_takes_tasks_and_while_people_answer_nothing_is_lost_or_doubled(
    label_studio: Server, tmp_path: Path
) -> None:
    label_through_kills(label_studio, tmp_path, tasks=TASKS)


def label_through_kills(label_studio: Server, folder: Path, *, tasks: int) -> None:
    """Have people label a round of this many tasks on a server that dies twice."""
    make_home(folder / "home", folder / "source", frames=START + tasks)
    queue = f"dies with {tasks}"
    people = LabelStudioSettings(label_studio.url, TOKEN, poll_s=100_000.0)
    wanted = {**ROUND, "budget": {"frames": tasks}, "annotator": "label-studio", "queue": queue}
    project = make_project(LabelStudioClient(people.url, TOKEN), QueueConfig(queue, frame_config(("person",))), 1)
    settings = replace(settings_of(folder / "home"), label_studio=people)
    with serving(folder / "home", settings=settings) as served, served.client() as client:
        with killed_by("TASKS_CREATED", label_studio, project=project.id):
            *_, round_ = client.watch_round(client.submit_round(wanted, idempotency_key="large").round_id)
            assert_waits(round_, RoundState.SELECTED)
        assert len(label_studio.tasks(queue)) == TASKS_PER_IMPORT  # taken, but nobody was told
        round_ = gone_on_with(client, round_)
        assert round_.state is RoundState.SENT, round_.message
        assert round_.message.startswith(f"{tasks} of {tasks} labels are still out")
        there = label_studio.tasks(queue)
        assert_each_once(there, tasks=tasks)

        first, *others = there
        for task in others[:BY_HAND]:
            label_studio.annotate(task["id"], [])
        with killed_by("ANNOTATION_CREATED", label_studio, project=project.id):
            with pytest.raises(httpx.TransportError):
                label_studio.annotate(first["id"], [])
            round_ = gone_on_with(client, round_)
            assert_waits(round_, RoundState.SENT)
        round_ = gone_on_with(client, round_)
        assert round_.message.startswith(f"{tasks - BY_HAND - 1} of {tasks} labels are still out")
        accept_proposals(label_studio, others[BY_HAND:])
        round_ = gone_on_with(client, round_)
        assert (round_.state, round_.run_state) == (RoundState.APPENDED, "finished"), round_.message
    there = label_studio.tasks(queue)
    assert_each_once(there, tasks=tasks)
    assert all(len(task["annotations"]) == 1 for task in there)
    assert_whole(folder / "home", round_, tasks=tasks)


def gone_on_with(client: Client, round_: RoundRecord) -> RoundRecord:
    """Look at a round that waits; gives it when it rests again."""
    *_, rests = client.watch_round(client.resume_round(round_.round_id).round_id)
    return rests


def accept_proposals(label_studio: Server, tasks: list[dict[str, Any]]) -> None:
    """Answer tasks by what the ensemble proposes, all at once."""
    chosen = {"selectedItems": {"all": False, "included": [task["id"] for task in tasks]}}
    label_studio.ask("POST", "/api/dm/actions", chosen, id="predictions_to_annotations", project=tasks[0]["project"])


def assert_waits(round_: RoundRecord, state: RoundState) -> None:
    """It stands where it stood, and says why."""
    assert (round_.state, round_.run_state) == (state, "waiting")
    assert "cannot be reached" in round_.message
    assert "The tasks wait and nothing is lost" in round_.message


def assert_each_once(there: list[dict[str, Any]], *, tasks: int) -> None:
    """The server has every task, and none twice."""
    assert len({task["data"]["external_id"] for task in there}) == len(there) == tasks
