"""What a learner carries from one update to the next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int32

from sim.networks import Parameters
from sim.scenario.record import Leaf

Terms: TypeAlias = dict[str, Float[Array, "..."]]
Loss: TypeAlias = Callable[[Parameters], tuple[Float[Array, ""], Terms]]


@dataclass(frozen=True)
class OptimiserSpec:
    """Adam with a warm-up and a limit on the gradient."""

    learning_rate: float
    warm_up: int = 100
    """Updates until the learning rate is reached."""
    decay_over: int = 0
    """Updates over which it falls to a tenth, along a cosine; 0 for never."""
    most_gradient: float = 1.0
    """Gradients of a larger norm are shortened to it."""
    average_over: int = 0
    """Updates over which the parameters are averaged, with exponential weights, or evenly while there were fewer;
    0 for no average."""

    def transform(self) -> optax.GradientTransformation:
        """The optax transformation."""
        if self.decay_over:
            rate = optax.warmup_cosine_decay_schedule(
                0.0, self.learning_rate, self.warm_up, max(self.decay_over, self.warm_up + 1), 0.1 * self.learning_rate
            )
        else:
            rate = optax.linear_schedule(0.0, self.learning_rate, max(self.warm_up, 1))
        return optax.chain(optax.clip_by_global_norm(self.most_gradient), optax.adam(rate))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Learner:
    """Parameters and what the optimiser remembers."""

    parameters: Parameters
    optimiser: Any
    updates: Int32[Leaf, "*m"]
    average: Parameters | None
    """Of the parameters over the last updates, where the optimiser is asked for it."""

    @property
    def learned(self) -> Parameters:
        """What to drive with when the learning is over: the average, else the newest parameters.

        Source: Polyak, Juditsky 1992 (averaging takes out what the last few batches did).
        """
        return self.parameters if self.average is None else self.average


def begin(parameters: Parameters, optimiser: OptimiserSpec) -> Learner:
    """A learner that has not learned yet."""
    # A copy: a learner is given away whole, and an array can be given away once.
    average = jax.tree.map(jnp.array, parameters) if optimiser.average_over else None
    return Learner(parameters, optimiser.transform().init(parameters), jnp.int32(0), average)


def improved(
    learner: Learner, loss: Loss, optimiser: OptimiserSpec, *, axis: str | None = None
) -> tuple[Learner, Terms]:
    """One update. With an axis of a device mesh the gradients are averaged over it.

    The terms also tell the loss and the norm of the gradient. An update whose loss or gradient is not finite is
    not made: the learner stays as it was, and `finite` is 0.
    """
    (value, terms), gradient = jax.value_and_grad(loss, has_aux=True)(learner.parameters)
    if axis is not None:
        gradient, value, terms = jax.lax.pmean((gradient, value, terms), axis)
    norm = optax.tree.norm(gradient)
    change, memory = optimiser.transform().update(gradient, learner.optimiser, learner.parameters)
    parameters, average = optax.apply_updates(learner.parameters, change), learner.average
    if average is not None:
        # Evenly as long as there are fewer: what a learner began with is no part of what it learned.
        share = 1.0 / jnp.minimum(learner.updates + 1, optimiser.average_over)
        average = optax.incremental_update(parameters, average, share)
    after = Learner(parameters, memory, learner.updates + 1, average)
    finite = jnp.isfinite(value) & jnp.isfinite(norm)
    kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, learner)
    return kept, {**terms, "loss": value, "gradient": norm, "finite": finite.astype(jnp.float32)}
