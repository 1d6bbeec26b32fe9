"""What came of bringing a dataset in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BrokenSource:
    """A file or row that cannot be used, by name and with the reason. It never stops an ingest."""

    origin: str
    reason: str


@dataclass(frozen=True)
class IngestReport:
    """What an ingest found: frames read, new to the catalog, labels newly sealed, and what could not be used.

    `duplicates` are frames whose image bytes an earlier frame of this ingest has: the first one counts.
    """

    read: int = 0
    added: int = 0
    labels: int = 0
    duplicates: tuple[str, ...] = ()
    broken: tuple[BrokenSource, ...] = ()
