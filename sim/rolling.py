"""Rollouts: thousands of scenes driven at once, policy and simulator in one compiled program.

Only what the next step needs is computed step by step: the ego's motion, its place on the route, and what the
policy sees. Metrics are functions of two states, so those of the whole episode follow in one sweep over the log:
a handful of kernels for an episode instead of a handful for each step.

Axes: T steps, B scenes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int32, PRNGKeyArray

from sim.actions import ActionSpec, decode
from sim.drivers import Decision, Policy, View
from sim.dynamics import VehicleLimits
from sim.measures.episode import episode_metrics
from sim.measures.record import EpisodeMetrics, MetricSpec, StepMetrics
from sim.measures.step import Moment, metrics_of, moment_at
from sim.observation.observe import observe
from sim.observation.record import Observation, ObservationSpec
from sim.rewards import NEVER, DoneSpec, RewardSpec, done, reward
from sim.scenario.record import Scenario
from sim.state import SimState
from sim.stepping import follow_log, reset, step


@dataclass(frozen=True)
class RolloutSpec:
    """How scenes are driven and judged."""

    steps: int | None = None
    """How many; None for as many as the scenarios have room for."""
    keep_observations: bool = False
    """Give back what the policy saw at each step: for learning, and large."""
    reactive: bool = False
    """Agents that follow the ego brake for it (see sim.reacting); without, everybody replays the log."""
    actions: ActionSpec = field(default_factory=ActionSpec)
    limits: VehicleLimits = field(default_factory=VehicleLimits)
    observation: ObservationSpec = field(default_factory=ObservationSpec)
    metrics: MetricSpec = field(default_factory=MetricSpec)
    reward: RewardSpec = field(default_factory=RewardSpec)
    done: DoneSpec = NEVER
    """What ends an episode: nothing in evaluation, `DoneSpec()` in training."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Transition:
    """One step of each scene: what was seen and done at t, and what came of it."""

    state: SimState
    """[T, B] before the step."""
    observation: Observation | None
    """[T, B] before the step; None unless kept."""
    action: Int32[Array, "T B 2"] | None
    """None where the policy replays the log."""
    outputs: Any
    """What the policy gave besides, [T, B]."""
    reward: Float[Array, "T B"]
    done: Bool[Array, "T B"]
    """The episode ended with this step, by an event and not by the end of the recording."""
    valid: Bool[Array, "T B"]
    """The step lies within the recording and the episode had not ended before it."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rollout:
    """What a batch of episodes gave."""

    transitions: Transition
    metrics: StepMetrics
    """[T, B]"""
    episodes: EpisodeMetrics
    """[B]"""
    final: SimState
    """[B] after the last step."""


_SPEC = RolloutSpec()


def rollout(
    scenarios: Scenario,
    policy: Policy,
    key: PRNGKeyArray,
    *,
    spec: RolloutSpec = _SPEC,
    guide: Any = None,
    states: SimState | None = None,
    mesh: Mesh | None = None,
) -> Rollout:
    """Drive a batch of scenes.

    `guide` is anything with B in front that the policy gets scene by scene. `states` go on from where an earlier
    rollout ended; without them all scenes begin where their recordings begin. With a `mesh` of one axis the
    batch is split over its devices.

    Raises: ValueError where the batch cannot be split evenly, or `spec.steps` is more than the scenarios have.
    """
    room = scenarios.log.states.shape[1] - 1
    if spec.steps is not None and not 1 <= spec.steps <= room:
        raise ValueError(f"{spec.steps} steps: the scenarios have room for 1 to {room}")
    driver = jax.tree_util.Partial(policy) if jax.tree_util.all_leaves([policy]) else policy
    spec = replace(spec, steps=spec.steps or room)
    result: Rollout = compiled(scenarios, driver, key, guide, states, spec=spec, mesh=mesh)
    return result


def rollouts(
    batches: Iterable[Scenario],
    policy: Policy,
    key: PRNGKeyArray,
    *,
    spec: RolloutSpec = _SPEC,
    guide: Callable[[Scenario], Any] | None = None,
    mesh: Mesh | None = None,
) -> Iterator[Rollout]:
    """Drive batch after batch of equal shapes; the next one goes to the device while this one is driven.

    Batch n is driven with fold_in(key, n), and with the guide that `guide` makes of it.
    """
    upcoming = (_on_device(batch, mesh) for batch in batches)
    batch = next(upcoming, None)
    number = 0
    while batch is not None:
        guided = None if guide is None else guide(batch)
        result = rollout(batch, policy, jax.random.fold_in(key, number), spec=spec, guide=guided, mesh=mesh)
        batch = next(upcoming, None)  # The device works on `result` meanwhile: nothing has waited for it.
        yield result
        number += 1


def _on_device(batch: Scenario, mesh: Mesh | None) -> Scenario:
    where = None if mesh is None else NamedSharding(mesh, PartitionSpec(mesh.axis_names[0]))
    placed: Scenario = jax.device_put(batch, where)
    return placed


@partial(jax.jit, static_argnames=("spec", "mesh"))
def compiled(
    scenarios: Scenario,
    policy: Policy,
    key: PRNGKeyArray,
    guide: Any,
    states: SimState | None,
    *,
    spec: RolloutSpec,
    mesh: Mesh | None,
) -> Rollout:
    """The program behind `rollout`, to be lowered and looked at; `policy` a pytree and `spec` with its steps."""
    count = scenarios.log.states.shape[0]
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(count))
    drive = partial(_drive, spec=spec)
    if mesh is None:
        return drive(scenarios, policy, keys, guide, states)
    axis = mesh.axis_names[0]
    if count % mesh.size:
        raise ValueError(f"{count} scenes on {mesh.size} devices: the batch must be a multiple of the devices")
    scene, moment = PartitionSpec(axis), PartitionSpec(None, axis)

    def parts(*arguments: Any) -> tuple[Transition, StepMetrics, EpisodeMetrics, SimState]:
        result = drive(*arguments)
        return result.transitions, result.metrics, result.episodes, result.final

    inputs, outputs = (scene, PartitionSpec(), scene, scene, scene), (moment, moment, scene, scene)
    sharded = jax.shard_map(parts, mesh=mesh, in_specs=inputs, out_specs=outputs, check_vma=False)
    return Rollout(*sharded(scenarios, policy, keys, guide, states))


def _drive(
    scenarios: Scenario, policy: Policy, keys: Array, guide: Any, states: SimState | None, *, spec: RolloutSpec
) -> Rollout:
    """The rollout of the scenes of one device."""
    in_step = states is None
    if states is None:
        states = jax.vmap(partial(reset, limits=spec.limits, reactive=spec.reactive))(scenarios)

    def one_step(states: SimState, number: Int32[Array, ""]) -> tuple[SimState, tuple[Any, ...]]:
        def one_scene(scenario: Scenario, state: SimState, key: PRNGKeyArray, guide: Any) -> tuple[SimState, Any]:
            if in_step:  # The same number for all scenes: they read the same row of their logs.
                state = replace(state, step=number)
            seen = observe(scenario, state, spec=spec.observation)
            decision = policy(View(seen, state, scenario, guide), jax.random.fold_in(key, state.step))
            kept = seen if spec.keep_observations else None
            return _advanced(scenario, state, decision, spec), (kept, decision.action, decision.outputs)

        after, kept = jax.vmap(one_scene)(scenarios, states, keys, guide)
        return after, (states, *kept)

    assert spec.steps is not None
    final, (before, observation, action, outputs) = jax.lax.scan(one_step, states, jnp.arange(spec.steps))
    after = jax.tree.map(lambda steps, last: jnp.concatenate([steps[1:], last[None]]), before, final)
    steps = _measured(scenarios, before, after, spec, in_step=in_step)
    ended = done(steps, spec.done)
    steps = replace(steps, valid=steps.valid & ~_ended_before(ended))
    transitions = Transition(
        state=before,
        observation=observation,
        action=action,
        outputs=outputs,
        reward=reward(steps, spec.reward),
        done=ended & steps.valid,
        valid=steps.valid,
    )
    episodes = jax.vmap(episode_metrics, in_axes=(0, 0, 1))(scenarios, states, steps)
    return Rollout(transitions=transitions, metrics=steps, episodes=episodes, final=final)


def _advanced(scenario: Scenario, state: SimState, decision: Decision, spec: RolloutSpec) -> SimState:
    if decision.action is None:
        return follow_log(scenario, state, limits=spec.limits)
    return step(scenario, state, decode(decision.action, spec.actions), limits=spec.limits)


def _measured(
    scenarios: Scenario, before: SimState, after: SimState, spec: RolloutSpec, *, in_step: bool
) -> StepMetrics:
    """[T, B] metrics of all steps at once."""

    def one_scene(scenario: Scenario, before: SimState, after: SimState) -> StepMetrics:
        count = after.step.shape[0]
        if in_step and after.traffic is None:
            log, lights = jnp.asarray(scenario.log.states), jnp.asarray(scenario.route.lights)
            moments = Moment(log[1 : count + 1], lights[:count], lights[1 : count + 1])
        else:
            moments = jax.vmap(partial(moment_at, scenario))(after)
        return jax.vmap(lambda moment, *states: metrics_of(scenario, moment, states, spec=spec.metrics))(
            moments, before, after
        )

    return jax.vmap(one_scene, in_axes=(0, 1, 1), out_axes=1)(scenarios, before, after)


def _ended_before(ended: Bool[Array, "T B"]) -> Bool[Array, "T B"]:
    """Whether a step lies behind the first that ended its episode."""
    numbers = jnp.arange(ended.shape[0])[:, None]
    return (numbers > jnp.argmax(ended, axis=0)) & jnp.any(ended, axis=0)
