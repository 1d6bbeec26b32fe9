"""A labelling tool that is slow or answers garbage: the round waits, says why, and nothing of it is lost."""

import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from al_platform.domain.rounds import RoundState
from al_platform.settings import LabelStudioSettings
from tests.al_platform.labeling.test_label_studio_faults import server as server_answering
from tests.api.conftest import ROUND, serving
from tests.fleet import contents, settings_of

pytestmark = pytest.mark.story


def hours(request: BaseHTTPRequestHandler) -> tuple[int, str]:
    """Take longer than anybody waits."""
    threading.Event().wait(3.0)
    return 200, "{}"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (lambda request: (200, "<html>welcome"), "answered GET /api/projects with what it should not (no JSON)"),
        (lambda request: (500, "oops"), "answered GET /api/projects with 500"),
        (lambda request: (401, "{}"), "refuses the token"),
        (hours, "did not answer GET /api/projects in 1 s"),
    ],
    ids=["garbage", "broken", "refuses", "slow"],
)
def test_the_round_waits_and_says_why(
    home: Path, reply: Callable[[BaseHTTPRequestHandler], tuple[int, str]], told: str
) -> None:
    with server_answering(reply) as url:
        people = LabelStudioSettings(url, "a-token", poll_s=100_000.0, timeout_s=1.0)
        settings = replace(settings_of(home), label_studio=people)
        with serving(home, settings=settings) as served, served.client() as client:
            wanted = {**ROUND, "test": "", "annotator": "label-studio", "strategy": {"name": "random"}}
            *_, waiting = client.watch_round(client.submit_round(wanted, idempotency_key="a").round_id)
            assert (waiting.state, waiting.run_state) == (RoundState.SELECTED, "waiting")
            assert told in waiting.message
            assert "The tasks wait and nothing is lost" in waiting.message
            again = client.resume_round(waiting.round_id)
            *_, waiting = client.watch_round(again.round_id)
            assert (waiting.run_state, waiting.attempts) == ("waiting", 2)
            assert {row["state"] for row in contents(served.service.platform)["tasks"]} == {"queued"}
