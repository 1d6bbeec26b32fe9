"""An episode from its steps."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from sim.measures.record import EpisodeMetrics, StepMetrics
from sim.scenario.record import STEP_S, Scenario
from sim.state import SimState

LEAST_PROGRESS_M = 1.0


def episode_metrics(scenario: Scenario, start: SimState, steps: StepMetrics) -> EpisodeMetrics:
    """Put the steps of one scene together; the fields of `steps` have the axis of time alone, [T].

    Steps that are not valid count for nothing.
    """
    valid = steps.valid
    count = jnp.sum(valid)
    hit = steps.collision & valid
    off_route = _any(steps.off_route, valid)
    progress = jnp.sum(jnp.where(valid, steps.progress, 0.0))
    squared = jnp.where(valid, steps.jerk**2 + steps.lateral_jerk**2, 0.0)
    minutes = count * STEP_S / 60.0
    return EpisodeMetrics(
        valid=count > 0,
        failure=jnp.any(hit) | off_route,
        collision=jnp.any(hit),
        at_fault=jnp.any(hit) & steps.at_fault[jnp.argmax(hit)],
        initial_overlap=_any_other(start),
        off_road=_any(steps.off_road, valid),
        off_route=off_route,
        red_light=_any(steps.red_light, valid),
        stop_line=_any(steps.stop_line, valid),
        wrong_way=_any(steps.wrong_way, valid),
        progress=progress,
        progress_ratio=progress / _recorded_progress(scenario, start),
        duration=count * STEP_S,
        min_road_margin=jnp.min(jnp.where(valid, steps.road_margin, jnp.inf)),
        max_speed_over_limit=jnp.max(jnp.where(valid, steps.speed_over_limit, 0.0)),
        min_time_to_collision=jnp.min(jnp.where(valid, steps.time_to_collision, jnp.inf)),
        max_acceleration=_largest(steps.acceleration, valid),
        max_lateral_acceleration=_largest(steps.lateral_acceleration, valid),
        max_jerk=_largest(steps.jerk, valid),
        max_lateral_jerk=_largest(steps.lateral_jerk, valid),
        mean_squared_jerk=jnp.sum(squared) / jnp.maximum(count, 1),
        reversals_per_minute=jnp.sum(steps.reversal & valid) / jnp.maximum(minutes, STEP_S / 60.0),
    )


def _recorded_progress(scenario: Scenario, start: SimState) -> Float[Array, ""]:
    """Metres that the recorded ego went along the route from the start on; NaN below 1 m."""
    along = jnp.asarray(scenario.log.ego)[:, 4]
    metres = along[-1] - along[start.step]
    return jnp.where(metres >= LEAST_PROGRESS_M, metres, jnp.nan)


def _any_other(start: SimState) -> Bool[Array, ""]:
    """Whether an agent other than the recorded ego (the lowest bit) overlapped at the start."""
    return (start.ignored[0] > 1) | jnp.any(start.ignored[1:] != 0)


def _any(event: Bool[Array, "T"], valid: Bool[Array, "T"]) -> Bool[Array, ""]:
    return jnp.any(event & valid)


def _largest(value: Float[Array, "T"], valid: Bool[Array, "T"]) -> Float[Array, ""]:
    return jnp.max(jnp.where(valid, jnp.abs(value), 0.0))
