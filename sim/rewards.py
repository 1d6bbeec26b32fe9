"""Reward of a step: named terms with weights. And what ends an episode in training."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from sim.measures.record import StepMetrics
from sim.scenario.record import STEP_S


@dataclass(frozen=True)
class RewardSpec:
    """What a step earns. A weight of 0 leaves a term out."""

    progress: float = 0.1
    """For each metre along the route."""
    over_speed: float = -0.02
    """For each m/s over the limit during a second."""
    acceleration: float = -0.01
    """For each (m/s^2)^2 along the heading during a second."""
    lateral_acceleration: float = -0.01
    collision: float = -10.0
    """Once for each step in which it happens, as are the next ones."""
    off_route: float = -10.0
    off_road: float = 0.0
    red_light: float = -5.0
    stop_line: float = -2.0
    wrong_way: float = 0.0


@dataclass(frozen=True)
class DoneSpec:
    """Which events end an episode. In evaluation none does."""

    collision: bool = True
    off_route: bool = True
    off_road: bool = False
    red_light: bool = False
    stop_line: bool = False


NEVER = DoneSpec(collision=False, off_route=False)
"""For evaluation: every episode lasts as long as its recording."""


def reward_terms(steps: StepMetrics, spec: RewardSpec) -> dict[str, Float[Array, "..."]]:
    """The weighted terms by name; their sum is the reward."""
    weighted = {
        "progress": spec.progress * steps.progress,
        "over_speed": spec.over_speed * STEP_S * steps.speed_over_limit,
        "acceleration": spec.acceleration * STEP_S * steps.acceleration**2,
        "lateral_acceleration": spec.lateral_acceleration * STEP_S * steps.lateral_acceleration**2,
    }
    for event in ("collision", "off_route", "off_road", "red_light", "stop_line", "wrong_way"):
        weighted[event] = getattr(spec, event) * getattr(steps, event).astype(jnp.float32)
    return weighted


def reward(steps: StepMetrics, spec: RewardSpec) -> Float[Array, "..."]:
    """Sum of the terms, 0 for steps that are not valid."""
    total = sum(reward_terms(steps, spec).values(), start=jnp.zeros(()))
    return jnp.where(steps.valid, total, 0.0)


def done(steps: StepMetrics, spec: DoneSpec) -> Bool[Array, "..."]:
    """Whether the episode ends with this step."""
    ended = jnp.zeros_like(steps.collision)
    for event in ("collision", "off_route", "off_road", "red_light", "stop_line"):
        if getattr(spec, event):
            ended = ended | getattr(steps, event)
    return ended & steps.valid
