"""Long work behind a small seam: rounds are handed over, watched and stopped; they never run in a request."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from al_platform.domain.progress import Progress
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.errors import CatalogBusy, LabelingUnavailable, PlatformError, Stopped, StorageUnavailable
from al_platform.platform.home import Platform

_ATTEMPTS = 3
"""How often a round is taken up anew whose step wrote a row that somebody else was writing."""


@dataclass(frozen=True)
class Live:
    """What a runner knows of a round that it holds; `changes` counts up with every report."""

    running: bool
    progress: Progress | None = None
    changes: int = 0


class Runner(Protocol):
    """Runs rounds. Handing the same round over twice runs it once."""

    def submit(self, round_id: str) -> None:
        """Take a round over; returns at once."""

    def status(self, round_id: str) -> Live | None:
        """Give what is known of a round that waits or runs here, None for any other."""

    def stop(self, round_id: str) -> bool:
        """Ask a round to stop; False where it does not run, and now never will without being handed over again."""


RunRound = Callable[[Platform, str], RoundState]
"""Runs a round by its id as far as it goes."""

Conclude = Callable[[str, RunState, str], None]
"""Writes what became of a round, and why."""


class WorkerThread:
    """The runner of one process: one background thread, one round at a time, in the order of submission.

    `begin` says whether a round is still wanted, just before it is run.
    """

    def __init__(self, platform: Platform, *, run: RunRound, begin: Callable[[str], bool], conclude: Conclude) -> None:
        self._platform = platform
        self._run = run
        self._begin = begin
        self._conclude = conclude
        self._lock = threading.Lock()
        self._live: dict[str, Live] = {}
        self._futures: dict[str, Future[None]] = {}
        self._stopping: set[str] = set()
        self._unwritten: dict[str, tuple[RunState, str]] = {}
        self._closing = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="rounds")

    @property
    def waiting(self) -> int:
        """How many rounds are held, the running one included."""
        return len(self._live)

    def submit(self, round_id: str) -> None:
        """Take a round over; one that waits or runs already is left alone."""
        with self._lock:
            if round_id in self._live or self._closing:
                return
            self._live[round_id] = Live(running=False)
            self._unwritten.pop(round_id, None)
            future = self._worker.submit(self._work, round_id)
            self._futures[round_id] = future
        future.add_done_callback(lambda done: self._ended(round_id, done))

    def status(self, round_id: str) -> Live | None:
        """Give what is known of a round that waits or runs here, None for any other."""
        return self._live.get(round_id)

    def unwritten(self, round_id: str) -> tuple[RunState, str] | None:
        """Give how a round ended, and why, where the catalog could not be written; None where it could."""
        return self._unwritten.get(round_id)

    def stop(self, round_id: str) -> bool:
        """Ask a round to stop at its next report; False where it does not run."""
        with self._lock:
            future = self._futures.get(round_id)
            if future is None:
                return False
            self._stopping.add(round_id)
        return not future.cancel()

    def close(self) -> None:
        """Stop at the next report and wait for it; what is unfinished stays so, for the next start."""
        with self._lock:
            self._closing = True
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _work(self, round_id: str) -> None:
        if self._closing or not self._begin(round_id):
            return
        self._live[round_id] = Live(running=True)
        platform = replace(self._platform, report=lambda progress: self._hear(round_id, progress))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                state = self._run(platform, round_id)
            except CatalogBusy:
                if attempt == _ATTEMPTS:
                    raise
            else:
                self._conclude(round_id, _run_state(state), "")
                return

    def _hear(self, round_id: str, progress: Progress) -> None:
        before = self._live[round_id]
        self._live[round_id] = Live(running=True, progress=progress, changes=before.changes + 1)
        if self._closing or round_id in self._stopping:
            raise Stopped("stopped; what is finished is kept")

    def _ended(self, round_id: str, done: "Future[None]") -> None:
        """Write down how a round ended, of what nobody expected too; only then is it no longer live."""
        try:
            if not done.cancelled():
                self._conclude_error(round_id, done.exception())
        finally:
            with self._lock:
                self._stopping.discard(round_id)
                self._live.pop(round_id, None)
                self._futures.pop(round_id, None)

    def _conclude_error(self, round_id: str, error: BaseException | None) -> None:
        ended = _ended_by(error, stopping=round_id in self._stopping)
        if ended is None:
            return
        try:
            self._conclude(round_id, *ended)
        except (StorageUnavailable, CatalogBusy):
            self._unwritten[round_id] = ended  # a full disk takes no reason either; it is told from here


def _ended_by(error: BaseException | None, *, stopping: bool) -> tuple[RunState, str] | None:
    """What an error makes of a round; None where nothing is to be written."""
    if error is None:
        return None
    if isinstance(error, Stopped):
        return (RunState.CANCELLED, "") if stopping else None
    if isinstance(error, LabelingUnavailable):
        return RunState.WAITING, str(error)
    if isinstance(error, PlatformError):
        return RunState.FAILED, str(error)
    return RunState.FAILED, f"unexpected {type(error).__name__}: {error}"


def _run_state(state: RoundState) -> RunState:
    return RunState.FINISHED if state is RoundState.APPENDED else RunState.WAITING
