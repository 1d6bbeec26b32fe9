"""Ctrl-C ends a command on the spot: whatever is finished is kept, as it is when the power fails.

A KeyboardInterrupt would say so less reliably: libraries swallow it while they are imported, and jax where it
happens to come between two collections of garbage.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import Stopped

INTERRUPTED = 130
"""What shells exit with after Ctrl-C."""

_STDERR = 2
_SHOW_CURSOR = "\r\x1b[2K\x1b[?25h"
"""Clears the line of a progress bar and gives the cursor back that it hid."""


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl-C print one line and end the process with INTERRUPTED."""
    before = signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stopping_softly(report: ReportProgress) -> Iterator[ReportProgress]:
    """Give a listener that raises Stopped at the first report after Ctrl-C, so that long work keeps its state first."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        asked = True

    def hear(progress: Progress) -> None:
        report(progress)
        if asked:
            raise Stopped("was interrupted; what it finished is kept")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield hear
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    said = "alp: interrupted; nothing finished is lost, run the same command to go on\n"
    os.write(_STDERR, (_SHOW_CURSOR * os.isatty(_STDERR) + said).encode())
    os._exit(INTERRUPTED)
