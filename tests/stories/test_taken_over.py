"""Two services on one home, over PostgreSQL: when the one that works is killed, the other finishes what it began."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from al_platform.client import Client
from al_platform.domain.rounds import RoundState
from al_platform.platform.home import open_platform
from tests.fleet import contents, settings_of
from tests.stories.test_served import ALP, LONGER, begun, free_port, jobs_of, started

pytestmark = pytest.mark.story
STEPS = ["append", "collect", "score", "select", "send", "train"]


@contextmanager
def standing_by(home: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """Start a server that waits for the home; ended with the block."""
    command = [ALP, "--home", str(home), "serve", "--standby", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"standing by for {home}\n"
            yield process
        finally:
            process.terminate()
            process.wait()


def test_a_standby_takes_over_what_a_killed_service_was_at_and_no_step_is_taken_twice(
    home: Path, workflows: str
) -> None:
    port = free_port()
    with started(home) as first, standing_by(home, port) as second:
        with Client(first.url, key=first.key) as client:
            round_id = client.submit_round(LONGER, idempotency_key="nightly").round_id
            for status in client.watch_round(round_id):
                if status.progress is not None and status.progress.stage == "train" and status.progress.done > 0:
                    first.kill()
                    break
        assert second.stdout is not None
        assert second.stdout.readline().startswith("pages at ")
        assert second.stdout.readline() == f"serving {home} at http://127.0.0.1:{port}\n"
        with Client(f"http://127.0.0.1:{port}", key=first.key, timeout_s=300.0) as client:
            while (last := client.round(round_id)).run_state != "finished":
                assert last.run_state in ("queued", "running")
                list(client.watch_round(round_id))
            assert (last.state, last.attempts) == (RoundState.APPENDED, 2)
            assert sorted(step.step for step in client.steps(round_id)) == STEPS
            picked = [task.item_id for task in client.selections(round_id)]
    assert len(picked) == len(set(picked)) == 6
    assert [len(begun(home, key)) for pattern in ("trn_*", "scr_*") for key in jobs_of(home, pattern)] == [1, 1]
    assert not (home / "workflows.sqlite").exists()
    once = dict.fromkeys(("trained", "scored", "selected", "sent", "labeled"), 1)
    assert turns_taken(workflows) == {"begin": 2, **once}  # the request begins, then the round
    with open_platform(settings_of(home)) as platform:
        rows = contents(platform)
    assert [len(rows[table]) for table in ("rounds", "round_runs", "ensembles", "tasks")] == [1, 1, 1, 6]


def turns_taken(url: str) -> dict[str, int]:
    """How often each turn of all work was recorded."""
    with psycopg.connect(url) as connection:
        (schema,) = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'home_')"
        ).fetchone() or ("",)
        rows = connection.execute(f'SELECT function_name FROM "{schema}".operation_outputs').fetchall()
    return dict(Counter(row[0] for row in rows))
