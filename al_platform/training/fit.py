"""Training all members of an ensemble at once, each stopped at its best validation loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from al_platform.domain.models import ModelSpec, TrainingSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.models.base import ModelFamily, Parameters

UNKNOWN = 255
"""Value of a cell in a presence map that nobody labelled."""

Batch = tuple[jax.Array, jax.Array, jax.Array]
"""Inputs [B, ...], presence [B, K, H, W] and how much each member counts each frame [M, B]."""

_ROW_BUCKET = 128
"""Training sets are padded to multiples of this, so that a growing set seldom compiles anew."""


@dataclass(frozen=True)
class LabeledFrames:
    """What a training reads: encoder records [N, ...], presence maps uint8 [N, K, H, W], folds [N].

    Presence is 1 present, 0 absent, 255 unknown. Unknown cells never enter a loss.
    """

    inputs: NDArray[Any]
    presence: NDArray[Any]
    folds: NDArray[Any]


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


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["inputs", "presence", "weights", "member_weights", "fold_inputs", "fold_presence"],
    meta_fields=[],
)
@dataclass(frozen=True)
class TrainData:
    """Padded arrays on the device: N rows to draw from, and for each member the first F rows of its fold."""

    inputs: jax.Array
    presence: jax.Array
    weights: jax.Array
    """[N] how often a row is drawn, relative; 0 for padding."""
    member_weights: jax.Array
    """[M, N] 0 where the row is in the member's validation fold, else 1."""
    fold_inputs: jax.Array
    fold_presence: jax.Array


@runtime_checkable
class Checkpoints(Protocol):
    """Where a training keeps its state, so that a killed one goes on."""

    def restore(self, like: TrainState) -> TrainState | None:
        """Give the newest state, None where there is none."""

    def save(self, state: TrainState, *, last: bool) -> None:
        """Keep a state; may pass over all but the last."""


def fit_ensemble(
    family: ModelFamily,
    spec: ModelSpec,
    frames: LabeledFrames,
    *,
    seed: int,
    checkpoints: Checkpoints,
    report: ReportProgress,
) -> TrainState:
    """Train every member for `spec.training.steps` steps and keep each at its lowest validation loss.

    Members see the same batches and differ by their initial weights and their fold. The batch at a step
    depends on the seed and the step alone, so a resumed training gives the same numbers as an unbroken one.
    """
    key = jax.random.key(seed)
    data = _device_data(spec, frames)
    state = _initial_state(family, spec, jax.random.fold_in(key, 0))
    state = checkpoints.restore(state) or state
    train_chunk = _train_chunk(family, spec)
    batch_key = jax.random.fold_in(key, 1)
    while (step := int(state.step)) < spec.training.steps:
        report(Progress("train", step, spec.training.steps))
        state = train_chunk(state, data, batch_key)
        checkpoints.save(state, last=int(state.step) >= spec.training.steps)
    report(Progress("train", spec.training.steps, spec.training.steps))
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


def _initial_state(family: ModelFamily, spec: ModelSpec, key: jax.Array) -> TrainState:
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(spec.members))
    parameters = jax.vmap(lambda member_key: family.init(spec, member_key))(keys)
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


def _device_data(spec: ModelSpec, frames: LabeledFrames) -> TrainData:
    count = len(frames.folds)
    rows = -(-count // _ROW_BUCKET) * _ROW_BUCKET
    member_folds = np.arange(spec.members) % spec.training.validation_folds
    held_out = frames.folds[None, :] == member_folds[:, None]
    widest = -(-rows // spec.training.validation_folds) * 2
    fold_rows = [np.flatnonzero(mine)[:widest] for mine in held_out]
    return TrainData(
        inputs=jnp.asarray(_padded(frames.inputs, rows)),
        presence=jnp.asarray(_padded(frames.presence, rows, fill=UNKNOWN)),
        weights=jnp.asarray(_padded(np.ones(count, np.float32), rows)),
        member_weights=jnp.asarray(_padded((~held_out).T.astype(np.float32), rows).T),
        fold_inputs=jnp.asarray(np.stack([_padded(frames.inputs[mine], widest) for mine in fold_rows])),
        fold_presence=jnp.asarray(
            np.stack([_padded(frames.presence[mine], widest, fill=UNKNOWN) for mine in fold_rows])
        ),
    )


def _padded(array: NDArray[Any], rows: int, *, fill: int = 0) -> NDArray[Any]:
    padding = np.full((rows - len(array), *array.shape[1:]), fill, array.dtype)
    return np.concatenate([array, padding])


@cache
def _train_chunk(family: ModelFamily, spec: ModelSpec) -> Callable[[TrainState, TrainData, jax.Array], TrainState]:
    """One stretch of `evaluate_every` steps and a validation, compiled once for a family and its spec."""
    optimizer = optimizer_of(spec.training)

    def train_step(state: TrainState, batch: Batch) -> TrainState:
        gradients = _gradients(family, spec, state.parameters, batch)
        updates, opt_state = optimizer.update(gradients, state.optimizer, state.parameters)
        parameters = optax.apply_updates(state.parameters, updates)
        return replace(state, parameters=parameters, optimizer=opt_state, step=state.step + 1)

    def draw_and_step(data: TrainData, key: jax.Array, state: TrainState, _: None) -> tuple[TrainState, None]:
        rows = _draw(jax.random.fold_in(key, state.step), data.weights, spec.training.batch_frames)
        return train_step(state, (data.inputs[rows], data.presence[rows], data.member_weights[:, rows])), None

    def train_chunk(state: TrainState, data: TrainData, key: jax.Array) -> TrainState:
        body = partial(draw_and_step, data, key)
        state, _ = jax.lax.scan(body, state, None, length=spec.training.evaluate_every)
        return _keep_best(state, _validation_loss(family, spec, state.parameters, data))

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


def _draw(key: jax.Array, weights: jax.Array, count: int) -> jax.Array:
    """Draw rows with replacement in proportion to their weights."""
    cumulative = jnp.cumsum(weights)
    return jnp.searchsorted(cumulative, jax.random.uniform(key, (count,)) * cumulative[-1], side="right")


def _validation_loss(family: ModelFamily, spec: ModelSpec, parameters: Parameters, data: TrainData) -> jax.Array:
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

    losses: jax.Array = jax.lax.map(of_member, (parameters, data.fold_inputs, data.fold_presence))
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
