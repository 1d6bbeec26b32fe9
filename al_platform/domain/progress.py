"""How long work reports progress, without knowing who listens."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """One report: `done` of `total` in the units that `stage` counts, and what else is worth a word."""

    stage: str
    done: int
    total: int
    note: str = ""
    seconds_left: float | None = None
    """As long as the stage will take yet, None where that is not known."""


ReportProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report to nobody."""


class Pace:
    """How fast a stage goes in this process, from its second report on: the first stretch pays for compilation."""

    def __init__(self) -> None:
        self._reports = 0
        self._first, self._started = 0, 0.0

    def seconds_left(self, done: int, total: int) -> float | None:
        """Give how long the rest will take now that so much is done."""
        self._reports += 1
        now = time.monotonic()
        if self._reports <= 2:
            self._first, self._started = done, now
        if done <= self._first or now <= self._started:
            return None
        return (total - done) * (now - self._started) / (done - self._first)
