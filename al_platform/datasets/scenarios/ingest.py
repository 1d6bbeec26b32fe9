"""Ingest of recorded traffic. A file is known by its bytes: running again passes over what was done."""

from dataclasses import dataclass
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.datasets.scenarios.entering import EnteredScenarios, Entering, enter
from al_platform.datasets.scenarios.formats import format_named
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.hashing import hash_file
from al_platform.domain.ids import make_id
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput, StorageUnavailable
from sim.scenario import Sizes

READING = "reading-1"
"""Names how files become recordings; raised whenever a reader gives another recording for the same file."""


@dataclass(frozen=True)
class IngestRequest:
    """Which files, prepared at which sizes, into which folder, by how many processes; `again` forgets earlier runs."""

    format: str
    path: Path
    folder: Path
    sizes: Sizes
    processes: int = 1
    again: bool = False


def ingest_scenarios(request: IngestRequest, *, catalog: Catalog, report: ReportProgress) -> EnteredScenarios:
    """Take in every scene of the files of a format; broken ones are named, none is fatal.

    Raises: InvalidInput for an unknown format, a path where nothing lies, or one without files of the format;
        StorageUnavailable when the disk is full or read-only, and what was committed stays.
    """
    how = Entering("ingest", request.format, request.sizes, request.folder, request.processes, request.again)
    return enter(_sources(request), how, catalog=catalog, report=report)


def _sources(request: IngestRequest) -> list[tuple[str, str]]:
    """The files of the request, each with its id; of two with the same bytes the first."""
    format_ = format_named(request.format)
    if not request.path.exists():
        raise InvalidInput(f"path {request.path}: nothing is there; check its spelling and the current folder")
    found: dict[str, Path] = {}
    for path in format_.sources(request.path):
        try:
            hashes = [hash_file(part) for part in (path, *format_.companions(path))]
        except OSError as error:
            raise StorageUnavailable(f"{path}: {error.strerror or error}; make it readable, then run again") from error
        found.setdefault(make_id("src", request.format, READING, layout_of(request.sizes), hashes), path)
    if not found:
        raise InvalidInput(f"path {request.path}: no file of the format {request.format} is there")
    return [(source_id, str(path)) for source_id, path in found.items()]
