"""Behaviour cloning: the recorded drive, in bins, becomes what policy and value learn.

Axes: T steps, B scenes, N steps of a batch.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, PRNGKeyArray

from sim.actions import expert_actions
from sim.drivers import replay_actions
from sim.learning.losses import CloningSpec, Demonstration, cloning_loss, discounted_returns
from sim.learning.state import Learner, OptimiserSpec, Terms, improved
from sim.networks import NetworkSpec, apply
from sim.observation.record import Observation
from sim.rolling import RolloutSpec, rollout
from sim.scenario.record import Scenario


@dataclass(frozen=True)
class CloneSpec:
    """How a policy is cloned. The defaults are the published ones; on two cores take a batch of hundreds."""

    loss: CloningSpec = field(default_factory=CloningSpec)
    optimiser: OptimiserSpec = field(default_factory=lambda: OptimiserSpec(learning_rate=2e-3))
    batch: int = 32768
    """Steps of one update."""
    discount: float = 0.99
    most_tracking_error_m: float = 1.0
    """Recorded steps that the bins cannot follow more closely than this teach nothing."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Lessons:
    """What experts saw, did and earned, step by step."""

    observation: Observation
    action: Int32[Array, "*b 2"]
    value: Float[Array, "*b"]
    weight: Float[Array, "*b"]
    """0 where there is nothing to learn: padding, or a step that the bins could not follow."""


@partial(jax.jit, static_argnames=("drive", "spec"))
def lessons_of(scenarios: Scenario, key: PRNGKeyArray, *, drive: RolloutSpec, spec: CloneSpec) -> Lessons:
    """Drive a batch of scenes by their experts' own bins: [T, B].

    The value is the discounted return of that drive until its recording ends.
    """
    expert = jax.vmap(partial(expert_actions, spec=drive.actions, limits=drive.limits))(scenarios)
    seen = replace(drive, keep_observations=True)
    drove = rollout(scenarios, replay_actions, key, spec=seen, guide=expert.action).transitions
    assert drove.observation is not None and drove.action is not None
    discount = spec.discount * drove.valid
    back = jax.vmap(discounted_returns, in_axes=(1, 1, 0), out_axes=1)
    nothing_behind = jnp.zeros(drove.reward.shape[1])
    followed = expert.position_error.T[: drove.valid.shape[0]] <= spec.most_tracking_error_m
    return Lessons(
        observation=drove.observation,
        action=drove.action,
        value=back(drove.reward, discount, nothing_behind),
        weight=(drove.valid & followed).astype(jnp.float32),
    )


def flattened(lessons: Lessons) -> Lessons:
    """[T, B] as [T B] steps."""
    flat: Lessons = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), lessons)
    return flat


@partial(jax.jit, static_argnames=("network", "counts", "spec", "updates"), donate_argnames=("learner",))
def cloned(
    learner: Learner,
    lessons: Lessons,
    key: PRNGKeyArray,
    *,
    network: NetworkSpec,
    counts: tuple[int, int],
    spec: CloneSpec,
    updates: int,
) -> tuple[Learner, Terms]:
    """Learn from lessons [N] for some updates, each on a batch drawn by weight. Gives the terms of each, [updates]."""
    chance = lessons.weight / jnp.maximum(lessons.weight.sum(), 1.0)

    def update(learner: Learner, key: PRNGKeyArray) -> tuple[Learner, Terms]:
        rows = jax.random.choice(key, chance.shape[0], (min(spec.batch, chance.shape[0]),), p=chance)
        drawn: Lessons = jax.tree.map(lambda leaf: leaf[rows], lessons)
        shown = Demonstration(drawn.action, drawn.value, drawn.weight)
        return improved(
            learner,
            lambda parameters: cloning_loss(
                apply(network, parameters, drawn.observation, actions=counts), shown, spec.loss
            ),
            spec.optimiser,
        )

    return jax.lax.scan(update, learner, jax.random.split(key, updates))
