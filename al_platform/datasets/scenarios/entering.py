"""Sources of scenes become scenarios in the store, and the catalog learns what came of each.

Each process writes its scenarios to the store first; then one transaction enters its sources and scenarios
together. A source that the catalog knows is passed over, so a killed run goes on where it was.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.catalog.scenarios import add_sources, scenarios_of_sources, sources_known
from al_platform.datasets.scenarios.prepared import Work
from al_platform.datasets.scenarios.processes import taken
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.domain.scenarios import RefusedPart
from sim.scenario import Sizes

_SOURCES_AT_ONCE = 16


@dataclass(frozen=True)
class EnteredScenarios:
    """What came of sources: of all that were asked for, those known from earlier runs included."""

    sources: int
    known: int
    """Sources that an earlier run had read to their end."""
    kept: int
    """Scenarios of these sources."""
    added: int
    """Scenarios that the catalog did not know."""
    repairs: Mapping[str, tuple[int, float]]
    """What was mended, dropped or noticed: in how many scenarios, and how often in all."""
    refused: tuple[RefusedPart, ...]


@dataclass(frozen=True)
class Entering:
    """How sources are taken in: read as what, prepared at which sizes, into which folder, by how many processes."""

    step: str
    """What is said of it while it goes on, e.g. "ingest"."""
    format: str
    sizes: Sizes
    folder: Path
    processes: int = 1
    again: bool = False
    """Take in also what earlier runs did."""


def enter(
    sources: Sequence[tuple[str, str]], how: Entering, *, catalog: Catalog, report: ReportProgress
) -> EnteredScenarios:
    """Take in sources, each an id and where it is; what is broken is named, nothing is fatal.

    Raises: StorageUnavailable when the disk is full or read-only, and what was committed stays.
    """
    with catalog.transaction() as tx:
        known = {} if how.again else sources_known(tx, [source_id for source_id, _ in sources])
    todo = [source for source in sources if source[0] not in known]
    works = [
        Work(how.format, tuple(todo[start : start + _SOURCES_AT_ONCE]), how.sizes, how.folder)
        for start in range(0, len(todo), _SOURCES_AT_ONCE)
    ]
    done, added = len(sources) - len(todo), 0
    report(Progress(how.step, done, len(sources)))
    for part in taken(works, processes=how.processes):
        with catalog.transaction() as tx:
            added += add_sources(tx, part.sources, part.scenarios)
        done += len(part.sources)
        report(Progress(how.step, done, len(sources)))
    return _found(catalog, [source_id for source_id, _ in sources], known=len(known), added=added)


def _found(catalog: Catalog, source_ids: Sequence[str], *, known: int, added: int) -> EnteredScenarios:
    with catalog.transaction() as tx:
        read = sources_known(tx, source_ids)
        scenarios = scenarios_of_sources(tx, list(read.values()))
    scenes, times = Counter[str](), Counter[str]()
    for scenario in scenarios:
        for what, count in scenario.report.items():
            scenes[what] += 1
            times[what] += count  # type: ignore[assignment]  # some are metres
    return EnteredScenarios(
        sources=len(source_ids),
        known=known,
        kept=len(scenarios),
        added=added,
        repairs={what: (count, times[what]) for what, count in scenes.most_common()},
        refused=tuple(part for source_id in source_ids if source_id in read for part in read[source_id].refused),
    )
