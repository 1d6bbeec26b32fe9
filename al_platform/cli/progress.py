"""Progress bars with the time that is left, on a terminal; a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from al_platform.domain.progress import Progress, ReportProgress

_LINE_EVERY_S = 15.0


@contextmanager
def progress_shown() -> Iterator[ReportProgress]:
    """Give the function that long work reports to, while its bars are on the screen."""
    if sys.stderr.isatty():
        with _bars() as bars:
            yield _Screen(bars)
    else:
        yield _Lines()


def _bars() -> Bars:
    return Bars(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )


class _Screen:
    """One bar a stage; a stage that starts anew starts its bar anew."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bars.add_task(progress.stage, total=progress.total, note="")
        task = self._bars.tasks[self._bars.task_ids.index(self._tasks[progress.stage])]  # type: ignore[arg-type]
        if progress.done < task.completed:
            self._bars.reset(task.id)
        self._bars.update(task.id, completed=progress.done, total=progress.total, note=progress.note)


class _Lines:
    """A line when a stage has been running for a while, with its speed and what is left."""

    def __init__(self) -> None:
        self._started: dict[str, tuple[float, int]] = {}
        self._told_at = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        started, first = self._started.get(progress.stage, (now, progress.done))
        if progress.done <= first:
            started, first = now, progress.done
        self._started[progress.stage] = (started, first)
        if now - self._told_at < _LINE_EVERY_S or progress.done == first:
            return
        self._told_at = now
        speed = (progress.done - first) / (now - started)
        left = (progress.total - progress.done) / speed
        note = f", {progress.note}" if progress.note else ""
        sys.stderr.write(f"{progress.stage}: {progress.done}/{progress.total}, {left:.0f} s left{note}\n")
        sys.stderr.flush()
