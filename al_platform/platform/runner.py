"""Requests, rounds and loops handed over, watched and stopped, never run in a request; what is live is told here."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from al_platform.domain.progress import Progress
from al_platform.domain.rounds import Round, RoundState
from al_platform.domain.runs import RunState
from al_platform.errors import (
    CatalogBusy,
    Closing,
    ComputeUnavailable,
    LabelingUnavailable,
    PlatformError,
    Stopped,
    StorageUnavailable,
)
from al_platform.loop.closing import Advanced
from al_platform.loop.ticking import Tick
from al_platform.loop.turns import Turn, Work
from al_platform.platform.entering import is_request
from al_platform.platform.home import Platform

if TYPE_CHECKING:
    from al_platform.loop.engine import Engine

REQUEST, ROUND, LOOP = "request", "round", "loop"
"""The kinds of work. Requests have a lane of their own: nobody waits behind a training to hear that a filter matches
nothing.
"""

_ATTEMPTS = 3
"""How often a step is taken up anew that wrote a row which somebody else was writing."""

Result = TypeVar("Result")

_AWAY = (LabelingUnavailable, ComputeUnavailable)
"""What a round waits out."""

_TRIES_AGAIN_S, _PAUSED_S = 60.0, 3600.0


@dataclass(frozen=True)
class Live:
    """What a runner knows of a round that it is about to run or runs; `changes` counts up with every report."""

    running: bool
    progress: Progress | None = None
    changes: int = 0


@dataclass(frozen=True)
class Duties:
    """What the runner's work comes down to in the catalog."""

    begin: Callable[[str], bool]
    """Says whether a round, or a request for one, is still wanted, just before it is taken up."""
    enter: Callable[[Platform, str], Round]
    """Freezes what a request names, and gives its round."""
    advance: Callable[[Platform, str, RoundState], Advanced]
    """Runs the next step of a round by its id and where it stood."""
    conclude: Callable[[str, RunState, str], None]
    """Writes what became of a round, or of a request, and why."""
    loop_of: Callable[[str], str | None]
    """Gives the loop of a round."""
    tick: Callable[[Platform, str], Tick]
    """Looks at a loop by its id."""
    pause: Callable[[str, str], None]
    """Pauses a loop that cannot go on, and says why."""


