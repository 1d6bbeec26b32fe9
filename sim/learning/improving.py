"""Reinforcement learning: proximal policy optimisation on V-trace targets, actors and learner in one program.

An actor drives its scenes for a sequence of steps and goes on from there in the next one; a scene whose episode
is over is replaced by another, drawn by weight. The learner may be newer than the actor was: V-trace corrects for it.

Axes: T steps of a sequence, B scenes driven at once, N scenes of the store.

Source: Schulman et al. 2017 (clipped surrogate); Espeholt et al. 2018 (V-trace); Harmel et al. 2023, section 3.5
(both together for driving, from a cloned policy on).
"""

from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32, PRNGKeyArray

from sim.learning.choices import log_probability
from sim.learning.driving import Thought, exploring
from sim.learning.losses import Experience, ImprovementSpec, improvement_loss
from sim.learning.state import Learner, OptimiserSpec, Terms, improved
from sim.learning.vtrace import vtrace
from sim.measures.record import EpisodeMetrics
from sim.networks import NetworkSpec, Outputs, Parameters, apply
from sim.observation.observe import observe
from sim.observation.record import Observation
from sim.rewards import NEVER, DoneSpec
from sim.rolling import RolloutSpec, rollout
from sim.scenario.record import Leaf, Scenario
from sim.state import SimState
from sim.stepping import reset


@dataclass(frozen=True)
class ImproveSpec:
    """How a policy is improved. The defaults are the published ones."""

    loss: ImprovementSpec = field(default_factory=ImprovementSpec)
    optimiser: OptimiserSpec = field(default_factory=lambda: OptimiserSpec(learning_rate=5.6e-5))
    scenes: int = 512
    """Driven at once."""
    sequence: int = 32
    """Steps of each before the learner is asked."""
    discount: float = 0.99
    trace: float = 1.0
    """How much of what was lived through later counts against the value, from step to step; see `vtrace`."""
    passes: int = 1
    """How often every sequence is learned from."""
    parts: int = 1
    """Updates a pass; the scenes are dealt anew in each."""
    kept_advantages: float = 0.0
    """Steps whose advantage is below this share of the largest teach nothing; 0 for all."""

    def __post_init__(self) -> None:
        """Raises: ValueError where the scenes cannot be dealt into equal parts."""
        if self.scenes % self.parts:
            raise ValueError(f"{self.scenes} scenes in {self.parts} parts: must divide evenly")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Actors:
    """The scenes that are being driven, and where each drive is."""

    scene: Int32[Leaf, "*b B"]
    """Row of the store."""
    state: SimState


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sequences:
    """What the actors lived through: [T, B], observations [T + 1, B]."""

    observation: Observation
    action: Int32[Array, "*b T B 2"]
    log_probability: Float[Array, "*b T B"]
    """Under the policy that acted."""
    reward: Float[Array, "*b T B"]
    goes_on: Bool[Array, "*b T B"]
    """The step led to another one of the same episode."""
    valid: Bool[Array, "*b T B"]


@partial(jax.jit, static_argnames=("spec", "drive"))
def start(
    store: Scenario, chance: Float[Array, "N"], key: PRNGKeyArray, *, spec: ImproveSpec, drive: RolloutSpec
) -> Actors:
    """Begin as many drives as the spec asks for, in scenes drawn by their chance, anywhere in their recordings."""
    return _fresh(store, chance, key, count=spec.scenes, drive=drive)


def act(
    store: Scenario,
    chance: Float[Array, "N"],
    actors: Actors,
    parameters: Parameters,
    key: PRNGKeyArray,
    *,
    network: NetworkSpec,
    spec: ImproveSpec,
    drive: RolloutSpec,
) -> tuple[Actors, Sequences, EpisodeMetrics]:
    """Drive on for a sequence; scenes that are over are replaced afterwards. Metrics are those of the sequences."""
    driving, replacing = jax.random.split(key)
    scenes: Scenario = jax.tree.map(lambda leaf: jnp.asarray(leaf)[actors.scene], store)
    how = replace(drive, steps=spec.sequence, keep_observations=True, done=_ends(drive))
    policy = exploring(network, parameters, actions=drive.actions)
    drove = rollout(scenes, policy, driving, spec=how, states=actors.state)
    steps, final = drove.transitions, drove.final
    assert steps.observation is not None and steps.action is not None
    assert isinstance(steps.outputs, Thought)
    last = jax.vmap(partial(observe, spec=drive.observation))(scenes, final)
    seen = jax.tree.map(lambda every, end: jnp.concatenate([every, end[None]]), steps.observation, last)
    more = jax.vmap(lambda scene, state: state.step < jnp.asarray(scene.log.steps) - 1)(scenes, final)
    beyond = jnp.concatenate([steps.valid[1:], more[None]])
    lived = Sequences(
        observation=seen,
        action=steps.action,
        log_probability=steps.outputs.log_probability,
        reward=steps.reward,
        goes_on=steps.valid & ~steps.done & beyond,
        valid=steps.valid,
    )
    over = ~lived.goes_on[-1]
    fresh = _fresh(store, chance, replacing, count=spec.scenes, drive=drive)
    return _where(over, fresh, Actors(actors.scene, final)), lived, drove.episodes


