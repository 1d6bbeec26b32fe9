"""What the benchmarks of driving policies share: the split of the scenes, how drivers are judged, and intervals."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from al_platform.datasets.scenarios.store import open_scenarios
from al_platform.domain.hashing import hash_bytes
from al_platform.policies.scenes import Scenes
from al_platform.policies.stored import Drivers
from sim.learning.driving import greedy
from sim.rewards import NEVER
from sim.rolling import RolloutSpec, rollouts

TRAIN_UNTIL, VALIDATION_UNTIL = 1200, 1400
EVENTS = ("failure", "collision", "at_fault", "off_route", "off_road", "red_light", "stop_line")
ARRIVED = 0.8
"""Share of the recorded progress that counts as having got there."""
DRAWS = 2000
BATCH = 64


def split_of(store: str) -> dict[str, Scenes]:
    """Scenes to learn from, to choose by, and to judge by."""
    scenarios = open_scenarios(store)
    rows: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for row, name in enumerate(scenarios.names):
        rows[_part_of(name)].append(row)
    return {
        part: Scenes(tuple(scenarios.ids[row] for row in own), scenarios, tuple(own), np.ones(len(own)))
        for part, own in rows.items()
    }


def _part_of(name: str) -> str:
    dataset, rest = name.split("/", 1)
    if dataset == "generated":
        seed, number = int(rest.split("/", 1)[0]), int(name.rsplit("/", 1)[1])
        if seed != 0:
            return "test"
        return "train" if number < TRAIN_UNTIL else "validation" if number < VALIDATION_UNTIL else "test"
    share = int(hash_bytes(rest.split("/", 1)[0].encode()), 16) % 8
    return "train" if share < 6 else "validation" if share == 6 else "test"


def driven_values(
    drivers: Drivers, member: int, scenes: Scenes, *, drive: RolloutSpec
) -> dict[str, np.ndarray[Any, Any]]:
    """Each measure of one driver in every scene, [N]; nothing ends a drive."""
    policy = greedy(drivers.network, drivers.member(member), actions=drivers.actions)
    batches = (
        scenes.load([min(number, len(scenes) - 1) for number in range(first, first + BATCH)])
        for first in range(0, len(scenes), BATCH)
    )
    names = (*EVENTS, "progress_ratio")
    driven = [
        {name: np.asarray(getattr(result.episodes, name), np.float64) for name in names}
        for result in rollouts(batches, policy, jax.random.key(0), spec=replace(drive, done=NEVER))
    ]
    values = {name: np.concatenate([part[name] for part in driven])[: len(scenes)] for name in names}
    # Who stands still never fails: where the recording went somewhere, success is to get there too.
    behind = values["progress_ratio"] < ARRIVED
    return {**values, "success": ((values["failure"] == 0.0) & ~behind).astype(np.float64)}


def interval(values: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Mean of [seeds, scenes] with the 95 % interval of a bootstrap over both; what is not a number counts nowhere."""
    low, high = np.nanquantile([np.nanmean(drawn) for (drawn,) in _drawn(values)], [0.025, 0.975])
    return float(np.nanmean(values)), float(low), float(high)


def cut(before: list[list[float]], after: list[list[float]]) -> tuple[float, float, float]:
    """Share of the failures [seeds, scenes] that are gone, with the interval of a bootstrap over both, paired."""
    early, late = np.array(before), np.array(after)
    shares = [1.0 - new.mean() / old.mean() for old, new in _drawn(early, late) if old.any()]
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(1.0 - late.mean() / early.mean()), float(low), float(high)


def _drawn(*values: np.ndarray[Any, Any]) -> Iterator[tuple[np.ndarray[Any, Any], ...]]:
    """The same seeds and scenes of each, drawn with replacement."""
    generator, (seeds, scenes) = np.random.default_rng(0), values[0].shape
    for _ in range(DRAWS):
        rows, columns = generator.integers(0, seeds, seeds), generator.integers(0, scenes, scenes)
        yield tuple(value[np.ix_(rows, columns)] for value in values)
