"""Training all members of an ensemble at once, each stopped at its best validation loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from al_platform.domain.models import ModelSpec, TrainingSpec
from al_platform.domain.progress import Pace, Progress, ReportProgress
from al_platform.errors import Stopped
from al_platform.models.base import ModelFamily, Parameters
from al_platform.training.batches import Chunk, batch_source, held_out, padded
from al_platform.training.frames import UNKNOWN, LabeledFrames
from al_platform.training.sampling import bucketed

Batch = tuple[jax.Array, jax.Array, jax.Array]
"""Inputs [B, ...], presence [B, K, H, W] and how much each member counts each frame [M, B]."""

_VALIDATION_ROWS = 256
"""Frames of its fold that a member is stopped by, at most: they stay on the device, for every member."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["parameters", "optimizer", "best_parameters", "best_loss", "best_step", "step"],
    meta_fields=[],
)
@dataclass(frozen=True)
class TrainState:
    """The whole state of a training: with the data and the key, everything that follows is determined."""

    parameters: Parameters
    optimizer: Any
    best_parameters: Parameters
    best_loss: jax.Array
    """[M] lowest validation loss so far, nats per known cell and class."""
    best_step: jax.Array
    """[M] the step at which it was reached."""
    step: jax.Array


@partial(jax.tree_util.register_dataclass, data_fields=["inputs", "presence"], meta_fields=[])
@dataclass(frozen=True)
class Folds:
    """What stops each member: the first F rows of its validation fold, [M, F, ...], padded by unknown cells."""

    inputs: jax.Array
    presence: jax.Array


@runtime_checkable
class Checkpoints(Protocol):
    """Where a training keeps its state, so that a killed one goes on."""

    def restore(self, like: TrainState) -> TrainState | None:
        """Give the newest state, None where there is none."""

    def save(self, state: TrainState, *, last: bool, stopping: bool = False) -> None:
        """Keep a state; may pass over any but one at which the training stops early."""


def fit_ensemble(
    family: ModelFamily,
    spec: ModelSpec,
    frames: LabeledFrames,
    *,
    seed: int,
    checkpoints: Checkpoints,
    report: ReportProgress,
    initial: Parameters | None = None,
) -> TrainState:
    """Train every member for `spec.training.steps` steps and keep each at its lowest validation loss.

    Members see the same batches and differ by their initial weights and their fold. The batch at a step
    depends on the seed and the step alone, so a resumed training gives the same numbers as an unbroken one.
    Members begin as `initial`, stacked [M, ...], where it is given; else their weights are drawn.

    Raises: Stopped where `report` does, after the state was kept.
    """
    key = jax.random.key(seed)
    folds = _folds(spec, frames)
    state = _initial_state(family, spec, jax.random.fold_in(key, 0), initial)
    state = checkpoints.restore(state) or state
    train_chunk = _train_chunk(family, spec)
    source, pace = batch_source(spec, frames, key=jax.random.fold_in(key, 1)), Pace()
    for chunk in source.chunks(int(state.step)):
        try:
            report(_progress(spec, state, pace))
        except Stopped:
            checkpoints.save(state, last=False, stopping=True)
            raise
        state = train_chunk(state, chunk, folds)
        checkpoints.save(state, last=int(state.step) >= spec.training.steps)
    report(_progress(spec, state, pace))
    return state


def binary_cross_entropy(logits: jax.Array, presence: jax.Array, weights: jax.Array) -> jax.Array:
    """Mean cross-entropy over known cells, nats: logits [B, K, H, W], presence likewise, weights [B]."""
    known = (presence != UNKNOWN) * weights[:, None, None, None]
    losses = optax.sigmoid_binary_cross_entropy(logits, (presence == 1).astype(logits.dtype))
    return jnp.sum(losses * known) / jnp.maximum(jnp.sum(known), 1.0)


def optimizer_of(training: TrainingSpec) -> optax.GradientTransformation:
    """AdamW under a cosine schedule. Elementwise, so it serves stacked members as it is."""
    schedule = optax.cosine_decay_schedule(training.learning_rate, training.steps, alpha=0.05)
    return optax.adamw(schedule, weight_decay=training.weight_decay)


def _progress(spec: ModelSpec, state: TrainState, pace: Pace) -> Progress:
    step, steps, losses = int(state.step), spec.training.steps, np.asarray(state.best_loss)
    note = f"validation loss {losses.mean():.4g}" if np.isfinite(losses).all() else ""
    return Progress("train", step, steps, note, pace.seconds_left(step, steps))


