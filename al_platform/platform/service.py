"""What the HTTP service holds: an open platform, who may come in, and what runs its rounds and loops."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.loops import loop_named, loop_of_round, loop_run_named, open_loops
from al_platform.catalog.queues import WAITING, withdraw_waiting
from al_platform.catalog.requests import newest_request_for
from al_platform.catalog.rounds import round_named, save_round
from al_platform.catalog.service_tables import ensure_service_tables
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import ENDED, RunState
from al_platform.errors import LabelingUnavailable
from al_platform.loop.closing import Advanced, advance_or_close
from al_platform.loop.collecting import take_back
from al_platform.loop.ticking import Tick, pause_because, tick
from al_platform.platform.access import KeyRing
from al_platform.platform.entering import WORKER, conclude_request, enter_round, is_request
from al_platform.platform.home import Platform
from al_platform.platform.pictures import HeatmapShelf
from al_platform.platform.rounds import loop_context
from al_platform.platform.runner import Duties, Runner
from al_platform.settings import LabelStudioSettings


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


def conclude(
    platform: Platform, round_id: str, state: RunState, *, writing: threading.RLock, message: str = ""
) -> None:
    """Write what became of a round, or of a request for one."""
    ends = conclude_request if is_request(round_id) else _conclude_round
    ends(platform, round_id, state, writing=writing, message=message)


def duties_of(platform: Platform, writing: threading.RLock) -> Duties:
    """Give what the runner of a home does in its catalog."""

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
        enter=lambda its, request_id: enter_round(its, request_id, writing=writing),
        advance=_advance,
        conclude=lambda round_id, state, message: conclude(platform, round_id, state, writing=writing, message=message),
        loop_of=loop_of,
        tick=look,
        pause=pause,
    )


def _advance(platform: Platform, round_id: str, state: RoundState) -> Advanced:
    people = platform.settings.label_studio
    context = loop_context(platform, scorers=_scorers(platform, round_id))
    every_s = people.poll_s if people else LabelStudioSettings.poll_s
    return advance_or_close(context, round_id, state, every_s=every_s)


def _scorers(platform: Platform, round_id: str) -> int:
    """Processes that whoever asked for a round wants to score its pool."""
    with platform.catalog.transaction() as tx:
        request, loop_id = newest_request_for(tx, round_id), loop_of_round(tx, round_id)
        if request is not None:
            return request.request.scorers
        return loop_named(tx, loop_id).scorers if loop_id else 1


def _conclude_round(
    platform: Platform, round_id: str, state: RunState, *, writing: threading.RLock, message: str
) -> None:
    """Write what became of a round; a cancelled one gives back the frames that still waited for labels.

    Where the labelling tool cannot be reached they stay there, which the round's message says; nobody reads them.
    """
    left = _taken_back(platform, round_id) if state is RunState.CANCELLED else ""
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


def _begin(platform: Platform, round_id: str, *, writing: threading.RLock) -> bool:
    with writing:
        with platform.catalog.transaction() as tx:
            run = run_catalog.find_run(tx, round_id)
        if run is None or run.state in ENDED:
            return False
        if run.stop_requested:
            conclude(platform, round_id, RunState.CANCELLED, writing=writing)
            return False
        with platform.catalog.transaction() as tx:
            run_catalog.save_run(tx, replace(run, state=RunState.RUNNING, attempts=run.attempts + 1, message=""))
    return True
