"""The scenarios of a suite: as a blob, and where they lie in the store."""

from collections.abc import Sequence

from pydantic import ValidationError

from al_platform.datasets.scenarios.store import Scenarios
from al_platform.domain.hashing import canonical_json
from al_platform.domain.judging import SuiteScenario
from al_platform.domain.records import record_from_json
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.blobs import BlobStore

_JSON = "application/json"


def suite_scenario(reference: ScenarioReference) -> SuiteScenario:
    """Give what a suite keeps of a scenario."""
    return SuiteScenario(
        scenario_id=reference.scenario_id,
        session_id=reference.session_id,
        name=reference.name,
        dataset=reference.dataset,
        tags=tuple(sorted(reference.tags)),
    )


def write_scenarios(blobs: BlobStore, scenarios: Sequence[SuiteScenario]) -> str:
    """Store a list of scenarios, and give the hash of its blob."""
    return blobs.put(canonical_json(list(scenarios)).encode(), media_type=_JSON).hash


def read_scenarios(blobs: BlobStore, scenarios_hash: str) -> tuple[SuiteScenario, ...]:
    """Give the scenarios of a blob, in their order.

    Raises: NotFound where the store lacks it, CorruptBlob where it holds something else.
    """
    try:
        return record_from_json(tuple[SuiteScenario, ...], blobs.get(scenarios_hash).decode())
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"blob {scenarios_hash}: lists no scenarios; delete it, then make the suite again") from error


def by_layout(
    stores: Sequence[Scenarios], scenarios: Sequence[SuiteScenario]
) -> list[tuple[Scenarios, list[SuiteScenario]]]:
    """Give each store that holds some of the scenarios, with those, in their order.

    Raises: NotFound for a scenario that no store holds.
    """
    left = {scenario.scenario_id for scenario in scenarios}
    found: list[tuple[Scenarios, list[SuiteScenario]]] = []
    for store in stores:
        here = left.intersection(store.ids)
        if here:
            found.append((store, [scenario for scenario in scenarios if scenario.scenario_id in here]))
        left -= here
    if left:
        raise NotFound(
            f"scenario {min(left)}: not in the store, or prepared for another version of the platform"
            f"{f', as are {len(left) - 1} more' if len(left) > 1 else ''}; ingest or generate it again"
        )
    return found
