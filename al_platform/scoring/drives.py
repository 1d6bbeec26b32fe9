"""A batch of scenes driven by every driver of a policy, and what is kept of it.

Axes: M drivers, D drives of each, B scenes, T steps, K classes. A scene's numbers depend on the scene and its seed
alone, not on the batch that it comes in: its drawn actions have their own seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Bool, Float, PRNGKeyArray, UInt32
from numpy.typing import NDArray

from acquisition.measures import FrameMeasures
from acquisition.scenes import action_measures, outcome_measures, progress_measures, surprise_measures
from al_platform.domain.driving import OUTCOMES, PolicyModel
from al_platform.policies.stored import Drivers
from al_platform.scoring.measures import MEASURES, PoolMeasures
from sim.actions import ActionSpec, expert_actions
from sim.drivers import Decision, View, replay_actions
from sim.learning.choices import sample
from sim.learning.driving import greedy
from sim.networks import NetworkSpec, Outputs, Parameters, apply
from sim.observation.record import Observation
from sim.rolling import RolloutSpec, rollout
from sim.scenario.record import Scenario

TOLERANCE_BINS = (2.0, 1.0)
"""Bins of acceleration (0.1 m/s^2 each) and of steering rate so near to each other that both drive alike."""
MOST_TRACKING_ERROR_M = 1.0
"""Recorded steps that the bins cannot follow more closely than this say nothing of drivers."""

_EVENTS = (*OUTCOMES, "failure")


@dataclass(frozen=True)
class SceneBatch:
    """Scenes to be driven: their arrays [B], a seed each, and which of the model's tags they carry, bool [B, tags]."""

    scenarios: Scenario
    seeds: UInt32[NDArray[np.uint32], "B"]
    tagged: Bool[NDArray[np.bool_], "B tags"]


def measures_of(drivers: Drivers, model: PolicyModel, batch: SceneBatch) -> PoolMeasures:
    """Drive the scenes and give the measures of every class, each [B, K]."""
    happened, progress = _driven(drivers, model, batch)
    along = _along_recording(drivers, batch.scenarios)
    outcomes, failure = outcome_measures(happened[..., :-1]), outcome_measures(happened[..., -1:])
    parts = [outcomes, *(_as_column(part) for part in (*along, progress_measures(progress)))]
    parts += [_where(batch.tagged[:, column], failure) for column in range(len(model.tags))]
    joined = jax.tree.map(lambda *columns: np.concatenate([np.asarray(each) for each in columns], axis=1), *parts)
    return PoolMeasures(*(getattr(joined, name) for name in MEASURES))


def _driven(drivers: Drivers, model: PolicyModel, batch: SceneBatch) -> tuple[Array, Array]:
    """Shares of each driver's drives in which each event came about, [M, B, events], and metres, [M, D, B]."""
    # Traffic minds the ego, or drivers would be told apart by who replays a recording into their back.
    spec = RolloutSpec(reactive=True, actions=drivers.actions, observation=drivers.observation)
    drawn = bool(model.drives)
    happened, progress = [], []
    for number in range(drivers.members):
        drives = [
            _drive(
                drivers.member(number),
                batch.scenarios,
                guides_of(batch.seeds, drive),
                network=drivers.network,
                spec=spec,
                drawn=drawn,
            )
            for drive in range(max(1, model.drives))
        ]
        happened.append(jnp.stack([events for events, _ in drives]).mean(axis=0))
        progress.append(jnp.stack([metres for _, metres in drives]))
    return jnp.stack(happened), jnp.stack(progress)


def guides_of(seeds: UInt32[NDArray[np.uint32], "B"], drive: int) -> UInt32[NDArray[np.uint32], "B 2"]:
    """Seeds of a drive. All drivers have the same ones, so that luck alone makes no two of them differ."""
    return np.stack([seeds, np.full_like(seeds, drive)], axis=1)


