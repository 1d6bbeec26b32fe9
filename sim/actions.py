"""Discrete actions: bins of acceleration and of steering rate, and how they are recovered from a recording."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32
from numpy.typing import NDArray

from sim.dynamics import Motion, VehicleLimits, drive
from sim.lookup import row
from sim.scenario.record import STEP_S, Scenario
from sim.stepping import Command, recorded_motion, wrapped

_LIMITS = VehicleLimits()


@dataclass(frozen=True)
class ActionSpec:
    """The bins. Accelerations lie evenly; steering rates lie densest about zero, which is one of them."""

    accelerations: int = 71
    min_acceleration: float = -4.0
    """m/s^2"""
    max_acceleration: float = 3.0
    steering_rates: int = 31
    """An odd number."""
    max_steering_rate: float = 0.8
    """rad/s to either side."""
    bend: float = 2.0
    """Rates are the even bins' positions in [-1, 1] to this power: 1 is even, more is denser about zero."""

    def __post_init__(self) -> None:
        """Raises: ValueError for bins that cannot be."""
        if self.accelerations < 2 or self.steering_rates < 3 or self.steering_rates % 2 == 0:
            raise ValueError(
                f"{self.accelerations} accelerations and {self.steering_rates} steering rates: "
                "at least 2 and an odd number from 3 on are needed"
            )

    @property
    def counts(self) -> tuple[int, int]:
        """Number of accelerations and of steering rates."""
        return self.accelerations, self.steering_rates

    def acceleration_values(self) -> NDArray[np.float32]:
        """[accelerations] m/s^2, rising."""
        return np.linspace(self.min_acceleration, self.max_acceleration, self.accelerations, dtype=np.float32)

    def steering_values(self) -> NDArray[np.float32]:
        """[steering_rates] rad/s, rising."""
        even = np.linspace(-1.0, 1.0, self.steering_rates)
        return np.asarray(self.max_steering_rate * np.sign(even) * np.abs(even) ** self.bend, np.float32)


def decode(action: Int32[Array, "2"], spec: ActionSpec) -> Command:
    """The command of a pair of bins (acceleration, steering rate)."""
    share = action.astype(jnp.float32) / jnp.array([spec.accelerations - 1, spec.steering_rates - 1], jnp.float32)
    span = spec.max_acceleration - spec.min_acceleration
    even = 2.0 * share[1] - 1.0
    return Command(
        acceleration=spec.min_acceleration + span * share[0],
        steering_rate=spec.max_steering_rate * jnp.sign(even) * jnp.abs(even) ** spec.bend,
    )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ExpertActions:
    """The recorded drive in bins, and how well a car that takes them stays with it."""

    action: Int32[Array, "*b T 2"]
    """Bins that lead from each step to the next; those past the recording brake to a stop."""
    position_error: Float32[Array, "*b T"]
    """Metres between the car and the recorded ego after each step; 0 past the recording."""
    heading_error: Float32[Array, "*b T"]
    """Radians, not negative."""


@dataclass(frozen=True)
class TrackingWeights:
    """What a candidate command pays, one and two steps after it, for each unit of its error squared."""

    along: float = 1.0
    """For metres along the recorded heading."""
    across: float = 4.0
    heading: float = 30.0
    """For radians."""
    speed: float = 0.5
    """For m/s."""
    steering: float = 1.0
    """For radians of the steering angle."""


_WEIGHTS = TrackingWeights()


def expert_actions(
    scenario: Scenario,
    spec: ActionSpec,
    *,
    limits: VehicleLimits = _LIMITS,
    weights: TrackingWeights = _WEIGHTS,
) -> ExpertActions:
    """The bins that keep a car on the recorded drive, one after the other from the true state that they led to.

    Each step takes what `keeping_action` gives, so errors are corrected and do not add up. T = steps of the log - 1.
    """
    last = jnp.asarray(scenario.log.steps) - 1

    def one_step(motion: Motion, step: Int32[Array, ""]) -> tuple[Motion, tuple[Array, Array, Array]]:
        goal = recorded_motion(scenario, step + 1, limits=limits)
        kept = keeping_action(scenario, motion, step, spec=spec, limits=limits, weights=weights)
        command = decode(kept, spec)
        moved = drive(
            motion,
            (command.acceleration, command.steering_rate),
            length=jnp.asarray(scenario.log.sizes)[0, 0],
            limits=limits,
        )
        action = jnp.where(step < last, kept, jnp.array([0, spec.steering_rates // 2]))
        apart, twisted = jnp.hypot(moved.x - goal.x, moved.y - goal.y), jnp.abs(wrapped(moved.heading - goal.heading))
        past = step >= last
        return moved, (action.astype(jnp.int32), jnp.where(past, 0.0, apart), jnp.where(past, 0.0, twisted))

    first = recorded_motion(scenario, jnp.int32(0), limits=limits)
    steps = jnp.arange(scenario.log.ego.shape[-2] - 1, dtype=jnp.int32)
    _, (action, apart, twisted) = jax.lax.scan(one_step, first, steps)
    return ExpertActions(action=action, position_error=apart, heading_error=twisted)


def keeping_action(
    scenario: Scenario,
    motion: Motion,
    step: Int32[Array, ""],
    *,
    spec: ActionSpec,
    limits: VehicleLimits = _LIMITS,
    weights: TrackingWeights = _WEIGHTS,
) -> Int32[Array, "2"]:
    """The bins that bring a car, wherever it is at a step, closest to the recorded drive.

    It is the pair whose error one step on, and two steps on if it is held without steering on, is smallest.
    """
    accelerations, rates = jnp.asarray(spec.acceleration_values()), jnp.asarray(spec.steering_values())
    move = partial(drive, length=jnp.asarray(scenario.log.sizes)[0, 0], limits=limits)
    last = jnp.asarray(scenario.log.steps) - 1
    goal, later = (recorded_motion(scenario, step + ahead, limits=limits) for ahead in (1, 2))

    def cost(acceleration: Float32[Array, ""], rate: Float32[Array, ""]) -> Float32[Array, ""]:
        first = move(motion, (acceleration, rate))
        second = move(first, (later.acceleration, jnp.zeros(())))
        return _error(first, goal, weights) + jnp.where(step + 2 <= last, _error(second, later, weights), 0.0)

    # The dimensions hardly touch: acceleration moves the car along, steering across.
    straight = (goal.steering - motion.steering) / STEP_S
    chosen = jnp.argmin(jax.vmap(lambda value: cost(value, straight))(accelerations))
    turned = jnp.argmin(jax.vmap(lambda value: cost(accelerations[chosen], value))(rates))
    return jnp.stack([chosen, turned]).astype(jnp.int32)


def _error(motion: Motion, goal: Motion, weights: TrackingWeights) -> Float32[Array, ""]:
    cosine, sine = jnp.cos(goal.heading), jnp.sin(goal.heading)
    x, y = motion.x - goal.x, motion.y - goal.y
    return (
        weights.along * (x * cosine + y * sine) ** 2
        + weights.across * (y * cosine - x * sine) ** 2
        + weights.heading * 2.0 * (1.0 - jnp.cos(motion.heading - goal.heading))
        + weights.speed * (motion.speed - goal.speed) ** 2
        + weights.steering * (motion.steering - goal.steering) ** 2
    )


def recorded_action(actions: Int32[Array, "T 2"], step: Int32[Array, ""]) -> Int32[Array, "2"]:
    """The pair for a step, the last for steps beyond."""
    return row(actions, step)
