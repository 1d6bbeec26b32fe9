"""From what a reader found to a scene that can be used, or to the reason why not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from al_platform.datasets.scenarios.agents import mended
from al_platform.datasets.scenarios.base import RefusedScene, SourceScene
from al_platform.datasets.scenarios.checks import refuse_huge
from al_platform.datasets.scenarios.maps import mended_map
from al_platform.errors import BrokenRecording
from sim.recording import Agents, Float64s, Lane, Recording, Road, StopPoint

USUAL_STEP_S = 0.1
_JITTER = 0.01


@dataclass(frozen=True)
class FoundScene:
    """A scene as a file says it, unchecked."""

    name: str
    """As the source calls it; empty where it does not."""
    dataset: str
    session: str
    """Empty where the source names no drive."""
    step_s: float
    agents: Agents
    ego: int | None
    """None where the source names no ego."""
    lanes: tuple[Lane, ...]
    roads: tuple[Road, ...]
    stops: tuple[StopPoint, ...]
    sized: bool = True
    """Whether the source says how large its agents are; where it does not, the reader assumes it by their type."""


def scene_of(found: FoundScene, *, origin: str) -> SourceScene:
    """Give the scene, mended where it can be.

    Raises: BrokenRecording where it cannot be used.
    """
    refuse_huge(agents=len(found.agents.ids), steps=found.agents.valid.shape[1])
    agents, ego, agent_repairs = mended(found.agents, step_s=found.step_s, ego=found.ego)
    road_map, map_repairs = mended_map(found.lanes, found.roads, found.stops)
    recording = Recording(name=origin, step_s=found.step_s, agents=agents, ego=ego, map=road_map)
    name = found.name or origin
    chosen = {"ego chosen by rule": 1} if found.ego is None else {}
    assumed = {} if found.sized else {"assumed size": len(agents.ids)}
    return SourceScene(
        recording=recording,
        name=name,
        dataset=found.dataset,
        session=found.session or name,
        origin=origin,
        repairs={**chosen, **assumed, **agent_repairs, **map_repairs},
    )


def one_scene(path: Path, read: Callable[[Path], FoundScene]) -> Iterator[SourceScene | RefusedScene]:
    """Yield the one scene of a file, or why it cannot be had."""
    try:
        yield scene_of(read(path), origin=str(path))
    except BrokenRecording as broken:
        yield RefusedScene(str(path), broken.reason, broken.detail)


def step_of(times_s: Float64s) -> float:
    """Give the time between two steps from the time of each, 0.1 s for a single one.

    Clocks jitter: within 1 % of a whole number of steps a second it is that number.

    Raises: BrokenRecording where the times do not rise, or one step takes twice as long as the usual one.
    """
    if len(times_s) < 2:
        return USUAL_STEP_S
    steps_s = np.diff(times_s)
    step_s = float(np.median(steps_s))
    if not np.isfinite(times_s).all() or not 1e-3 <= step_s <= 10.0:
        raise BrokenRecording("times do not rise", f"{step_s} s from one step to the next")
    if steps_s.min() < 0.25 * step_s or steps_s.max() > 2.0 * step_s:
        raise BrokenRecording("times with gaps", f"steps of {steps_s.min():g} to {steps_s.max():g} s")
    rate_hz = max(1.0, round(1.0 / step_s))
    return 1.0 / rate_hz if abs(step_s * rate_hz - 1.0) < _JITTER else step_s
