"""What the HTTP service holds: an open platform, who may come in, and what runs its rounds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.queues import withdraw_waiting
from al_platform.catalog.rounds import round_named, save_round
from al_platform.catalog.service_tables import ensure_service_tables
from al_platform.domain.access import Actor, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.platform.access import KeyRing
from al_platform.platform.home import Platform
from al_platform.platform.pictures import HeatmapShelf
from al_platform.platform.rounds import run_one_round
from al_platform.platform.runner import WorkerThread

WORKER = Actor("worker", Scope.OPERATOR)
"""Who the log names where the service itself concludes what somebody asked for."""


@dataclass(frozen=True)
class Service:
    """A platform with its keys and its runner. `writing` lets one change at a time through, so that none conflict."""

    platform: Platform
    keys: KeyRing
    runner: WorkerThread
    heatmaps: HeatmapShelf
    writing: threading.RLock


@contextmanager
def running_service(platform: Platform) -> Iterator[Service]:
    """Give the service of an open platform; it goes on with the rounds that an earlier one left unfinished."""
    with platform.catalog.transaction() as tx:
        ensure_service_tables(tx)
        unfinished = run_catalog.unfinished_runs(tx)
    writing = threading.RLock()
    runner = WorkerThread(
        platform,
        run=_run,
        begin=lambda round_id: _begin(platform, round_id, writing=writing),
        conclude=lambda round_id, state, message: conclude_run(
            platform, round_id, state, writing=writing, message=message
        ),
    )
    keys = KeyRing(platform.catalog, writing=writing)
    for run in unfinished:
        runner.submit(run.round_id)
    try:
        yield Service(platform, keys, runner, HeatmapShelf(), writing)
    finally:
        runner.close()
        keys.save_last_uses()


def conclude_run(
    platform: Platform, round_id: str, state: RunState, *, writing: threading.RLock, message: str = ""
) -> None:
    """Write what became of a round; a cancelled one gives back the frames that still waited for labels."""
    with writing, platform.catalog.transaction() as tx:
        run = run_catalog.find_run(tx, round_id)
        if run is None:
            return
        round_ = round_named(tx, round_id)
        if state is RunState.CANCELLED and round_.state is RoundState.APPENDED:
            state = RunState.FINISHED  # the word to stop came too late
        run_catalog.save_run(tx, replace(run, state=state, message=message, stop_requested=False))
        if state is RunState.CANCELLED:
            withdrawn = withdraw_waiting(tx, round_id)
            save_round(tx, replace(round_, state=RoundState.CANCELLED, message="cancelled"))
            record_change(tx, WORKER, "round.cancelled", round_id, now=utc_now(), detail={"withdrawn": withdrawn})


def _begin(platform: Platform, round_id: str, *, writing: threading.RLock) -> bool:
    with writing:
        with platform.catalog.transaction() as tx:
            run = run_catalog.find_run(tx, round_id)
        if run is None:
            return False
        if run.stop_requested:
            conclude_run(platform, round_id, RunState.CANCELLED, writing=writing)
            return False
        with platform.catalog.transaction() as tx:
            run_catalog.save_run(tx, replace(run, state=RunState.RUNNING, attempts=run.attempts + 1, message=""))
    return True


def _run(platform: Platform, round_id: str) -> RoundState:
    with platform.catalog.transaction() as tx:
        spec = round_named(tx, round_id).spec
    return run_one_round(platform, spec).state
