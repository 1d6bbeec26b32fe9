"""The whole observation of one scene at one step."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int16, Int32

from sim.lookup import in_memory, row
from sim.observation.agents import observe_agents
from sim.observation.ego import observe_ego, remaining
from sim.observation.record import Observation, ObservationSpec
from sim.observation.roads import observe_borders, observe_roads
from sim.scenario.record import Leaf, Scenario
from sim.state import SimState
from sim.view import Axes, axes_of

_SPEC = ObservationSpec()


def observe(scenario: Scenario, state: SimState, *, spec: ObservationSpec = _SPEC) -> Observation:
    """What the ego sees in this state."""
    if state.traffic is None:
        states, axes = in_memory(_now, state.step, scenario.log.states, state.motion.heading)
    else:
        states, axes = state.traffic.states, axes_of(state.motion)
    seen = Observation(
        ego=observe_ego(scenario, state, axes),
        agents=observe_agents(scenario, state, states, axes, most=spec.agents),
        roads=observe_roads(scenario, state, axes, most=spec.roads),
        route=observe_borders(scenario.route, state, axes, points=spec.points, behind=spec.points_behind),
        value_only=jnp.zeros(0),
    )
    dtype = jnp.dtype(spec.dtype)
    narrow = jax.tree.map(lambda leaf: leaf.astype(dtype) if leaf.dtype == jnp.float32 else leaf, seen)
    return Observation(narrow.ego, narrow.agents, narrow.roads, narrow.route, value_only=remaining(scenario, state))


def _now(
    step: Int32[Array, ""], log: Int16[Leaf, "T 6 A"], heading: Float32[Array, ""]
) -> tuple[Int16[Array, "6 A"], Axes]:
    return row(log, step), (jnp.cos(heading), jnp.sin(heading))
