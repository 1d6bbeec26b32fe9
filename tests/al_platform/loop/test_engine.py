"""Durable work: a turn is taken once, rests are woken, and the next engine goes on with what was open."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from al_platform.errors import Conflict, StorageUnavailable
from al_platform.loop.engine import Engine
from al_platform.loop.turns import Turn, Work

LIMIT_S = 120.0
LONG_S = 3600.0


class Counted:
    """Work of three turns, of which the second rests for long; keeps what was taken, and lets a test wait for it."""

    def __init__(self, *, broken: str | None = None) -> None:
        self.taken: list[tuple[str, str]] = []
        self.broken = broken
        self._changed = threading.Condition()

    def work(self) -> dict[str, Work]:
        return {"count": Work(self._take, self._failed)}

    def wait_for(self, *taken: tuple[str, str]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.taken == list(taken), LIMIT_S), self.taken

    def _take(self, key: str, state: str) -> Turn:
        with self._changed:
            self.taken.append((key, state))
            self._changed.notify_all()
        if state == self.broken:
            raise ValueError("broken")
        return {"": Turn("one"), "one": Turn("two", rests_s=LONG_S), "two": Turn("end", ended=True)}[state]

    def _failed(self, key: str, state: str, error: BaseException) -> Turn:
        assert str(error) == "broken"
        return Turn("two", rests_s=LONG_S)


@pytest.fixture
def start(tmp_path: Path) -> Callable[[Counted], Engine]:
    return lambda counted: Engine(f"sqlite:///{tmp_path / 'w.sqlite'}", home=str(tmp_path), kinds=counted.work())


def wait_until_recorded(path: Path, *turns: str) -> None:
    """Wait until these turns are recorded: one that was taken just before a close is taken again."""
    until = time.monotonic() + LIMIT_S
    while True:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT function_name FROM operation_outputs ORDER BY function_id").fetchall()
        if [name for (name,) in rows if not name.startswith("DBOS.")] == list(turns):
            return
        assert time.monotonic() < until, rows
        time.sleep(0.05)


def test_the_next_engine_goes_on_where_work_rests_and_takes_no_turn_twice(
    start: Callable[[Counted], Engine], tmp_path: Path
) -> None:
    first, second = Counted(), Counted()
    engine = start(first)
    engine.begin("count", "a")
    first.wait_for(("a", ""), ("a", "one"))
    wait_until_recorded(tmp_path / "w.sqlite", "begin", "one")
    engine.close()
    engine = start(second)
    assert engine.is_open("count", "a")
    assert engine.wake("count", "a")
    second.wait_for(("a", "two"))
    while engine.is_open("count", "a"):
        time.sleep(0.05)
    assert not engine.wake("count", "a")
    engine.close()


def test_a_turn_that_raises_is_told_and_what_is_begun_again_is_woken(start: Callable[[Counted], Engine]) -> None:
    counted = Counted(broken="")
    engine = start(counted)
    engine.begin("count", "a")
    counted.wait_for(("a", ""))
    engine.begin("count", "a")
    counted.wait_for(("a", ""), ("a", "two"))
    engine.close()


def test_a_process_has_one_engine_and_another_once_it_is_closed(start: Callable[[Counted], Engine]) -> None:
    engine = start(Counted())
    with pytest.raises(Conflict, match="close its service first"):
        start(Counted())
    engine.close()
    start(Counted()).close()


def test_a_database_that_cannot_be_reached_is_a_problem_and_leaves_no_engine(
    tmp_path: Path, start: Callable[[Counted], Engine]
) -> None:
    with pytest.raises(StorageUnavailable, match="ALP_WORKFLOWS_URL"):
        Engine(f"sqlite:///{tmp_path / 'nowhere' / 'w.sqlite'}", home="x", kinds=Counted().work())
    start(Counted()).close()
