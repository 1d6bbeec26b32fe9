"""The side of a test of the processes whose children die where they are told to; see `mortal`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mortals:
    """A process whose children do what they are ordered to, and die."""

    orders: IO[str]
    answers: IO[str]

    def order(self, home: Path, *, die: tuple[str, int] | None = None, **more: str) -> int:
        """Let a child work on a home until it is done, or until it dies; gives the signal that ended it."""
        self.orders.write(json.dumps({"home": str(home), "die": die, **more}) + "\n")
        self.orders.flush()
        return int(self.answers.readline())


@contextmanager
def mortals_of(module: str) -> Iterator[Mortals]:
    """Start the process of a module."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Mortals(process.stdin, process.stdout)
