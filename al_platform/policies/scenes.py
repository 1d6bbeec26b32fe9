"""Scenarios to learn from, drawn by weight from a store that may be larger than memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.scenarios.store import Scenarios, open_layouts, why_lost
from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput
from al_platform.storage.blobs import BlobStore
from sim.scenario import Scenario


@dataclass(frozen=True)
class WantedScenes:
    """Scenarios by id, and how often each is drawn relative to the others."""

    ids: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what nothing can be drawn from."""
        if not self.ids:
            raise InvalidInput("no scenarios: give a dataset version or a filter with at least one")
        if len(self.ids) != len(self.weights):
            raise InvalidInput(f"{len(self.weights)} weights of {len(self.ids)} scenarios: give each its own")
        for scenario_id, weight in zip(self.ids, self.weights, strict=True):
            if not 0.0 <= weight < float("inf"):
                raise InvalidInput(f"weight {weight} of scenario {scenario_id}: must be a number, 0 or more")
        if not any(self.weights):
            raise InvalidInput(f"all {len(self.weights)} weights are 0: give at least one scenario a weight above 0")


@dataclass(frozen=True)
class Scenes:
    """Opened scenarios of one layout, by number."""

    ids: tuple[str, ...]
    store: Scenarios
    rows: tuple[int, ...]
    """Where each lies in the store."""
    weights: NDArray[np.float64]
    """[N], above 0 for at least one."""

    def __len__(self) -> int:
        return len(self.ids)

    def draw(self, key: jax.Array, count: int) -> NDArray[np.int32]:
        """Draw numbers [count] by weight.

        The draws are spread evenly: of `count` draws a scenario gets its share of them, rounded up or down.
        """
        shuffling, starting = jax.random.split(key)
        order = np.asarray(jax.random.permutation(shuffling, len(self.ids)))
        ends = np.cumsum(self.weights[order])
        points = (np.arange(count) + float(jax.random.uniform(starting))) / count * ends[-1]
        # A point rounded up to the very end is of the last scenario that has a weight.
        last = int(np.flatnonzero(self.weights[order])[-1])
        places = np.minimum(np.searchsorted(ends, points, side="right"), last)
        return np.asarray(order[places], np.int32)

    def load(self, numbers: Sequence[int] | NDArray[np.int32]) -> Scenario:
        """Give these scenarios stacked, as numpy arrays in memory."""
        return self.store.batch([self.rows[number] for number in numbers])

    def ids_of(self, numbers: Sequence[int] | NDArray[np.int32]) -> list[str]:
        """Give the ids of these scenarios, each once, in order."""
        return sorted({self.ids[number] for number in numbers})


def write_wanted(blobs: BlobStore, wanted: WantedScenes) -> str:
    """Store a list of scenarios and give its hash."""
    return blobs.put(canonical_json(wanted).encode(), media_type="application/json").hash


def read_wanted(blobs: BlobStore, wanted_hash: str) -> WantedScenes:
    """Give a stored list of scenarios. Raises: NotFound, CorruptBlob."""
    return record_from_json(WantedScenes, blobs.get(wanted_hash).decode())


def open_scenes(folder: str, blobs: BlobStore, wanted_hash: str) -> Scenes:
    """Open the scenarios of a stored list.

    Raises: NotFound for a scenario that the store lacks; CorruptBlob where it was damaged there; InvalidInput where
        they are not all of one layout.
    """
    wanted = read_wanted(blobs, wanted_hash)
    known: dict[str, Scenarios] = {}
    stores, damaged = open_layouts(Path(folder))
    for each in stores:
        known |= dict.fromkeys(each.ids, each)
    for scenario_id in wanted.ids:
        if scenario_id not in known:
            raise why_lost(scenario_id, damaged)
    store = known[wanted.ids[0]]
    for scenario_id in wanted.ids:
        if known[scenario_id] is not store:
            raise InvalidInput(
                f"scenario {scenario_id}: prepared with {known[scenario_id].sizes}, {wanted.ids[0]} with "
                f"{store.sizes}; train on scenarios of one size, or ingest them again with the same --size"
            )
    return Scenes(wanted.ids, store, tuple(store.rows_of(wanted.ids)), np.asarray(wanted.weights, np.float64))
