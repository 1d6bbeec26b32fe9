"""The protocol of readers of recorded traffic: one file and one line in `FORMATS` each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sim.recording import Recording


@dataclass(frozen=True)
class SourceScene:
    """One scene as its source has it, mended where `repairs` says so."""

    recording: Recording
    name: str
    """As the source calls it."""
    dataset: str
    session: str
    """The drive that it was cut from, as the source calls it; the scene's own name where the source does not say."""
    origin: str
    """Where it was read, for messages: a file, and the number of the scene where a file holds many."""
    repairs: Mapping[str, int] = field(default_factory=dict)
    """What was mended or left out, and how often."""


@dataclass(frozen=True)
class RefusedScene:
    """A scene or file that cannot be used, by name. It never stops an ingest."""

    origin: str
    reason: str
    """The kind of trouble, the same words for the same trouble: reports are grouped by it."""
    detail: str = ""
    """The field and value that gave it away."""


@dataclass(frozen=True)
class ScenarioFormat:
    """How one data set keeps its scenes.

    `sources` lists the files that hold scenes at or below a path, sorted; one file is one piece of work, and its
    companions (a map beside it) are found by `read`. `read` gives every scene of a file in the same order every
    time, or the reason why it cannot be had. It raises nothing but StorageUnavailable.
    """

    sources: Callable[[Path], list[Path]]
    read: Callable[[Path], Iterator[SourceScene | RefusedScene]]
    companions: Callable[[Path], list[Path]] = lambda source: []
    """Further files that a source needs: they are part of what it is."""
