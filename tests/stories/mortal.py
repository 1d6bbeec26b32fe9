"""A process that runs rounds in children, and children that kill themselves where they are told to.

Reads one order a line: {"home", "spec", "die"}; `die` is null, ["before", n] or ["after", n] for the n-th commit,
or [stage, done] for a report of progress. Answers each with {"signal", "writes"}: what ended the child, 0 for
nothing, and the numbers of its commits that changed the catalog. Everything is imported once, before the first
child; nothing is computed in the parent, whose children therefore start clean.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from al_platform.catalog.connection import Catalog, Transaction
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import RoundSpec
from al_platform.loop.rounds import run_round, submit_round
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers
from tests.fleet import settings_of


@dataclass
class Fate:
    """Where a process dies, and how far it came."""

    die: tuple[str, int] | None
    commits: int = 0
    writes: list[int] = field(default_factory=list)

    def meets(self, event: str, number: int) -> None:
        """Die here and now, without a word, where that is the fate."""
        if self.die == (event, number):
            os.kill(os.getpid(), signal.SIGKILL)

    def hears(self, progress: Progress) -> None:
        """Take a report of progress for an event."""
        self.meets(progress.stage, progress.done)


class MortalCatalog(Catalog):
    """The catalog, whose process dies before or after a commit."""

    fate = Fate(None)
    log = Path()
    """DuckDB's write-ahead log: it grows with every commit that changes something."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        size = self._logged()
        with super().transaction() as tx:
            yield tx
            self.fate.meets("before", self.fate.commits + 1)
        self.fate.commits += 1
        if self._logged() != size:
            self.fate.writes.append(self.fate.commits)
        self.fate.meets("after", self.fate.commits)

    def _logged(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0


def run(home: Path, spec: RoundSpec, fate: Fate) -> None:
    """Run a round of a home, keeping its training after every stretch of steps."""
    settings = settings_of(home)
    catalog = MortalCatalog.open(settings.catalog_path)
    catalog.fate, catalog.log = fate, settings.catalog_path.with_suffix(".duckdb.wal")
    platform = Platform(settings, catalog, BlobStore(settings.storage_url), SealedAnswers(settings.sealed_url))
    context = replace(loop_context(platform), report=fate.hears, checkpoint_every_s=0.0)
    run_round(context, submit_round(context, spec))
    catalog.close()


def _child(order: dict[str, object], written: int) -> None:
    die = order["die"]
    fate = Fate(tuple(die) if isinstance(die, list) else None)
    run(Path(str(order["home"])), record_from_json(RoundSpec, str(order["spec"])), fate)
    os.write(written, json.dumps(fate.writes).encode())


def _answer(order: dict[str, object]) -> dict[str, object]:
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _child(order, written)
            code = 0
        finally:
            os._exit(code)
    os.close(written)
    with os.fdopen(read) as pipe:
        writes = pipe.read()
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    return {"signal": -ended, "writes": json.loads(writes or "[]")}


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
