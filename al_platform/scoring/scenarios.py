"""Scoring scenarios: read from their store, driven by all drivers of a policy, a shard at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.scenarios.store import Scenarios, open_layouts, why_lost
from al_platform.domain.driving import PolicyModel
from al_platform.domain.hashing import hash_record
from al_platform.domain.scores import ScoringJob, UnreadableItem
from al_platform.errors import NonFiniteScore
from al_platform.policies.stored import Drivers, read_drivers
from al_platform.scoring.drives import SceneBatch, measures_of
from al_platform.scoring.measures import MEASURES, PoolMeasures, no_measures
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.shards import ScoredShard
from al_platform.scoring.stages import StageClock
from al_platform.storage.pools import read_pool

BATCH = 16
"""Scenes driven at once; every batch has as many, so that one program serves all."""


class ScenarioScorer:
    """Scores shards of a pool of scenarios by the drivers of one policy."""

    def __init__(self, place: ScoringPlace, job: ScoringJob, model: PolicyModel, drivers: Drivers) -> None:
        self._place, self._job, self._model, self._drivers = place, job, model, drivers
        self._stores, self._damaged = open_layouts(Path(place.scenarios))
        self.clock = StageClock({})

    def score(self, shard: int, scored: Callable[[int], None]) -> ScoredShard:
        """Score a shard; `scored` hears of every batch how many rows it had.

        Raises: NonFiniteScore naming the first scenario and class whose score is NaN or infinite; CorruptBlob for a
            store that was changed.
        """
        first, count = self._job.rows_of(shard)
        columns = ["item_id", "session", "timestamp_s"]
        items = read_pool(self._place.blobs, self._job.pool_manifest_hash, columns, first=first, rows=count)
        names: list[str] = items["item_id"].to_pylist()
        measures, found = no_measures(count, len(self._model.classes)), np.zeros(count, np.bool_)
        for store in self._stores:
            places = [place for place, name in enumerate(names) if name in store and not found[place]]
            for start in range(0, len(places), BATCH):
                chunk = places[start : start + BATCH]
                self._keep(measures, chunk, store, [names[place] for place in chunk])
                scored(len(chunk))
            found[places] = True
        if not found.all():
            scored(int((~found).sum()))
        kept = np.flatnonzero(found)
        return ScoredShard(
            shard=shard,
            rows=first + kept,
            sessions=items["session"].to_numpy()[kept],
            timestamps_s=items["timestamp_s"].to_numpy()[kept],
            measures=PoolMeasures(*(getattr(measures, name)[kept] for name in MEASURES)),
            unreadable=tuple(
                UnreadableItem(first + int(place), names[place], str(why_lost(names[place], self._damaged)))
                for place in np.flatnonzero(~found)
            ),
        )

    def _keep(self, into: PoolMeasures, places: Sequence[int], store: Scenarios, names: Sequence[str]) -> None:
        with self.clock.busy("read"):
            batch = scene_batch(store, names, self._model.tags, size=BATCH)
        with self.clock.busy("forward"):
            measured = measures_of(self._drivers, self._model, batch)
        for measure, values in into.items():
            part = getattr(measured, measure)[: len(places)]
            _require_finite(measure, part, names, self._model.classes)
            values[places] = part


@contextmanager
def open_scenario_scorer(place: ScoringPlace, job: ScoringJob, model: PolicyModel) -> Iterator[ScenarioScorer]:
    """Load the drivers of a job."""
    yield ScenarioScorer(place, job, model, read_drivers(place.blobs, job.weights_hash))


def scene_batch(store: Scenarios, scenario_ids: Sequence[str], tags: Sequence[str], *, size: int) -> SceneBatch:
    """Give these scenarios as one batch of `size`; the last is repeated where they are fewer.

    Raises: NotFound for an id that the store lacks.
    """
    filled = [*scenario_ids, *[scenario_ids[-1]] * (size - len(scenario_ids))]
    rows = store.rows_of(filled)
    tagged = np.array([[tag in store.tags[row] for tag in tags] for row in rows], np.bool_)
    return SceneBatch(store.batch(rows), seeds_of(filled), tagged.reshape(size, len(tags)))


def seeds_of(scenario_ids: Sequence[str]) -> NDArray[np.uint32]:
    """Give a seed for each scenario that is its own wherever it is driven."""
    return np.array([int(hash_record(scenario_id)[:8], 16) for scenario_id in scenario_ids], np.uint32)


def _require_finite(measure: str, values: NDArray[np.float32], names: Sequence[str], classes: Sequence[str]) -> None:
    if np.isfinite(values).all():
        return
    place, column = np.argwhere(~np.isfinite(values))[0]
    raise NonFiniteScore(
        f"{measure} of scenario {names[place]} for {classes[column]} is {values[place, column]}: the policy's weights "
        "or its inputs are broken; nothing was selected. Train with a lower learning rate, or name another policy"
    )
