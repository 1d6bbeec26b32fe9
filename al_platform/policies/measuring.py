"""How a policy that is being trained drives scenes that it does not learn from: greedy, and nothing ends a drive."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from al_platform.policies.curve import finite
from al_platform.policies.scenes import Scenes
from sim.learning.driving import greedy
from sim.networks import NetworkSpec, Parameters
from sim.rewards import NEVER
from sim.rolling import RolloutSpec, rollouts
from sim.scenario import Scenario

_BATCH = 64
_MEASURES = (
    *("failure", "collision", "at_fault", "off_route", "off_road", "red_light", "stop_line"),
    *("progress_ratio", "max_speed_over_limit", "mean_squared_jerk"),
)


def measured(
    parameters: Parameters, network: NetworkSpec, scenes: Scenes, *, members: int, drive: RolloutSpec
) -> dict[str, float]:
    """Give the mean of each measure over scenes and drivers; scenes where it has no number are left out."""
    driven = _each_driven(parameters, network, scenes, members=members, drive=drive)
    values = {name: np.concatenate([each[name] for each in driven]) for name in _MEASURES}
    known = {name: value[np.isfinite(value)] for name, value in values.items()}
    return finite((name, float(value.mean())) for name, value in known.items() if value.size)


def hard_first(
    scenes: Scenes, parameters: Parameters, network: NetworkSpec, *, hard: float, members: int, drive: RolloutSpec
) -> Scenes:
    """Give the same scenes, those in which all drivers fail drawn `hard` times as often, where some do in between."""
    driven = _each_driven(parameters, network, scenes, members=members, drive=drive)
    share = np.mean([each["failure"] for each in driven], axis=0)
    return replace(scenes, weights=scenes.weights * (1.0 + (hard - 1.0) * share))


def _each_driven(
    parameters: Parameters, network: NetworkSpec, scenes: Scenes, *, members: int, drive: RolloutSpec
) -> list[dict[str, NDArray[Any]]]:
    """Each measure of every driver, [N]."""
    return [
        _driven(jax.tree.map(lambda leaf, number=number: leaf[number], parameters), network, scenes, drive=drive)
        for number in range(members)
    ]


def _driven(
    parameters: Parameters, network: NetworkSpec, scenes: Scenes, *, drive: RolloutSpec
) -> dict[str, NDArray[Any]]:
    """Each measure of one driver, [N]."""
    policy = greedy(network, parameters, actions=drive.actions)
    judged = replace(drive, done=NEVER, keep_observations=False)
    driven = [
        {name: np.asarray(getattr(result.episodes, name)) for name in _MEASURES}
        for result in rollouts(_batches(scenes), policy, jax.random.key(0), spec=judged)
    ]
    return {name: np.concatenate([part[name] for part in driven])[: len(scenes)] for name in _MEASURES}


def _batches(scenes: Scenes) -> Iterator[Scenario]:
    """All scenes; the last batch is filled up, so that all share one compilation."""
    size = min(_BATCH, len(scenes))
    for start in range(0, len(scenes), size):
        yield scenes.load([min(number, len(scenes) - 1) for number in range(start, start + size)])
