"""Scenarios: taken in, generated, listed, and checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from al_platform.catalog import scenarios as catalog
from al_platform.datasets.scenarios.entering import EnteredScenarios
from al_platform.datasets.scenarios.generated import GENERATED, origin_of
from al_platform.datasets.scenarios.generating import GenerateRequest
from al_platform.datasets.scenarios.generating import generate_scenarios as generate
from al_platform.datasets.scenarios.ingest import IngestRequest
from al_platform.datasets.scenarios.ingest import ingest_scenarios as ingest
from al_platform.datasets.scenarios.store import scenario_id_of
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.scenarios import ScenarioReference
from al_platform.domain.triage import Triage, Verdict
from al_platform.platform.home import Platform
from al_platform.storage.arrays import MANIFEST_SUFFIX, faults_of_shards
from sim.scenario import Sizes


def ingest_scenarios(
    platform: Platform, format_name: str, path: Path, *, sizes: Sizes, processes: int = 1, again: bool = False
) -> EnteredScenarios:
    """Take in the scenes of all files of a format at or below a path; `again` reads also what was read before.

    Raises: InvalidInput for an unknown format or path; StorageUnavailable when the disk is full or read-only.
    """
    request = IngestRequest(
        format=format_name,
        path=path,
        folder=platform.settings.scenarios_folder,
        sizes=sizes,
        processes=processes,
        again=again,
    )
    return ingest(request, catalog=platform.catalog, report=platform.report)


def generate_scenarios(
    platform: Platform, count: int, *, seed: int, sizes: Sizes, processes: int = 1
) -> EnteredScenarios:
    """Make scenes 0 to count - 1 of a seed and keep those that are not there yet; the same seed gives the same ids.

    Raises: InvalidInput for a count below 1 or a negative seed; StorageUnavailable when the disk is full.
    """
    folder = platform.settings.scenarios_folder
    request = GenerateRequest(count=count, seed=seed, folder=folder, sizes=sizes, processes=processes)
    entered = generate(request, catalog=platform.catalog, report=platform.report)
    _seal_triage(platform, [origin_of(seed, number) for number in range(count)])
    return entered


def _seal_triage(platform: Platform, origins: Sequence[str]) -> None:
    """Keep for the offline annotator what is known of generated scenes: all are good, and their tags are true."""
    with platform.catalog.transaction() as tx:
        made = catalog.scenarios_of_filter(tx, f"dataset={GENERATED}")
    wanted = set(origins)
    known = [
        Triage(scene.scenario_id, Verdict.ACCEPT, f"offline:{GENERATED}", tags=scene.tags)
        for scene in made
        if scene.origin in wanted
    ]
    platform.sealed.seal(known)


def scenarios(platform: Platform, filter_text: str, page: PageRequest) -> Page[ScenarioReference]:
    """Give scenarios that a filter matches, by session and name. Raises: InvalidInput."""
    with platform.catalog.transaction() as tx:
        return catalog.scenarios_page(tx, filter_text, page)


def count_scenarios(platform: Platform, filter_text: str) -> tuple[int, int]:
    """Give how many scenarios and sessions a filter matches. Raises: InvalidInput."""
    with platform.catalog.transaction() as tx:
        return catalog.count_scenarios(tx, filter_text)


def scenario(platform: Platform, scenario_id: str) -> ScenarioReference:
    """Give a scenario. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return catalog.scenario_named(tx, scenario_id)


def faults_of_scenarios(platform: Platform) -> Iterator[str]:
    """Read every scenario in the store and yield what is wrong, and which of the catalog's it lacks."""
    folder = platform.settings.scenarios_folder
    yield from faults_of_shards(folder, id_of=scenario_id_of)
    with platform.catalog.transaction() as tx:
        known = catalog.scenarios_matching(tx, "")
    for scenario_id, shard in zip(known["scenario_id"].to_pylist(), known["shard"].to_pylist(), strict=True):
        if not (folder / f"{shard}{MANIFEST_SUFFIX}").exists():
            yield f"scenario {scenario_id}: its shard {shard} is not in {folder}; ingest again with --again"
