"""Behaviour cloning: the recorded drive, in bins, becomes what policy and value learn.

Axes: T steps, B scenes, N steps of a batch.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int32, PRNGKeyArray

from sim.actions import keeping_action
from sim.drivers import Decision, View
from sim.learning.losses import CloningSpec, Demonstration, cloning_loss, discounted_returns
from sim.learning.state import Learner, OptimiserSpec, Terms, improved
from sim.networks import NetworkSpec, apply
from sim.observation.record import Observation
from sim.rolling import RolloutSpec, rollout
from sim.scenario.record import Scenario
from sim.stepping import recorded_motion

_GUST_STEPS = 5
"""A gust lasts a second."""


@dataclass(frozen=True)
class CloneSpec:
    """How a policy is cloned. The defaults are the published ones; on two cores take a batch of hundreds."""

    loss: CloningSpec = field(default_factory=CloningSpec)
    optimiser: OptimiserSpec = field(default_factory=lambda: OptimiserSpec(learning_rate=2e-3))
    batch: int = 32768
    """Steps of one update."""
    discount: float = 0.99
    most_tracking_error_m: float = 2.0
    """Steps at which the car is farther than this from the recorded one teach nothing: the bins could not follow."""
    gusts: float = 0.0
    """Share of the seconds in which a gust turns the wheel, so that recoveries can be learned; 0 for none."""
    gust_bins: float = 4.0
    """Standard deviation of a gust, in bins of the steering rate."""


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
    """Drive a batch of scenes as their experts did, blown aside now and then: [T, B].

    The action is what brings the car back to the recorded drive from wherever it is, gust or none; so a clone learns
    what no recording shows, the way back into the lane. Gusts act on steering alone: along the road the way back to
    a recording depends on what its driver was to do next, which a clone cannot see. The value is the discounted
    return of the drive until it ends.

    Source: Laskey et al. 2017 (noise in the demonstrations).
    """
    policy = Partial(partial(_expert_in_gusts, drive, spec))
    seen = replace(drive, keep_observations=True)
    count = scenarios.log.steps.shape[0]
    drove = rollout(scenarios, policy, key, spec=seen, guide=jax.random.split(key, count)).transitions
    assert drove.observation is not None and drove.action is not None
    right, apart = drove.outputs
    discount = spec.discount * drove.valid
    back = jax.vmap(discounted_returns, in_axes=(1, 1, 0), out_axes=1)
    nothing_behind = jnp.zeros(drove.reward.shape[1])
    followed = apart <= spec.most_tracking_error_m
    return Lessons(
        observation=drove.observation,
        action=right,
        value=back(drove.reward, discount, nothing_behind),
        weight=(drove.valid & followed).astype(jnp.float32),
    )


def _expert_in_gusts(drive: RolloutSpec, spec: CloneSpec, view: View, key: PRNGKeyArray) -> Decision:
    """What is done, and besides what would be right here, and how far the car is from the recorded one."""
    del key
    motion, step = view.state.motion, view.state.step
    right = keeping_action(view.scenario, motion, step, spec=drive.actions, limits=drive.limits)
    blowing, turning = jax.random.split(jax.random.fold_in(view.guide, step // _GUST_STEPS))
    blown = jax.random.uniform(blowing) < spec.gusts
    bins = jnp.round(spec.gust_bins * jax.random.normal(turning)).astype(jnp.int32)
    rate = jnp.clip(right[1] + jnp.where(blown, bins, 0), 0, drive.actions.steering_rates - 1)
    there = recorded_motion(view.scenario, step, limits=drive.limits)
    apart = jnp.hypot(motion.x - there.x, motion.y - there.y)
    return Decision(jnp.stack([right[0], rate]), (right, apart))


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
