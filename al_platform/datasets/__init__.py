"""Dataset adapters, ingest, and how labels become presence maps; recorded traffic, and scenarios made of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from al_platform.datasets.scenarios.store import Scenarios
    from sim.scenario import Sizes


def load_scenarios(uri: str, *, sizes: "Sizes | None" = None, cache: "Path | None" = None) -> "Scenarios":
    """Open a store of prepared scenarios: their ids, tags, and batches as `Scenario` of memory-mapped numpy arrays.

    `uri` is a folder, or a copy of one behind any URL that fsspec opens (`az://`), of which what is read is kept in
    the folder `cache`, by default that of the home in the working directory.

    Raises: as `scenarios.store.open_scenarios`.
    """
    from al_platform.datasets.scenarios.store import CACHE, open_scenarios  # noqa: PLC0415  it needs jax

    return open_scenarios(uri, sizes=sizes, cache=cache or CACHE)
