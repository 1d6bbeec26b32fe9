"""The scenarios of a suite in the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from al_platform.datasets.scenarios.store import Scenarios, open_layouts, why_lost
from al_platform.domain.judging import SuiteScenario
from al_platform.domain.scenarios import ScenarioReference
from al_platform.storage.arrays import DamagedShard

Held: TypeAlias = list[tuple[Scenarios, list[SuiteScenario]]]
"""Each store that holds some scenarios, with those, in their order."""


def suite_scenario(reference: ScenarioReference) -> SuiteScenario:
    """Give what a suite keeps of a scenario."""
    return SuiteScenario(
        scenario_id=reference.scenario_id,
        session_id=reference.session_id,
        name=reference.name,
        dataset=reference.dataset,
        tags=tuple(sorted(reference.tags)),
    )


def by_layout(folder: Path, scenarios: Sequence[SuiteScenario]) -> Held:
    """Give where the scenarios lie in a folder.

    Raises: NotFound for a scenario that no store holds; CorruptBlob for one in a shard that cannot be read.
    """
    found, left, damaged = _held(folder, scenarios)
    if left:
        raise why_lost(left[0], damaged, more=len(left) - 1)
    return found


def whole_by_layout(folder: Path, scenarios: Sequence[SuiteScenario]) -> tuple[Held, dict[str, str]]:
    """Give where those of the scenarios lie that are whole, and of the others by id why they cannot be read.

    Every scenario is read once to find out.
    """
    found, left, damaged = _held(folder, scenarios)
    faults = {scenario_id: str(why_lost(scenario_id, damaged)) for scenario_id in left}
    whole: Held = []
    for store, here in found:
        changed = store.faults_of([scenario.scenario_id for scenario in here])
        sound = [scenario for scenario in here if scenario.scenario_id not in changed]
        faults |= changed
        if sound:
            whole.append((store, sound))
    return whole, faults


def _held(folder: Path, scenarios: Sequence[SuiteScenario]) -> tuple[Held, list[str], tuple[DamagedShard, ...]]:
    """Where the scenarios lie, the ids of those that no store holds, and what is damaged."""
    stores, damaged = open_layouts(folder)
    left = {scenario.scenario_id for scenario in scenarios}
    found: Held = []
    for store in stores:
        here = left.intersection(store.ids)
        if here:
            found.append((store, [scenario for scenario in scenarios if scenario.scenario_id in here]))
        left -= here
    return found, sorted(left), damaged
