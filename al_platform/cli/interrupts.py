"""Ctrl-C: at once while there is nothing to leave in order, as KeyboardInterrupt once a home is open."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""What shells exit with after Ctrl-C, and Typer too."""

SAID = "alp: interrupted; nothing finished is lost, run the same command to go on\n"


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process on the spot: libraries that are being imported swallow a KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def leave_in_order() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, from here to the end of the command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os.write(sys.stderr.fileno(), SAID.encode())
    os._exit(INTERRUPTED)
