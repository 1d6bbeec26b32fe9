"""Dataset adapters, ingest, and how labels become presence maps; recorded traffic, and scenarios made of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from al_platform.datasets.scenarios.store import Scenarios
    from sim.scenario import Sizes


def load_scenarios(uri: str, *, sizes: "Sizes | None" = None) -> "Scenarios":
    """Open a store of prepared scenarios: their ids, tags, and batches as `Scenario` of memory-mapped numpy arrays.

    Raises: as `scenarios.store.open_scenarios`.
    """
    from al_platform.datasets.scenarios.store import open_scenarios  # noqa: PLC0415  it needs jax, adapters do not

    return open_scenarios(uri, sizes=sizes)
