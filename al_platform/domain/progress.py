"""How long work reports progress, without knowing who listens."""

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """One report: `done` of `total` in the units that `stage` counts, and what else is worth a word."""

    stage: str
    done: int
    total: int
    note: str = ""


ReportProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report to nobody."""
