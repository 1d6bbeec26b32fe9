"""Queues from the command line: the same on a home and against its service."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from tests.al_platform.cli.conftest import Alp
from tests.fleet import COMMAND, contents_of_home
from tests.stories.test_served import started

pytestmark = pytest.mark.story


@contextmanager
def place(home: Path, *, served: bool) -> Iterator[tuple[str, ...]]:
    """The global options that lead to a home: its folder, or the address of a service that holds it."""
    if not served:
        yield ("--home", str(home))
        return
    with started(home) as server:
        yield ("--server", server.url, "--key", server.key)


@pytest.mark.parametrize("served", [False, True])
def test_a_queue_is_listed_put_in_another_order_and_withdrawn(alp: Alp, home: Path, served: bool) -> None:
    ran = alp("--home", str(home), "round", "run", *COMMAND, "--budget", "4", "--strategy", "random")
    assert ran.code == 0, ran.err
    waits_again(home)
    with place(home, served=served) as there:
        assert re.search(r"main\W+0\W+4\W+0\W+0\W+0\W", alp(*there, "queue", "list").out)
        first, *_, last = ranked(alp(*there, "queue", "list", "main").out)
        assert alp(*there, "queue", "move", last, "0").out == f"{last} has rank 0\n"
        assert alp(*there, "queue", "move", first, "9").out == f"{first} has rank 9\n"
        order = ranked(alp(*there, "queue", "list", "main").out)
        assert (order[0], order[-1]) == (last, first)
        one = alp(*there, "queue", "withdraw", "main", "--task", last)
        assert one.out == "1 tasks of main withdrawn\n"
        refused = alp(*there, "queue", "move", last, "1")
        assert (refused.code, refused.out) == (2, "")
        assert "only what still waits can be changed" in refused.err
        assert alp(*there, "queue", "withdraw", "main").out == "3 tasks of main withdrawn\n"
        assert alp(*there, "queue", "withdraw", "main").out == "0 tasks of main withdrawn\n"
    assert {task["state"] for task in contents_of_home(home)["tasks"]} == {"withdrawn"}


def waits_again(home: Path) -> None:
    """As if nobody had answered yet."""
    with duckdb.connect(str(home / "catalog.duckdb")) as connection:
        connection.execute("UPDATE tasks SET state = 'sent'")


def ranked(said: str) -> list[str]:
    return re.findall(r"tsk_\w+", said)
