"""What the HTTP service holds: an open platform, who may come in, and what runs its rounds and loops."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.loops import loop_of_round, loop_run_named, open_loops
from al_platform.catalog.queues import withdraw_waiting
from al_platform.catalog.rounds import round_named, save_round
from al_platform.catalog.service_tables import ensure_service_tables
from al_platform.domain.access import Actor, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import ENDED, RunState
from al_platform.loop.closing import advance_or_close
from al_platform.loop.ticking import Tick, pause_because, tick
from al_platform.platform.access import KeyRing
from al_platform.platform.home import Platform
from al_platform.platform.pictures import HeatmapShelf
from al_platform.platform.rounds import loop_context
from al_platform.platform.runner import Duties, Runner

WORKER = Actor("worker", Scope.OPERATOR)
"""Who the log names where the service itself concludes what somebody asked for."""


@dataclass(frozen=True)
class Service:
    """A platform with its keys and its runner. `writing` lets one change at a time through, so that none conflict."""

    platform: Platform
    keys: KeyRing
    runner: Runner
    heatmaps: HeatmapShelf
    writing: threading.RLock


@contextmanager
def running_service(platform: Platform) -> Iterator[Service]:
    """Give the service of an open platform; it goes on with what an earlier one left unfinished.

    Raises: StorageUnavailable where the database of its workflows cannot be used.
    """
    with platform.catalog.transaction() as tx:
        ensure_service_tables(tx)
        rounds = [run.round_id for run in run_catalog.unfinished_runs(tx)]
        loops = open_loops(tx)
    writing = threading.RLock()
    runner = Runner(platform, duties_of(platform, writing))
    keys = KeyRing(platform.catalog, writing=writing)
    try:
        runner.go_on(rounds, loops)
        yield Service(platform, keys, runner, HeatmapShelf(), writing)
    finally:
        runner.close()
        keys.save_last_uses()


def idle_service(platform: Platform) -> Service:
    """Give a service that changes the catalog and runs nothing; what it hands over, the next service takes up."""
    with platform.catalog.transaction() as tx:
        ensure_service_tables(tx)
    writing = threading.RLock()
    runner = Runner(platform, duties_of(platform, writing))
    runner.close()
    return Service(platform, KeyRing(platform.catalog, writing=writing), runner, HeatmapShelf(), writing)


def conclude_run(
    platform: Platform, round_id: str, state: RunState, *, writing: threading.RLock, message: str = ""
) -> None:
    """Write what became of a round; a cancelled one gives back the frames that still waited for labels."""
    with writing, platform.catalog.transaction() as tx:
        run = run_catalog.find_run(tx, round_id)
        if run is None or (run.state, run.message) == (state, message):
            return
        round_ = round_named(tx, round_id)
        if state is RunState.CANCELLED and round_.state is RoundState.APPENDED:
            state = RunState.FINISHED  # the word to stop came too late
        run_catalog.save_run(tx, replace(run, state=state, message=message, stop_requested=False))
        if state is RunState.CANCELLED:
            withdrawn = withdraw_waiting(tx, round_id)
            save_round(tx, replace(round_, state=RoundState.CANCELLED, message="cancelled"))
            record_change(tx, WORKER, "round.cancelled", round_id, now=utc_now(), detail={"withdrawn": withdrawn})


def duties_of(platform: Platform, writing: threading.RLock) -> Duties:
    """Give what the runner of a home does in its catalog."""

    def conclude(round_id: str, state: RunState, message: str) -> None:
        conclude_run(platform, round_id, state, writing=writing, message=message)

    def loop_of(round_id: str) -> str | None:
        with platform.catalog.transaction() as tx:
            return loop_of_round(tx, round_id)

    def look(its: Platform, loop_id: str) -> Tick:
        with writing:
            return tick(loop_context(its), loop_id, now=utc_now())

    def pause(loop_id: str, reason: str) -> None:
        with writing, platform.catalog.transaction() as tx:
            pause_because(tx, loop_run_named(tx, loop_id), reason)

    return Duties(
        begin=lambda round_id: _begin(platform, round_id, writing=writing),
        advance=lambda its, round_id, state: advance_or_close(loop_context(its), round_id, state),
        conclude=conclude,
        loop_of=loop_of,
        tick=look,
        pause=pause,
    )


def _begin(platform: Platform, round_id: str, *, writing: threading.RLock) -> bool:
    with writing:
        with platform.catalog.transaction() as tx:
            run = run_catalog.find_run(tx, round_id)
        if run is None or run.state in ENDED:
            return False
        if run.stop_requested:
            conclude_run(platform, round_id, RunState.CANCELLED, writing=writing)
            return False
        with platform.catalog.transaction() as tx:
            run_catalog.save_run(tx, replace(run, state=RunState.RUNNING, attempts=run.attempts + 1, message=""))
    return True
