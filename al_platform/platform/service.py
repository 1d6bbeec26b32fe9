"""What the HTTP service holds: an open platform, who may come in, and what runs its rounds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.queues import WAITING, withdraw_waiting
from al_platform.catalog.requests import newest_request_for
from al_platform.catalog.rounds import round_named, save_round
from al_platform.catalog.service_tables import ensure_service_tables
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.errors import LabelingUnavailable
from al_platform.loop.collecting import take_back
from al_platform.platform.access import KeyRing
from al_platform.platform.entering import REQUEST_PREFIX, WORKER, conclude_request, enter_round
from al_platform.platform.home import Platform
from al_platform.platform.pictures import HeatmapShelf
from al_platform.platform.rounds import loop_context, run_one_round
from al_platform.platform.runner import Live, RunRound, WorkerThread
from al_platform.platform.waking import Waker, wake_waiting


@dataclass(frozen=True)
class Service:
    """A platform with its keys and what works behind its requests. `writing` lets one change at a time through.

    `freezer` freezes the pools of requests, apart from `runner`: nobody waits behind a training to hear that a filter
    matches nothing.
    """

    platform: Platform
    keys: KeyRing
    runner: WorkerThread
    freezer: WorkerThread
    heatmaps: HeatmapShelf
    writing: threading.RLock
    waker: Waker | None = None
    """Wakes rounds that wait for Label Studio; None where the settings name none."""

    def live(self, round_id: str) -> Live | None:
        """Give what is known of a round, or of a request for one, that waits or runs here; None for any other."""
        return self.worker_of(round_id).status(round_id)

    def worker_of(self, round_id: str) -> WorkerThread:
        """Give who works on this round, or on this request for one."""
        return self.freezer if round_id.startswith(REQUEST_PREFIX) else self.runner

    def stop(self, round_id: str) -> None:
        """Stop a round that is to be stopped: at its next report where it runs, else now."""
        if not self.worker_of(round_id).stop(round_id):
            conclude = conclude_request if round_id.startswith(REQUEST_PREFIX) else conclude_run
            conclude(self.platform, round_id, RunState.CANCELLED, writing=self.writing)


@contextmanager
def running_service(platform: Platform) -> Iterator[Service]:
    """Give the service of an open platform; it goes on with the rounds that an earlier one left unfinished."""
    with platform.catalog.transaction() as tx:
        ensure_service_tables(tx)
        unfinished = run_catalog.unfinished_runs(tx)
    writing = threading.RLock()
    runner = _worker(platform, _run, conclude_run, writing=writing)
    freezer = _worker(platform, partial(_enter, runner, writing), conclude_request, writing=writing)
    keys = KeyRing(platform.catalog, writing=writing)
    waker = _waker(platform, runner, writing=writing)
    service = Service(platform, keys, runner, freezer, HeatmapShelf(), writing, waker)
    for run in unfinished:
        service.worker_of(run.round_id).submit(run.round_id)
    try:
        yield service
    finally:
        if waker is not None:
            waker.close()
        freezer.close()
        runner.close()
        keys.save_last_uses()


class Conclusion(Protocol):
    """Writes what became of a round or a request, and why."""

    def __call__(
        self, platform: Platform, round_id: str, state: RunState, /, *, writing: threading.RLock, message: str
    ) -> None:
        """Write it."""


def conclude_run(
    platform: Platform, round_id: str, state: RunState, *, writing: threading.RLock, message: str = ""
) -> None:
    """Write what became of a round; a cancelled one gives back the frames that still waited for labels.

    Where the labelling tool cannot be reached they stay there, which the round's message says; nobody reads them.
    """
    left = _taken_back(platform, round_id) if state is RunState.CANCELLED else ""
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
            save_round(tx, replace(round_, state=RoundState.CANCELLED, message=f"cancelled{left}"))
            record_change(tx, WORKER, "round.cancelled", round_id, now=utc_now(), detail={"withdrawn": withdrawn})


def _taken_back(platform: Platform, round_id: str) -> str:
    """Take what waits of a round back from its labelling tool; says why where that cannot be."""
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        waiting = [task for task in tasks_of(tx, round_id) if task.state in WAITING]
    try:
        take_back(loop_context(platform), round_, waiting)
    except LabelingUnavailable as reason:
        return f"; its {len(waiting)} tasks are still at the labelling tool ({reason})"
    return ""


def _worker(platform: Platform, run: RunRound, conclude: Conclusion, *, writing: threading.RLock) -> WorkerThread:
    return WorkerThread(
        platform,
        run=run,
        begin=lambda round_id: _begin(platform, round_id, conclude, writing=writing),
        conclude=lambda round_id, state, message: conclude(platform, round_id, state, writing=writing, message=message),
    )


def _waker(platform: Platform, runner: WorkerThread, *, writing: threading.RLock) -> Waker | None:
    server = platform.settings.label_studio
    if server is None:
        return None
    return Waker(lambda: wake_waiting(platform, runner, writing=writing), every_s=server.poll_s)


def _begin(platform: Platform, round_id: str, conclude: Conclusion, *, writing: threading.RLock) -> bool:
    with writing:
        with platform.catalog.transaction() as tx:
            run = run_catalog.find_run(tx, round_id)
        if run is None:
            return False
        if run.stop_requested:
            conclude(platform, round_id, RunState.CANCELLED, writing=writing, message="")
            return False
        with platform.catalog.transaction() as tx:
            run_catalog.save_run(tx, replace(run, state=RunState.RUNNING, attempts=run.attempts + 1, message=""))
    return True


def _run(platform: Platform, round_id: str) -> RoundState:
    with platform.catalog.transaction() as tx:
        spec, known = round_named(tx, round_id).spec, newest_request_for(tx, round_id)
    return run_one_round(platform, spec, scorers=known.request.scorers if known else 1).state


def _enter(runner: WorkerThread, writing: threading.RLock, platform: Platform, request_id: str) -> RoundState:
    round_ = enter_round(platform, request_id, writing=writing)
    if round_.state is not RoundState.APPENDED:
        runner.submit(round_.round_id)
    return round_.state
