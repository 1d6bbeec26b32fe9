"""Ingest of recorded traffic: files are read and prepared by several processes, the catalog learns what they did.

Each process writes its scenarios to the store first; then one transaction enters its files and scenarios together.
A file is known by its bytes, so running again passes over what was done, and a killed run goes on.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.catalog.scenarios import add_sources, scenarios_of_sources, sources_known
from al_platform.datasets.scenarios.formats import format_named
from al_platform.datasets.scenarios.prepared import Taken, Work, take_in
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.hashing import hash_file
from al_platform.domain.ids import make_id
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.domain.scenarios import RefusedPart, ScenarioSource
from al_platform.errors import InvalidInput, StorageUnavailable
from sim.scenario import Sizes

READING = "reading-1"
"""Names how files become recordings; raised whenever a reader gives another recording for the same file."""
_FILES_AT_ONCE = 16
_AHEAD = 2
"""Pieces of work that wait for each process."""


@dataclass(frozen=True)
class IngestedScenarios:
    """What an ingest of files found: of all its files, those known from earlier runs included."""

    files: int
    known: int
    """Files that an earlier run had read to their end."""
    kept: int
    """Scenarios of these files."""
    added: int
    """Scenarios that the catalog did not know."""
    repairs: Mapping[str, tuple[int, float]]
    """What was mended, dropped or noticed: in how many scenarios, and how often in all."""
    refused: tuple[RefusedPart, ...]


@dataclass(frozen=True)
class IngestRequest:
    """Which files, prepared at which sizes, into which folder, by how many processes; `again` forgets earlier runs."""

    format: str
    path: Path
    folder: Path
    sizes: Sizes
    processes: int = 1
    again: bool = False


def ingest_scenarios(request: IngestRequest, *, catalog: Catalog, report: ReportProgress) -> IngestedScenarios:
    """Take in every scene of the files of a format; broken ones are named, none is fatal.

    Raises: InvalidInput for an unknown format, a path where nothing lies, or one without files of the format;
        StorageUnavailable when the disk is full or read-only, and what was committed stays.
    """
    sources = _sources(request)
    with catalog.transaction() as tx:
        known = {} if request.again else sources_known(tx, [source_id for source_id, _ in sources])
    todo = [source for source in sources if source[0] not in known]
    works = [
        Work(request.format, tuple(todo[start : start + _FILES_AT_ONCE]), request.sizes, request.folder)
        for start in range(0, len(todo), _FILES_AT_ONCE)
    ]
    done, added = len(sources) - len(todo), 0
    report(Progress("ingest", done, len(sources)))
    for taken in _taken(works, processes=request.processes):
        with catalog.transaction() as tx:
            added += add_sources(tx, taken.sources, taken.scenarios)
        done += len(taken.sources)
        report(Progress("ingest", done, len(sources)))
    return _found(catalog, [source_id for source_id, _ in sources], known=len(known), added=added)


def _found(catalog: Catalog, source_ids: Sequence[str], *, known: int, added: int) -> IngestedScenarios:
    with catalog.transaction() as tx:
        read = sources_known(tx, source_ids)
        scenarios = scenarios_of_sources(tx, list(read.values()))
    scenes, times = Counter[str](), Counter[str]()
    for scenario in scenarios:
        for what, count in scenario.report.items():
            scenes[what] += 1
            times[what] += count  # type: ignore[assignment]  # some are metres
    return IngestedScenarios(
        files=len(source_ids),
        known=known,
        kept=len(scenarios),
        added=added,
        repairs={what: (count, times[what]) for what, count in scenes.most_common()},
        refused=tuple(part for source_id in source_ids if source_id in read for part in read[source_id].refused),
    )


def _sources(request: IngestRequest) -> list[tuple[str, Path]]:
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
    return list(found.items())


def _taken(works: Sequence[Work], *, processes: int) -> Iterator[Taken]:
    """What came of each piece of work, in the order of their ends."""
    if processes == 1 or len(works) <= 1:
        yield from map(take_in, works)
        return
    waiting = list(reversed(works))
    while waiting:
        under_way: dict[Future[Taken], Work] = {}
        with _pool(processes) as pool:
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < processes * _AHEAD:
                        under_way[pool.submit(take_in, waiting[-1])] = waiting[-1]
                        waiting.pop()
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        yield future.result()
                        del under_way[future]
            except BrokenProcessPool:
                pass  # what was under way is done below, a file at a time
        yield from _one_by_one(list(under_way.values()))


def _one_by_one(works: Sequence[Work]) -> Iterator[Taken]:
    """Take in each file alone: where the process dies, it is this file that kills it."""
    alone = [Work(work.format, (source,), work.sizes, work.folder) for work in works for source in work.sources]
    place = 0
    while place < len(alone):
        with _pool(1) as pool:
            try:
                while place < len(alone):
                    yield pool.submit(take_in, alone[place]).result()
                    place += 1
            except BrokenProcessPool:
                yield _died(alone[place])
                place += 1


def _died(work: Work) -> Taken:
    ((source_id, path),) = work.sources
    part = RefusedPart(str(path), "its reader died", "maybe for want of memory; ingest again with --again")
    return Taken([ScenarioSource(source_id, work.format, str(path), refused=(part,))], [])


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # the catalog has threads, which no fork survives
    return ProcessPoolExecutor(processes, mp_context=context)
