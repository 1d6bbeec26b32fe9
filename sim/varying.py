"""A scene a little different: another start, another speed of the ego, other timing of the others.

A driver that failed once may pass the same scene again by luck. Whether it learned is told by scenes around it: what
was recorded is shifted and warped in time, never made up beyond what was recorded, so every variation is a scenario
of the same sizes. Map, route and rasters stay as they are.

Axes: T steps, A agents, N steps that are left.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, SPEED_MPS, STEP_S, Log, Scenario

Float64s = NDArray[np.float64]

LEAST_STEPS = 2
"""A scene of fewer steps holds no motion."""


@dataclass(frozen=True)
class Variation:
    """How a scene differs from what was recorded; by default not at all."""

    start_steps: int = 0
    """The scene begins so much later, for everybody."""
    aside_m: float = 0.0
    """The ego is so far to the left of where it was recorded, all along."""
    speed: float = 1.0
    """The ego drives its recorded path at this multiple of its recorded speed."""
    late_steps: tuple[int, ...] = ()
    """How much later than recorded each agent comes, negative for earlier: agents 1, 2, ...; 0 for those beyond."""


@dataclass(frozen=True)
class VariationSpec:
    """What variations are drawn from, uniformly: each of the agents has a timing of its own."""

    count: int = 16
    start_steps: int = 5
    """At most; 1 s."""
    aside_m: float = 0.3
    """At most, to either side."""
    speed_share: float = 0.15
    """At most, faster or slower."""
    late_steps: int = 3
    """At most, earlier or later; 0.6 s."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises: ValueError for a range that is none."""
        if self.count < 1:
            raise ValueError(f"{self.count} variations: must be at least 1")
        if min(self.start_steps, self.late_steps) < 0 or self.aside_m < 0.0 or not 0.0 <= self.speed_share < 1.0:
            raise ValueError(f"{self}: ranges must be 0 or more, that of the speed below 1")


def draw_variations(spec: VariationSpec, *, agents: int) -> tuple[Variation, ...]:
    """Draw variations of scenes with room for so many agents; the first few do not depend on how many are drawn."""
    return tuple(_drawn(spec, np.random.default_rng([spec.seed, number]), agents) for number in range(spec.count))


def _drawn(spec: VariationSpec, generator: np.random.Generator, agents: int) -> Variation:
    late = generator.integers(-spec.late_steps, spec.late_steps, agents - 1, endpoint=True)
    return Variation(
        start_steps=int(generator.integers(0, spec.start_steps, endpoint=True)),
        aside_m=float(generator.uniform(-spec.aside_m, spec.aside_m)),
        speed=1.0 + float(generator.uniform(-spec.speed_share, spec.speed_share)),
        late_steps=tuple(late.tolist()),
    )


def vary(scenario: Scenario, variation: Variation) -> Scenario:
    """Give one scenario, of numpy arrays, as the variation has it; the variation by default gives it back unchanged.

    It ends where one of its agents would need what was not recorded. Where the ego begins inside of another agent
    the episode's metrics say so (`initial_overlap`).

    Raises: ValueError where fewer than 2 steps are left, or the speed is not above 0.
    """
    log = scenario.log
    steps, capacity, agents = int(log.steps), log.states.shape[0], log.states.shape[2]
    late = np.zeros(agents, np.int64)
    late[1 : 1 + len(variation.late_steps)] = variation.late_steps[: agents - 1]
    first = variation.start_steps + max(0, int(late.max()))
    count = _steps_left(steps - 1 - first, after=max(0, -int(late.min())), speed=variation.speed)
    rows = np.minimum(first + np.arange(capacity), capacity - 1)
    times = np.asarray(first + variation.speed * np.arange(count), np.float64)
    ego = _ego(np.asarray(log.ego, np.float64), times, variation)
    states = _states(log, first + np.arange(count)[:, None] - late)
    if (variation.speed, variation.aside_m) != (1.0, 0.0):
        states[:count, :, 0] = _as_state(ego)
    padded = ego[np.minimum(np.arange(capacity), count - 1)].astype(np.float32)
    varied = replace(log, states=states, ego=padded, steps=np.array(count, np.int32))
    route = replace(scenario.route, lights=np.asarray(scenario.route.lights)[rows])
    return replace(scenario, log=varied, route=route)


def _steps_left(last: int, *, after: int, speed: float) -> int:
    """How many steps there are, where `last` more were recorded after the first."""
    if not speed > 0.0:
        raise ValueError(f"speed {speed}: must be above 0")
    reached = int(np.floor(last / speed + 1e-9))  # a quotient that is whole but for its last bit is whole
    count = min(reached, last - after) + 1
    if count < LEAST_STEPS:
        raise ValueError(f"{max(count, 0)} steps are left: start later, or be shifted, by less")
    return count


def _ego(ego_T5: Float64s, times_N: Float64s, variation: Variation) -> Float64s:
    """[N, 5] the recorded ego at fractional steps, shifted aside; its speed is that of the shifted place."""
    before = np.floor(times_N).astype(np.int64).clip(0, len(ego_T5) - 1)
    after = np.minimum(before + 1, len(ego_T5) - 1)
    share = (times_N - before)[:, None]
    change = ego_T5[after] - ego_T5[before]
    change[:, 2] = (change[:, 2] + np.pi) % (2 * np.pi) - np.pi
    ego = np.where(share > 0.0, ego_T5[before] + share * change, ego_T5[before])
    turning = np.gradient(np.unwrap(ego[:, 2])) / STEP_S
    ego[:, 3] = ego[:, 3] * variation.speed - variation.aside_m * turning
    ego[:, 0] -= variation.aside_m * np.sin(ego[:, 2])
    ego[:, 1] += variation.aside_m * np.cos(ego[:, 2])
    return ego


def _states(log: Log, rows_NA: NDArray[np.int64]) -> NDArray[np.int16]:
    """[T, 6, A] each agent at rows of its own, and nobody behind them."""
    states = np.zeros(log.states.shape, np.int16)
    states[:, 0] = NOWHERE
    agents = np.arange(rows_NA.shape[1])
    states[: len(rows_NA)] = np.asarray(log.states)[rows_NA, :, agents].transpose(0, 2, 1)
    return states


def _as_state(ego_N5: Float64s) -> NDArray[np.int16]:
    """[N, 6] as a row of Log.states."""
    x, y, heading, speed, _ = ego_N5.T
    velocity = np.stack([np.cos(heading), np.sin(heading)]) * speed / SPEED_MPS
    values = np.stack([x / PLACE_M, y / PLACE_M, np.cos(heading) / DIRECTION, np.sin(heading) / DIRECTION, *velocity])
    return np.asarray(np.rint(values).T, np.int16)
