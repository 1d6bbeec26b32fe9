"""The expert driven again through the scenarios of the store: what the metrics say of people is their measure."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import sim
from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.datasets.scenarios.store import Scenarios, open_layouts, refuse_damaged
from al_platform.domain.progress import Progress
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform.driving import EVENTS, RATES, DrivenScenario
from al_platform.platform.home import Platform
from sim.scenario.record import STEP_S

_NUMBERS = (
    *("progress_ratio", "max_acceleration", "max_lateral_acceleration", "mean_squared_jerk"),
    *("reversals_per_minute", "max_speed_over_limit", "min_road_margin"),
)


class ReplayBy(Enum):
    """How the expert is driven again."""

    LOG = "log"
    """The ego is put where it was recorded."""
    ACTIONS = "actions"
    """A car drives by the discrete actions that keep nearest to the recording."""


def replay_scenarios(
    platform: Platform, filter_text: str = "", *, by: ReplayBy = ReplayBy.LOG, batch: int = 16
) -> list[DrivenScenario]:
    """Drive the expert through every scenario that a filter matches, `batch` at a time; by session and name.

    Raises: InvalidInput for a filter that does not parse, a batch below 1, or when nothing matches; NotFound for
        a scenario that the store has lost; CorruptBlob for one that is damaged.
    """
    if batch < 1:
        raise InvalidInput(f"batch of {batch}: must be at least 1")
    with platform.catalog.transaction() as tx:
        wanted = {reference.scenario_id: reference for reference in scenarios_of_filter(tx, filter_text)}
    if not wanted:
        raise InvalidInput(f"filter {filter_text!r}: no scenario matches; `alp scenarios list` shows what there is")
    driven: dict[str, DrivenScenario] = {}
    platform.report(Progress("replay", 0, len(wanted)))
    stores, damaged = open_layouts(platform.settings.scenarios_folder)
    for store in stores:
        rows = [row for row, scenario_id in enumerate(store.ids) if scenario_id in wanted]
        for part in _replayed(store, rows, wanted, by=by, batch=batch):
            driven |= {each.scenario.scenario_id: each for each in part}
            platform.report(Progress("replay", len(driven), len(wanted)))
    lost = wanted.keys() - driven.keys()
    if lost:
        refuse_damaged(min(lost), damaged)
        raise NotFound(f"scenario {min(lost)}: not in the store; ingest or generate it again")
    return [driven[scenario_id] for scenario_id in wanted]


def _replayed(
    store: Scenarios, rows: Sequence[int], references: Mapping[str, ScenarioReference], *, by: ReplayBy, batch: int
) -> Iterator[list[DrivenScenario]]:
    """Drive scenarios of one layout; the last batch is filled up, so that all share one compilation."""
    chunks = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    size = min(batch, len(rows))
    batches = (store.batch([*chunk, *[chunk[-1]] * (size - len(chunk))]) for chunk in chunks)
    policy = sim.log_replay if by is ReplayBy.LOG else sim.replay_actions
    guide = None if by is ReplayBy.LOG else _expert_bins
    for chunk, result in zip(chunks, sim.rollouts(batches, policy, jax.random.key(0), guide=guide), strict=True):
        steps = _fetched(result.metrics, ("valid", *EVENTS))
        episodes = _fetched(result.episodes, (*RATES, *_NUMBERS))
        yield [_driven(references[store.ids[row]], steps, episodes, place) for place, row in enumerate(chunk)]


def _fetched(record: object, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Fields of a record, from the device."""
    return {name: np.asarray(getattr(record, name)) for name in names}


@jax.jit
def _expert_bins(scenarios: sim.Scenario) -> Any:
    return jax.vmap(partial(sim.expert_actions, spec=sim.ActionSpec()))(scenarios).action


def _driven(
    reference: ScenarioReference,
    steps: Mapping[str, NDArray[np.bool_]],
    episodes: Mapping[str, NDArray[Any]],
    place: int,
) -> DrivenScenario:
    happened = {event: (steps[event] & steps["valid"])[:, place] for event in EVENTS}
    return DrivenScenario(
        scenario=reference,
        events={event: STEP_S * float(at.argmax() + 1) for event, at in happened.items() if at.any()},
        measures={name: float(values[place]) for name, values in episodes.items()},
    )
