"""A process that runs rounds in children, and children that kill themselves where they are told to.

Reads one order a line: {"home", "spec", "die"}; `die` is null, ["before", n] or ["after", n] for the n-th commit
that changes the catalog, or [stage, done] for a report of progress. Answers each with the signal that ended the
child, 0 for none. Everything is imported once, before the first child; nothing is computed in the parent, whose
children therefore start clean.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from al_platform.catalog.connection import Catalog, Transaction
from al_platform.compute.inline import InlineJobs
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import RoundSpec
from al_platform.loop.context import LoopContext
from al_platform.loop.rounds import run_round, submit_round
from al_platform.platform.home import Platform
from al_platform.platform.jobs import run_job
from al_platform.platform.rounds import loop_context
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from al_platform.storage.sealed import SealedAnswers
from tests.fleet import settings_of


@dataclass(frozen=True)
class Fate:
    """Where a process dies."""

    die: tuple[str, int] | None

    def meets(self, event: str, number: int) -> None:
        """Die here and now, without a word, where that is the fate."""
        if self.die == (event, number):
            os.kill(os.getpid(), signal.SIGKILL)

    def hears(self, progress: Progress) -> None:
        """Take a report of progress for an event."""
        self.meets(progress.stage, progress.done)


Run = Callable[[Mapping[str, Any], Fate], None]
"""Does what an order says."""


class WatchedTransaction:
    """A transaction that knows whether it changed anything: rows inserted, or anything updated."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._statement = ""
        self.changed = False

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> "WatchedTransaction":
        self._tx.execute(sql, list(parameters))
        self._statement = sql.split(maxsplit=1)[0]
        self.changed |= self._statement == "UPDATE" or "ON CONFLICT DO UPDATE" in sql
        return self

    def fetchall(self) -> list[Any]:
        rows = self._tx.fetchall()
        self.changed |= self._statement == "INSERT" and rows[0][0] > 0
        return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


class MortalCatalog(Catalog):
    """The catalog, whose process dies before or after a commit."""

    fate = Fate(None)
    changes = 0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            watched = WatchedTransaction(tx)
            yield watched  # type: ignore[misc]  # whatever else is asked of it, the transaction answers
            self.changes += watched.changed
            if watched.changed:
                self.fate.meets("before", self.changes)
        if watched.changed:
            self.fate.meets("after", self.changes)


def opened(home: Path, fate: Fate) -> Platform:
    """Open a home with a catalog that knows its fate."""
    settings = settings_of(home)
    catalog = MortalCatalog.open(settings.catalog_path)
    catalog.fate = fate
    stores = BlobStore(settings.storage_url), SealedAnswers(settings.sealed_url)
    return Platform(settings, catalog, *stores, InlineJobs(run_job), RecordCaches(settings.cache_folder))


def often_kept(context: LoopContext) -> LoopContext:
    """Let a training keep its state after every stretch of steps."""
    every_time = replace(context.workplace, checkpoint_every_s=0.0)
    return replace(context, place=replace(context.place, workplace=every_time))


def run(order: Mapping[str, Any], fate: Fate) -> None:
    """Run a round of a home, keeping its training after every stretch of steps."""
    platform = opened(Path(order["home"]), fate)
    context = replace(often_kept(loop_context(platform)), report=fate.hears)
    run_round(context, submit_round(context, record_from_json(RoundSpec, order["spec"])))
    platform.catalog.close()


def _signal_that_ends(order: Mapping[str, Any], run: Run) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(order, Fate(tuple(order["die"]) if order["die"] else None))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return -os.waitstatus_to_exitcode(status)


def answer_orders(run: Run) -> None:
    """Answer orders until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(f"{_signal_that_ends(json.loads(line), run)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    answer_orders(run)
