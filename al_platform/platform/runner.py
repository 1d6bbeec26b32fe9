"""Rounds and loops handed over, watched and stopped; they never run in a request. What is live is told from here."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from al_platform.domain.progress import Progress
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.errors import CatalogBusy, LabelingUnavailable, PlatformError, Stopped
from al_platform.loop.closing import Advanced
from al_platform.loop.ticking import Tick
from al_platform.loop.turns import Turn, Work
from al_platform.platform.home import Platform

if TYPE_CHECKING:
    from al_platform.loop.engine import Engine

ROUND, LOOP = "round", "loop"
"""The two kinds of work."""

_ATTEMPTS = 3
"""How often a step is taken up anew that wrote a row which somebody else was writing."""

Result = TypeVar("Result")
_TOOL_IS_AWAY_S, _PAUSED_S = 60.0, 3600.0


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
    """Says whether a round is still wanted, just before it is taken up."""
    advance: Callable[[Platform, str, RoundState], Advanced]
    """Runs the next step of a round by its id and where it stood."""
    conclude: Callable[[str, RunState, str], None]
    """Writes what became of a round, and why."""
    loop_of: Callable[[str], str | None]
    """Gives the loop of a round."""
    tick: Callable[[Platform, str], Tick]
    """Looks at a loop by its id."""
    pause: Callable[[str, str], None]
    """Pauses a loop that cannot go on, and says why."""


class Runner:
    """Runs the steps of rounds, one at a time, and looks at loops; both as durable work of the engine.

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
        self._closing = False
        self._engine: Engine | None = None

    def submit(self, round_id: str) -> None:
        """Take a round over, or look at it again now; one that is run already is left alone."""
        with self._lock:
            if round_id in self._live or self._closing:
                return
            engine = self._started()
            self._live[round_id] = Live(running=False)
            self._taken_up.discard(round_id)
        engine.begin(ROUND, round_id)

    def follow(self, loop_id: str) -> None:
        """Look at a loop now, and from now on."""
        if not self._closing:
            self._started().begin(LOOP, loop_id)

    def status(self, round_id: str) -> Live | None:
        """Give what is known of a round that is about to run or runs here, None for one that rests."""
        return self._live.get(round_id)

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
            self._engine.wake(ROUND, round_id)
        self._tell_loop(round_id)

    def close(self) -> None:
        """Stop at the next report and wait for it; what is unfinished stays so, for the next start."""
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
                kinds = {ROUND: Work(self._take_round, self._round_failed), LOOP: Work(self._look, self._look_failed)}
                self._engine = Engine(settings.workflows_url, home=str(settings.home), kinds=kinds)
            return self._engine

    def _take_round(self, round_id: str, state: str) -> Turn:
        with self._lock:
            self._live[round_id] = replace(self._live.get(round_id, Live(running=True)), running=True)
        if round_id not in self._taken_up and not self._duties.begin(round_id):
            return self._rests(round_id, Turn(state, ended=True))
        self._taken_up.add(round_id)
        platform = replace(self._platform, report=lambda progress: self._hear(round_id, progress))
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

    def _round_failed(self, round_id: str, state: str, error: BaseException) -> Turn:
        ended = Turn(state, ended=True)
        try:
            if isinstance(error, Stopped):
                self._duties.conclude(round_id, RunState.CANCELLED, "")
            elif isinstance(error, LabelingUnavailable):
                self._duties.conclude(round_id, RunState.WAITING, str(error))
                ended = Turn(state, rests_s=_TOOL_IS_AWAY_S)
            else:
                known = isinstance(error, PlatformError)
                reason = str(error) if known else f"unexpected {type(error).__name__}: {error}"
                self._duties.conclude(round_id, RunState.FAILED, reason)
        finally:
            self._rests(round_id, ended)
        return ended

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

    def _hear(self, round_id: str, progress: Progress) -> None:
        before = self._live.get(round_id, Live(running=True))
        self._live[round_id] = Live(running=True, progress=progress, changes=before.changes + 1)
        if round_id in self._stopping or (self._engine is not None and self._engine.closing):
            raise Stopped("stopped; what is finished is kept")

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


def _persistent(work: Callable[[], Result]) -> Result:
    """Take a step up anew that wrote a row which somebody else was writing; nothing of it was kept."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except CatalogBusy:
            continue
    return work()
