"""All metrics of one step: a pure function of the states before and after it."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int8, Int16

from sim.lookup import row
from sim.measures.agents import measure_agents
from sim.measures.ground import border_points, measure_ground
from sim.measures.record import MetricSpec, StepMetrics
from sim.measures.route import against_route, crossed_lines, on_its_way, over_limit
from sim.scenario.record import STEP_S, Scenario
from sim.state import SimState
from sim.stepping import running
from sim.view import axes_of

_SPEC = MetricSpec()


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Moment:
    """What the log tells of one step."""

    agents: Int16[Array, "*b 6 A"]
    """When it ends."""
    lights_before: Int8[Array, "*b S"]
    lights_after: Int8[Array, "*b S"]


def moment_at(scenario: Scenario, after: SimState) -> Moment:
    """What the log tells of the step that ends in a state, and the traffic where it reacts."""
    step = after.step
    return Moment(
        agents=row(scenario.log.states, step) if after.traffic is None else after.traffic.states,
        lights_before=row(scenario.route.lights, step - 1),
        lights_after=row(scenario.route.lights, step),
    )


def metrics(scenario: Scenario, before: SimState, after: SimState, *, spec: MetricSpec = _SPEC) -> StepMetrics:
    """What happened between two states, one step apart."""
    return metrics_of(scenario, moment_at(scenario, after), (before, after), spec=spec)


def metrics_of(
    scenario: Scenario, moment: Moment, states: tuple[SimState, SimState], *, spec: MetricSpec
) -> StepMetrics:
    """The same with the log already looked up, so that the steps of an episode read it in one sweep."""
    before, after = states
    motion, axes = after.motion, axes_of(after.motion)
    size = jnp.asarray(scenario.log.sizes)[0]
    collision, at_fault, time = measure_agents(scenario.log, moment.agents, after, moving_mps=spec.moving_mps)
    margins, _ = measure_ground(scenario.ground, *border_points(motion.x, motion.y, axes, size=size))
    _, on_route = measure_ground(scenario.ground, motion.x[None], motion.y[None])
    margin = jnp.min(margins)
    lights = (moment.lights_before, moment.lights_after)
    red_light, stop_line = crossed_lines(scenario.route, lights, states, half_length=0.5 * size[0], spec=spec)
    lateral, lateral_before = _lateral(after), _lateral(before)
    return StepMetrics(
        valid=running(scenario, after),
        collision=collision,
        at_fault=at_fault,
        off_road=margin < -spec.off_road_m,
        off_route=~on_route[0] & on_its_way(scenario.route, after),
        red_light=red_light,
        stop_line=stop_line,
        wrong_way=against_route(scenario.route, after, axes, moving_mps=spec.moving_mps),
        reversal=after.turned * before.turned < 0.0,
        progress=after.distance - before.distance,
        road_margin=margin,
        speed_over_limit=over_limit(scenario.route, after.distance, motion.speed),
        time_to_collision=time,
        acceleration=motion.acceleration,
        lateral_acceleration=lateral,
        jerk=(motion.acceleration - before.motion.acceleration) / STEP_S,
        lateral_jerk=(lateral - lateral_before) / STEP_S,
    )


def _lateral(state: SimState) -> Array:
    return state.motion.speed * state.motion.yaw_rate