class Runner:
    """Enters requests, runs the steps of rounds, one at a time, and looks at loops; all as durable work of the engine.

    A round goes by its id, or by that of the request for it.
    The engine is started when it is first needed: a service whose home has nothing under way holds none. It is one
    for a process, so a second home that needs one in the same process is refused.
    """

    def __init__(self, platform: Platform, duties: Duties) -> None:
        self._platform = platform
        self._duties = duties
        self._lock = threading.RLock()
        self._live: dict[str, Live] = {}
        self._taken_up: set[str] = set()
        self._stopping: set[str] = set()
        self._unwritten: dict[str, tuple[RunState, str]] = {}
        self._closing = False
        self._engine: Engine | None = None

    @property
    def waiting(self) -> int:
        """How many rounds and requests are about to run or run."""
        return len(self._live)

    def prepare(self) -> None:
        """Start the engine now, so that nobody's first request waits for it.

        Raises: StorageUnavailable where the database of what is under way cannot be used.
        """
        self._started()

    def submit(self, round_id: str) -> None:
        """Take a round over, or look at it again now; one that is run already is left alone.

        Raises: StorageUnavailable where what is under way cannot be written.
        """
        with self._lock:
            if round_id in self._live or self._closing:
                return
            engine = self._started()
            engine.begin(_kind(round_id), round_id)
            self._live[round_id] = Live(running=False)
            self._unwritten.pop(round_id, None)
            self._taken_up.discard(round_id)

    def follow(self, loop_id: str) -> None:
        """Look at a loop now, and from now on."""
        if not self._closing:
            self._started().begin(LOOP, loop_id)

    def status(self, round_id: str) -> Live | None:
        """Give what is known of a round that is about to run or runs here, None for one that rests."""
        return self._live.get(round_id)

    def unwritten(self, round_id: str) -> tuple[RunState, str] | None:
        """Give how a round ended, and why, where the catalog could not be written; None where it could."""
        return self._unwritten.get(round_id)

    def stop(self, round_id: str) -> bool:
        """Ask a round to stop at its next report; False where no step of it runs."""
        with self._lock:
            live = self._live.get(round_id)
            if live is None or not live.running:
                return False
            self._stopping.add(round_id)
        return True

    def changed(self, round_id: str) -> None:
        """Tell that something happened to a round: labels that came in, or that it was cancelled."""
        if self._engine is not None:
            self._engine.wake(_kind(round_id), round_id)
        self._tell_loop(round_id)

    def close(self) -> None:
        """Leave at the next report: jobs in other processes go on, what is unfinished stays so, for the next start."""
        with self._lock:
            self._closing = True
        if self._engine is not None:
            self._engine.close()

    def go_on(self, round_ids: Sequence[str], loop_ids: Sequence[str]) -> None:
        """Take up what an earlier service left open."""
        for round_id in round_ids:
            self.submit(round_id)
        for loop_id in loop_ids:
            self.follow(loop_id)

    def _started(self) -> "Engine":
        from al_platform.loop.engine import Engine  # noqa: PLC0415  seconds, which only those with work wait

        with self._lock:
            if self._engine is None:
                settings = self._platform.settings
                kinds = {
                    REQUEST: Work(self._take_request, self._round_failed),
                    ROUND: Work(self._take_round, self._round_failed),
                    LOOP: Work(self._look, self._look_failed),
                }
                self._engine = Engine(settings.workflows_url, home=str(settings.home), kinds=kinds)
            return self._engine

    def _take_request(self, request_id: str, state: str) -> Turn:
        self._runs(request_id)
        if self._duties.begin(request_id):
            round_ = _persistent(lambda: self._duties.enter(self._heard(request_id), request_id))
            if round_.state is not RoundState.APPENDED:
                self.submit(round_.round_id)
        return self._rests(request_id, Turn("entered", ended=True))

    def _take_round(self, round_id: str, state: str) -> Turn:
        self._runs(round_id)
        if round_id not in self._taken_up and not self._duties.begin(round_id):
            return self._rests(round_id, Turn(state, ended=True))
        self._taken_up.add(round_id)
        platform = self._heard(round_id)
        advanced = _persistent(lambda: self._duties.advance(platform, round_id, RoundState(state or "planned")))
        reached = advanced.round.state
        if advanced.rests_s is not None:
            self._duties.conclude(round_id, RunState.WAITING, "")
            return self._rests(round_id, Turn(reached, rests_s=advanced.rests_s))
        if reached in (RoundState.APPENDED, RoundState.CANCELLED, RoundState.FAILED):
            if reached is RoundState.APPENDED:
                self._duties.conclude(round_id, RunState.FINISHED, "")
            return self._rests(round_id, Turn(reached, ended=True))
        return Turn(reached)

    def _runs(self, round_id: str) -> None:
        with self._lock:
            self._live[round_id] = replace(self._live.get(round_id, Live(running=True)), running=True)

    def _round_failed(self, round_id: str, state: str, error: BaseException) -> Turn:
        away = isinstance(error, _AWAY)
        turn = Turn(state, rests_s=_TRIES_AGAIN_S if away else None, ended=not away)
        concluded = _ended_by(error, stopping=round_id in self._stopping)
        try:
            self._duties.conclude(round_id, *concluded)
        except (StorageUnavailable, CatalogBusy):
            self._unwritten[round_id] = concluded  # a full disk takes no reason either; it is told from here
        finally:
            self._rests(round_id, turn)
        return turn

    def _rests(self, round_id: str, turn: Turn) -> Turn:
        """Only now, what became of it being written, a round is no longer live."""
        with self._lock:
            self._stopping.discard(round_id)
            self._live.pop(round_id, None)
            if turn.ended:
                self._taken_up.discard(round_id)
        if turn.ended:
            self._tell_loop(round_id)
        return turn

    def _heard(self, round_id: str) -> Platform:
        """The platform, whose reports are those of a round."""
        return replace(self._platform, report=lambda progress: self._hear(round_id, progress))

    def _hear(self, round_id: str, progress: Progress) -> None:
        before = self._live.get(round_id, Live(running=True))
        if progress != before.progress:  # what is waited for says the same again and again
            self._live[round_id] = Live(running=True, progress=progress, changes=before.changes + 1)
        if round_id in self._stopping:
            raise Stopped("stopped; what is finished is kept")
        if self._engine is not None and self._engine.closing:
            raise Closing("the service ends; work in other processes goes on")

    def _look(self, loop_id: str, state: str) -> Turn:
        tick = _persistent(lambda: self._duties.tick(self._platform, loop_id))
        if tick.begun:
            self.submit(tick.begun)
        return Turn("looked", rests_s=tick.rests_s, ended=tick.ended)

    def _look_failed(self, loop_id: str, state: str, error: BaseException) -> Turn:
        known = isinstance(error, PlatformError)
        self._duties.pause(loop_id, str(error) if known else f"unexpected {type(error).__name__}: {error}")
        return Turn("paused", rests_s=_PAUSED_S)

    def _tell_loop(self, round_id: str) -> None:
        loop_id = self._duties.loop_of(round_id)
        if loop_id is not None and self._engine is not None:
            self._engine.wake(LOOP, loop_id)


def _kind(round_id: str) -> str:
    return REQUEST if is_request(round_id) else ROUND


def _ended_by(error: BaseException, *, stopping: bool) -> tuple[RunState, str]:
    """What an error makes of a round, and why. Work that somebody else stopped may be gone on with."""
    if isinstance(error, Stopped) and stopping:
        return RunState.CANCELLED, ""
    if isinstance(error, _AWAY):
        return RunState.WAITING, str(error)
    if isinstance(error, PlatformError):
        return RunState.FAILED, str(error)
    return RunState.FAILED, f"unexpected {type(error).__name__}: {error}"


def _persistent(work: Callable[[], Result]) -> Result:
    """Take a step up anew that wrote a row which somebody else was writing; nothing of it was kept."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except CatalogBusy:
            continue
    return work()
