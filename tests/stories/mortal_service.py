"""A process that runs services in children, and children that kill themselves where they are told to.

As `mortal`, with orders {"home", "journal", "die"}: a child goes on with all that its home has under way and ends
when nothing is left. It writes down, in a file that outlives it, what a second time would cost: steps of training,
parts of scoring, people asked. Besides commits and reports it dies at ["send", n] and ["collect", n], before the
n-th task of a call.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import al_platform.loop.engine  # noqa: F401  imported once, before the first child
from al_platform.catalog.loops import loop_runs_page, open_loops
from al_platform.catalog.runs import unfinished_runs
from al_platform.domain.labels import LabelTask
from al_platform.domain.loops import LoopState
from al_platform.domain.paging import PageRequest
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import RoundState
from al_platform.labeling.base import LabelingTool, TaskResult
from al_platform.loop.closing import Advanced, advance_or_close
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.platform.runner import Runner
from al_platform.platform.service import duties_of
from tests.stories.mortal import Fate, answer_orders, often_kept, opened

_TOOL = "offline"


@dataclass(frozen=True)
class Journal:
    """What was done, a line each, whole or not at all."""

    path: Path

    def write(self, event: str, subject: object) -> None:
        """Add a line."""
        with self.path.open("a") as lines:
            lines.write(f"{event} {subject}\n")

    def subjects(self, event: str) -> list[str]:
        """Give what an event was written of, in order."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{event} ")]


@dataclass(frozen=True)
class BookedTool:
    """A tool that keeps a book of whom it asked, as a server of labels does: a task is entered once."""

    tool: LabelingTool
    journal: Journal
    fate: Fate
    name: str = _TOOL

    def send(self, tasks: Sequence[LabelTask]) -> None:
        """Enter what is not in the book, and tell the tool below."""
        known = set(self.journal.subjects("asked"))
        for number, task in enumerate(tasks):
            self.fate.meets("send", number)
            if task.task_id not in known:
                self.journal.write("asked", task.task_id)
        self.tool.send(tasks)

    def collect(self, tasks: Sequence[LabelTask], *, since: str = "") -> Iterator[TaskResult]:
        """Give the results of the tool below."""
        for number, result in enumerate(self.tool.collect(tasks, since=since)):
            self.fate.meets("collect", number)
            yield result

    def withdraw(self, tasks: Sequence[LabelTask]) -> frozenset[str]:
        """Take tasks back from the tool below."""
        return self.tool.withdraw(tasks)


def serve(order: Mapping[str, Any], fate: Fate) -> None:
    """Go on with what a home has under way until nothing is left."""
    journal = Journal(Path(order["journal"]))
    platform = opened(Path(order["home"]), fate)

    def advance(its: Platform, round_id: str, state: RoundState) -> Advanced:
        def report(progress: Progress) -> None:
            journal.write(progress.stage, progress.done)
            fate.hears(progress)
            its.report(progress)

        context = often_kept(loop_context(its))
        tools = {_TOOL: BookedTool(context.tools[_TOOL], journal, fate)}
        context = replace(context, tools=tools, report=report)
        return advance_or_close(context, round_id, state, every_s=300.0)

    runner = Runner(platform, replace(duties_of(platform, threading.RLock()), advance=advance))
    rounds, loops = _open(platform)
    runner.go_on(rounds, loops)
    while any(_open(platform)):
        _require_none_paused(platform)
        time.sleep(0.05)
    runner.close()
    platform.catalog.close()


def _open(platform: Platform) -> tuple[list[str], list[str]]:
    with platform.catalog.transaction() as tx:
        return [run.round_id for run in unfinished_runs(tx)], open_loops(tx)


def _require_none_paused(platform: Platform) -> None:
    with platform.catalog.transaction() as tx:
        paused = loop_runs_page(tx, LoopState.PAUSED, PageRequest()).items
    assert not paused, paused


if __name__ == "__main__":
    answer_orders(serve)
