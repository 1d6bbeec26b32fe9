"""Scenarios of the store driven by whoever is at the wheel: drivers of a policy, or the recorded expert.

Axes: T steps, B scenes of a batch.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import sim
from al_platform.datasets.scenarios.store import Scenarios
from al_platform.domain.judging import EVENTS, RATES, JudgeSpec, SuiteScenario
from al_platform.errors import InvalidInput
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.stored import Drivers
from sim.drivers import Policy
from sim.learning.driving import greedy
from sim.rolling import Rollout, RolloutSpec
from sim.scenario.record import STEP_S, Scenario
from sim.varying import Variation, vary

BATCH = 64
"""Scenarios driven together. A suite is always dealt alike, so that its numbers are always the same."""

_NUMBERS = (
    *("progress_ratio", "max_acceleration", "max_lateral_acceleration", "mean_squared_jerk"),
    *("reversals_per_minute", "max_speed_over_limit", "min_road_margin"),
)
_BESIDE = ("initial_overlap",)

Poses = NDArray[np.float32]


@dataclass(frozen=True)
class Wheel:
    """Who drives, and how it is driven."""

    policy: Policy
    guide: Callable[[Scenario], Any] | None = None
    spec: RolloutSpec = field(default_factory=RolloutSpec)
    member: int = 0


@dataclass(frozen=True)
class Drive:
    """One drive with the way that it took."""

    driven: DrivenScenario
    poses: Poses
    """[N, 3] x, y, heading of the ego at the steps that were recorded."""
    overlaps: bool
    """The ego began inside of somebody."""


def expert_wheel(judged: JudgeSpec) -> Wheel:
    """The recorded ego itself."""
    return Wheel(sim.log_replay, spec=RolloutSpec(reactive=judged.reactive))


def expert_by_actions() -> Wheel:
    """A car that drives by the discrete actions which keep nearest to the recording."""
    return Wheel(sim.replay_actions, guide=_expert_bins)


def wheels_of(drivers: Drivers, judged: JudgeSpec) -> list[Wheel]:
    """Every driver of a policy, each taking its expected action."""
    spec = RolloutSpec(reactive=judged.reactive, actions=drivers.actions, observation=drivers.observation)
    every = greedy(drivers.network, drivers.parameters, actions=drivers.actions)
    return [
        Wheel(jax.tree.map(lambda leaf, number=number: leaf[number], every), spec=spec, member=number)
        for number in range(drivers.members)
    ]


def drive_scenarios(
    store: Scenarios,
    scenarios: Sequence[SuiteScenario],
    wheel: Wheel,
    *,
    batch: int = BATCH,
    variations: Sequence[Variation] = (),
) -> Iterator[list[Drive]]:
    """Drive scenarios of one layout, `batch` at a time, or all of their variations.

    The last batch is filled up, so that all share one compilation; the next one goes to the device meanwhile.

    Raises: NotFound for a scenario that the store lacks; InvalidInput for one too short for its variation.
    """
    rows = store.rows_of([scenario.scenario_id for scenario in scenarios])
    cases = [(place, number) for place in range(len(rows)) for number in range(max(1, len(variations)))]
    chunks = [cases[start : start + batch] for start in range(0, len(cases), batch)]
    size = min(batch, len(cases))

    def stacked(chunk: list[tuple[int, int]]) -> Scenario:
        filled = [*chunk, *[chunk[-1]] * (size - len(chunk))]
        if not variations:
            return store.batch([rows[place] for place, _ in filled])
        scenes = [_varied(store[rows[place]], variations[number], scenarios[place]) for place, number in filled]
        together: Scenario = jax.tree.map(lambda *leaves: np.stack(leaves), *scenes)
        return together

    results = sim.rollouts(map(stacked, chunks), wheel.policy, jax.random.key(0), spec=wheel.spec, guide=wheel.guide)
    for chunk, result in zip(chunks, results, strict=True):
        named = [(scenarios[place], number) for place, number in chunk]
        yield _drives(named, result, wheel.member)


def _varied(scenario: Scenario, variation: Variation, named: SuiteScenario) -> Scenario:
    try:
        return vary(scenario, variation)
    except ValueError as error:
        raise InvalidInput(f"scenario {named.scenario_id}: {error}; vary it by less") from error


def _drives(named: Sequence[tuple[SuiteScenario, int]], result: Rollout, member: int) -> list[Drive]:
    """What a batch gave, scenario by scenario."""
    steps = _fetched(result.metrics, ("valid", *EVENTS))
    episodes = _fetched(result.episodes, (*RATES, *_NUMBERS, *_BESIDE))
    poses = _poses(result)
    happened = {event: steps[event] & steps["valid"] for event in EVENTS}
    return [
        Drive(
            DrivenScenario(
                scenario=scenario,
                events={
                    event: STEP_S * float(at[:, b].argmax() + 1) for event, at in happened.items() if at[:, b].any()
                },
                measures={name: float(episodes[name][b]) for name in (*RATES, *_NUMBERS)},
                member=member,
                variation=variation,
            ),
            poses=poses[b, : int(steps["valid"][:, b].sum()) + 1],
            overlaps=bool(episodes["initial_overlap"][b]),
        )
        for b, (scenario, variation) in enumerate(named)
    ]


def _poses(result: Rollout) -> Poses:
    """[B, T + 1, 3]"""
    before, after = result.transitions.state.motion, result.final.motion
    whole = [
        np.concatenate([np.asarray(getattr(before, name)), np.asarray(getattr(after, name))[None]])
        for name in ("x", "y", "heading")
    ]
    return np.stack(whole, axis=-1).transpose(1, 0, 2).astype(np.float32)


def _fetched(record: object, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """Fields of a record, from the device."""
    return {name: np.asarray(getattr(record, name)) for name in names}


@jax.jit
def _expert_bins(scenarios: Scenario) -> Any:
    return jax.vmap(partial(sim.expert_actions, spec=sim.ActionSpec()))(scenarios).action
