"""The scenarios of a suite in the store."""

from collections.abc import Sequence
from pathlib import Path

from al_platform.datasets.scenarios.store import Scenarios, open_layouts, refuse_damaged
from al_platform.domain.judging import SuiteScenario
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import NotFound


def suite_scenario(reference: ScenarioReference) -> SuiteScenario:
    """Give what a suite keeps of a scenario."""
    return SuiteScenario(
        scenario_id=reference.scenario_id,
        session_id=reference.session_id,
        name=reference.name,
        dataset=reference.dataset,
        tags=tuple(sorted(reference.tags)),
    )


def by_layout(folder: Path, scenarios: Sequence[SuiteScenario]) -> list[tuple[Scenarios, list[SuiteScenario]]]:
    """Give each store of a folder that holds some of the scenarios, with those, in their order.

    Raises: NotFound for a scenario that no store holds; CorruptBlob for one in a shard that cannot be read.
    """
    stores, damaged = open_layouts(folder)
    left = {scenario.scenario_id for scenario in scenarios}
    found: list[tuple[Scenarios, list[SuiteScenario]]] = []
    for store in stores:
        here = left.intersection(store.ids)
        if here:
            found.append((store, [scenario for scenario in scenarios if scenario.scenario_id in here]))
        left -= here
    if left:
        refuse_damaged(min(left), damaged)
        raise NotFound(
            f"scenario {min(left)}: not in the store, or prepared for another version of the platform"
            f"{f', as are {len(left) - 1} more' if len(left) > 1 else ''}; ingest or generate it again"
        )
    return found
