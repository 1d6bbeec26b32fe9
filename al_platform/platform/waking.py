"""Rounds that wait for people look again: now and then, and at once when a labelling tool hints at an answer."""

import threading
from collections.abc import Callable

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.rounds import round_named
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import TO_BE_RUN, RunState
from al_platform.errors import CatalogBusy, StorageUnavailable
from al_platform.platform.entering import enqueue
from al_platform.platform.home import Platform
from al_platform.platform.runner import WorkerThread

_AGAIN_S = 2.0
"""A hint that comes while a round reads its answers may be of one that it has not seen: it is looked at again."""


def wake_waiting(platform: Platform, runner: WorkerThread, *, writing: threading.RLock) -> bool:
    """Hand every round over that waits for labels; says whether one is reading its answers just now.

    A round reads them by export and watermark, so that whatever a hint said or missed, nothing comes twice or is lost.
    """
    with writing, platform.catalog.transaction() as tx:
        sent = {
            run.round_id: run
            for run in run_catalog.runs_in(tx, (RunState.WAITING, *TO_BE_RUN))
            if round_named(tx, run.round_id).state in (RoundState.SELECTED, RoundState.SENT)
        }
        waiting = [run for run in sent.values() if run.state is RunState.WAITING]
        for run in waiting:
            enqueue(tx, round_named(tx, run.round_id), submitted_by=run.submitted_by, now=run.submitted_at)
    for run in waiting:
        runner.submit(run.round_id)
    return len(sent) > len(waiting)


class Waker:
    """Wakes what waits: every `every_s` seconds, and soon after a hint."""

    def __init__(self, wake: Callable[[], bool], *, every_s: float) -> None:
        self._wake = wake
        self._every_s = every_s
        self._hinted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="waker", daemon=True)
        self._thread.start()

    def hint(self) -> None:
        """Say that somebody may have answered; returns at once."""
        self._hinted.set()

    def close(self) -> None:
        """Stop waking."""
        self._closing = True
        self._hinted.set()
        self._thread.join()

    def _work(self) -> None:
        again = False
        while True:
            hinted = self._hinted.wait(_AGAIN_S if again else self._every_s)
            self._hinted.clear()
            if self._closing:
                return
            try:
                reading = self._wake()
            except (CatalogBusy, StorageUnavailable):
                reading = True  # nothing was woken; soon again
            again = reading and (hinted or again)
