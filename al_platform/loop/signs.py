"""The signs of scenarios, computed once: a scenario never changes, so neither do its signs under one formula."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from al_platform.datasets.scenarios.store import Scenarios, open_layouts
from al_platform.domain.progress import Progress
from al_platform.errors import CorruptBlob
from al_platform.loop.context import LoopContext
from al_platform.storage.records import RecordCache
from sim.signs import FORMULA, SIGNS, signs_of

STAGE = "signs"
_AT_ONCE = 1_024
"""Scenarios whose signs are written together: so many are read again at most after a crash."""

Numbers = NDArray[np.float64]


def signs_of_scenarios(context: LoopContext, scenario_ids: Sequence[str]) -> Float[Numbers, "N S"]:
    """Give the signs of bad recordings of these scenarios, [N, S]; NaN for one that cannot be read.

    Those that are not in the cache are computed and added to it; what cannot be read is tried again each time.
    """
    cache = context.caches.cache("signs", FORMULA, shape=(len(SIGNS),), dtype=np.dtype(np.float64))
    missing = cache.missing(scenario_ids)
    if missing:
        _compute(context, cache, missing)
    lost = set(cache.missing(scenario_ids))
    found = np.full((len(scenario_ids), len(SIGNS)), np.nan)
    known = [place for place, name in enumerate(scenario_ids) if name not in lost]
    found[known] = cache.take([scenario_ids[place] for place in known])
    return found


def _compute(context: LoopContext, cache: RecordCache, scenario_ids: Sequence[str]) -> None:
    stores, _ = open_layouts(Path(context.workplace.scenarios_folder))
    for start in range(0, len(scenario_ids), _AT_ONCE):
        context.report(Progress(STAGE, start, len(scenario_ids)))
        some = scenario_ids[start : start + _AT_ONCE]
        computed = {name: signs for name in some if (signs := _signs(stores, name)) is not None}
        cache.add(list(computed), np.array(list(computed.values()), np.float64).reshape(-1, len(SIGNS)))


def _signs(stores: Sequence[Scenarios], scenario_id: str) -> Numbers | None:
    """The signs of one scenario, [S]; None where no store holds it whole."""
    store = next((each for each in stores if scenario_id in each), None)
    if store is None:
        return None
    try:
        return signs_of(store[store.rows_of([scenario_id])[0]].log)
    except CorruptBlob:
        return None