def learn(
    learner: Learner,
    lived: Sequences,
    key: PRNGKeyArray,
    *,
    network: NetworkSpec,
    counts: tuple[int, int],
    spec: ImproveSpec,
    reference: Parameters | None = None,
    axis: str | None = None,
) -> tuple[Learner, Terms]:
    """Improve on sequences of this or of an older policy. Gives the mean of each term over the updates."""
    size = spec.scenes // spec.parts

    def update(learner: Learner, rows: Int32[Array, "b"]) -> tuple[Learner, Terms]:
        drawn: Sequences = jax.tree.map(lambda leaf: leaf[:, rows], lived)

        def loss(parameters: Parameters) -> tuple[Float[Array, ""], Terms]:
            outputs = apply(network, parameters, drawn.observation, actions=counts)
            now: Outputs = jax.tree.map(lambda leaf: leaf[:-1], outputs)
            cloned = None
            if reference is not None:
                before = jax.tree.map(lambda leaf: leaf[:-1], drawn.observation)
                cloned = apply(network, reference, before, actions=counts)
            experience = _experience(outputs, drawn, spec)
            return improvement_loss(now, experience, spec.loss, reference=cloned, updates=jnp.asarray(learner.updates))

        return improved(learner, loss, spec.optimiser, axis=axis)

    orders = [jax.random.permutation(one, spec.scenes) for one in jax.random.split(key, spec.passes)]
    learner, terms = jax.lax.scan(update, learner, jnp.stack(orders).reshape(-1, size))
    return learner, jax.tree.map(jnp.mean, terms)


@partial(jax.jit, static_argnames=("network", "spec", "drive"), donate_argnames=("learner", "actors"))
def iterate(
    learner: Learner,
    actors: Actors,
    store: Scenario,
    chance: Float[Array, "N"],
    key: PRNGKeyArray,
    *,
    network: NetworkSpec,
    spec: ImproveSpec,
    drive: RolloutSpec,
    reference: Parameters | None = None,
) -> tuple[Learner, Actors, Terms]:
    """Act, then learn: one iteration on one device. The terms also tell how the sequences went.

    The key of iteration n is fold_in(run key, n), so that a run that goes on from a checkpoint is the same run.
    """
    acting, learning = jax.random.split(key)
    actors, lived, episodes = act(
        store, chance, actors, learner.parameters, acting, network=network, spec=spec, drive=drive
    )
    learner, terms = learn(
        learner, lived, learning, network=network, counts=drive.actions.counts, spec=spec, reference=reference
    )
    return learner, actors, {**terms, **lived_through(lived, episodes)}


def lived_through(lived: Sequences, episodes: EpisodeMetrics) -> Terms:
    """How sequences went: valid steps, reward of such a step, and the share of the scenes with a failure."""
    steps = lived.valid.sum()
    return {
        "steps": steps.astype(jnp.float32),
        "reward": (lived.reward * lived.valid).sum() / jnp.maximum(steps, 1),
        "failures": episodes.failure.mean(),
    }


def _experience(outputs: Outputs, lived: Sequences, spec: ImproveSpec) -> Experience:
    """V-trace targets under the learner's own values."""
    now: Outputs = jax.tree.map(lambda leaf: leaf[:-1], outputs)
    log_rho = log_probability(now, lived.action) - lived.log_probability
    discount = spec.discount * lived.goes_on
    targets = jax.vmap(
        lambda rho, before, after, reward, discount: vtrace(
            rho, before, after, r_t=reward, discount_t=discount, trace=spec.trace
        ),
        in_axes=1,
        out_axes=1,
    )(log_rho, now.value, outputs.value[1:], jnp.where(lived.valid, lived.reward, 0.0), discount)
    valid = lived.valid
    if spec.kept_advantages:
        size = jnp.abs(targets.advantage) * valid
        valid = valid & (size >= spec.kept_advantages * size.max())
    return Experience(
        action=lived.action,
        log_probability=lived.log_probability,
        value=targets.value,
        advantage=targets.advantage,
        valid=valid,
    )


def _ends(drive: RolloutSpec) -> DoneSpec:
    """In training events end an episode, whatever the spec says for evaluation."""
    return DoneSpec() if drive.done == NEVER else drive.done


def _fresh(store: Scenario, chance: Float[Array, "N"], key: PRNGKeyArray, *, count: int, drive: RolloutSpec) -> Actors:
    choosing, placing = jax.random.split(key)
    scene = jax.random.choice(choosing, chance.shape[0], (count,), p=chance / chance.sum())
    scenes: Scenario = jax.tree.map(lambda leaf: jnp.asarray(leaf)[scene], store)
    latest = jnp.maximum(jnp.asarray(scenes.log.steps) - 2, 1)
    # Half of the drives begin where their recording does, as in evaluation; the others anywhere in it.
    share = jax.random.uniform(placing, (count, 2))
    first = jnp.where(share[:, 0] < 0.5, 0, jnp.floor(share[:, 1] * latest)).astype(jnp.int32)
    state = jax.vmap(partial(reset, limits=drive.limits, reactive=drive.reactive))(scenes, first)
    return Actors(scene.astype(jnp.int32), state)


def _where(over: Bool[Array, "B"], fresh: Actors, going_on: Actors) -> Actors:
    def choose(new: Array, old: Array) -> Array:
        return jnp.where(over.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    chosen: Actors = jax.tree.map(choose, fresh, going_on)
    return chosen