def drawing(network: NetworkSpec, parameters: Parameters, *, actions: ActionSpec) -> Partial:
    """A policy that draws its actions by the seeds of its drive, which are its guide."""
    return Partial(_bound(network, actions.counts), parameters)


@cache
def _bound(network: NetworkSpec, counts: tuple[int, int]) -> Callable[..., Decision]:
    """The same object for the same network, so that drives by other parameters need no compilation."""
    return partial(_draw, network, counts)


def _draw(
    network: NetworkSpec, counts: tuple[int, int], parameters: Parameters, view: View, key: PRNGKeyArray
) -> Decision:
    del key  # it tells the place in the batch
    outputs = apply(network, parameters, view.observation, actions=counts)
    own = jax.random.fold_in(jax.random.key(view.guide[0]), view.guide[1])
    return Decision(sample(outputs, jax.random.fold_in(own, view.state.step)))


@partial(jax.jit, static_argnames=("network", "spec", "drawn"))
def _drive(
    parameters: Parameters,
    scenarios: Scenario,
    guides: UInt32[Array, "B 2"],
    *,
    network: NetworkSpec,
    spec: RolloutSpec,
    drawn: bool,
) -> tuple[Float[Array, "B events"], Float[Array, "B"]]:
    if drawn:
        policy = drawing(network, parameters, actions=spec.actions)
    else:
        policy = greedy(network, parameters, actions=spec.actions)
    episodes = rollout(scenarios, policy, jax.random.key(0), spec=spec, guide=guides).episodes
    happened = jnp.stack([getattr(episodes, name) for name in _EVENTS], axis=-1)
    return happened.astype(jnp.float32), episodes.progress


def _along_recording(drivers: Drivers, scenarios: Scenario) -> tuple[FrameMeasures, FrameMeasures]:
    """Measures of the action and of the surprise, each [B]."""
    spec = RolloutSpec(actions=drivers.actions, observation=drivers.observation, keep_observations=True)
    measures: tuple[FrameMeasures, FrameMeasures] = _judged(
        drivers.parameters, scenarios, network=drivers.network, spec=spec
    )
    return measures


@partial(jax.jit, static_argnames=("network", "spec"))
def _judged(
    parameters: Parameters, scenarios: Scenario, *, network: NetworkSpec, spec: RolloutSpec
) -> tuple[FrameMeasures, FrameMeasures]:
    expert = jax.vmap(partial(expert_actions, spec=spec.actions, limits=spec.limits))(scenarios)
    drove = rollout(scenarios, replay_actions, jax.random.key(0), spec=spec, guide=expert.action).transitions
    assert drove.observation is not None and drove.action is not None
    seen: Observation = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, 1), drove.observation)
    taken, valid = jnp.moveaxis(drove.action, 0, 1), drove.valid.T
    valid &= expert.position_error[:, : valid.shape[1]] <= MOST_TRACKING_ERROR_M

    def thought(own: Parameters) -> Outputs:
        return apply(network, own, seen, actions=spec.actions.counts)

    said = jax.lax.map(thought, parameters)
    logits = (said.acceleration, said.steering_rate)
    values = jnp.asarray(spec.actions.acceleration_values())
    action = action_measures(logits, taken, valid, values=values, tolerance_bins=TOLERANCE_BINS)
    return action, surprise_measures(logits, taken, valid)


def _as_column(measures: FrameMeasures) -> FrameMeasures:
    column: FrameMeasures = jax.tree.map(lambda values: values[:, None], measures)
    return column


def _where(tagged: NDArray[np.bool_], measures: FrameMeasures) -> FrameMeasures:
    """The same measures where a scene carries the tag, and nothing to learn elsewhere."""
    shown: FrameMeasures = jax.tree.map(lambda values: jnp.where(tagged[:, None], values, 0.0), measures)
    return replace(shown, aleatoric_share=jnp.where(tagged[:, None], measures.aleatoric_share, 1.0))