def _initial_state(family: ModelFamily, spec: ModelSpec, key: jax.Array, initial: Parameters | None) -> TrainState:
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(spec.members))
    fresh = jax.vmap(lambda member_key: family.init(spec, member_key))(keys)
    parameters = fresh if initial is None else jax.tree.map(jnp.asarray, initial)
    state = TrainState(
        parameters=parameters,
        optimizer=optimizer_of(spec.training).init(parameters),
        best_parameters=jax.tree.map(jnp.copy, parameters),
        best_loss=jnp.full((spec.members,), jnp.inf),
        best_step=jnp.zeros((spec.members,), jnp.int32),
        step=jnp.zeros((), jnp.int32),
    )
    # weak types become strong in the first step; without this the second and third would compile again
    strong: TrainState = jax.tree.map(lambda leaf: jnp.asarray(leaf, leaf.dtype), state)
    return strong


def _folds(spec: ModelSpec, frames: LabeledFrames) -> Folds:
    rows = bucketed(len(frames.folds))
    widest = min(-(-rows // spec.training.validation_folds) * 2, _VALIDATION_ROWS)
    fold_rows = [np.flatnonzero(mine)[:widest] for mine in held_out(spec, frames)]
    return Folds(
        inputs=jnp.asarray(np.stack([padded(frames.inputs[mine], widest) for mine in fold_rows])),
        presence=jnp.asarray(np.stack([padded(frames.presence[mine], widest, fill=UNKNOWN) for mine in fold_rows])),
    )


@cache
def _train_chunk(family: ModelFamily, spec: ModelSpec) -> Callable[[TrainState, Chunk, Folds], TrainState]:
    """One stretch of `evaluate_every` steps and a validation, compiled once for a family and its spec."""
    optimizer = optimizer_of(spec.training)

    def train_step(state: TrainState, batch: Batch) -> TrainState:
        gradients = _gradients(family, spec, state.parameters, batch)
        updates, opt_state = optimizer.update(gradients, state.optimizer, state.parameters)
        parameters = optax.apply_updates(state.parameters, updates)
        return replace(state, parameters=parameters, optimizer=opt_state, step=state.step + 1)

    def take_and_step(chunk: Chunk, state: TrainState, rows: jax.Array) -> tuple[TrainState, None]:
        batch = (chunk.inputs[rows], chunk.presence[rows], chunk.member_weights[:, rows])
        return train_step(state, batch), None

    def train_chunk(state: TrainState, chunk: Chunk, folds: Folds) -> TrainState:
        state, _ = jax.lax.scan(partial(take_and_step, chunk), state, chunk.rows)
        return _keep_best(state, _validation_loss(family, spec, state.parameters, folds))

    return jax.jit(train_chunk, donate_argnums=0)


def _gradients(family: ModelFamily, spec: ModelSpec, parameters: Parameters, batch: Batch) -> Parameters:
    """Gradients of all members, stacked: as one computation, or where the family asks for it one after the other."""
    inputs, presence, weights_MB = batch

    def loss(stacked: Parameters, weights: jax.Array) -> jax.Array:
        logits_MBKHW = family.train_logits(spec, stacked, inputs)
        return jnp.sum(jax.vmap(binary_cross_entropy, in_axes=(0, None, 0))(logits_MBKHW, presence, weights))

    if not (family.members_apart and jax.default_backend() == "cpu"):
        return jax.grad(loss)(parameters, weights_MB)

    def of_member(member: tuple[Parameters, jax.Array]) -> Parameters:
        alone = jax.tree.map(lambda leaf: leaf[None], member)
        return jax.tree.map(lambda leaf: leaf[0], jax.grad(loss)(*alone))

    return jax.lax.map(of_member, (parameters, weights_MB))


def _validation_loss(family: ModelFamily, spec: ModelSpec, parameters: Parameters, folds: Folds) -> jax.Array:
    """[M] loss of each member on its own fold; infinite where the fold holds no known cell.

    One member after the other in every family: the members' folds differ, so together they share no product and hold
    eight times the memory.
    """

    def of_member(fold: tuple[Parameters, jax.Array, jax.Array]) -> jax.Array:
        member, inputs, presence = fold
        alone = jax.tree.map(lambda leaf: leaf[None], member)
        logits = family.train_logits(spec, alone, inputs)[0]
        known = jnp.any(presence != UNKNOWN)
        return jnp.where(known, binary_cross_entropy(logits, presence, jnp.ones(len(presence))), jnp.inf)

    losses: jax.Array = jax.lax.map(of_member, (parameters, folds.inputs, folds.presence))
    return losses


def _keep_best(state: TrainState, losses: jax.Array) -> TrainState:
    """Keep each member where its loss fell; one that never had a finite loss is kept as it is now."""
    better = (losses < state.best_loss) | (jnp.isinf(losses) & jnp.isinf(state.best_loss))

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(better.reshape((-1,) + (1,) * (new.ndim - 1)), new, old)

    return replace(
        state,
        best_parameters=jax.tree.map(choose, state.parameters, state.best_parameters),
        best_loss=jnp.where(better, losses, state.best_loss),
        best_step=jnp.where(better, state.step, state.best_step),
    )
