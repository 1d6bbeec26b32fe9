"""What cloning and practice have in common: a state that takes one stretch after the other.

Everything that follows is determined by the state, the scenes and the key of the run: scenes and batches are drawn
by `fold_in` of what is next, so that a training that goes on from a checkpoint is the same training.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32
from numpy.typing import NDArray

from sim.learning.state import Learner, OptimiserSpec, begin
from sim.networks import Parameters
from sim.scenario.record import Leaf

_HIGH = 2**30

Members = TypeVar("Members")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CourseState:
    """A training as it is. `step` counts updates of cloning, iterations of practice."""

    step: Int32[Leaf, "*m"]
    counted: Int32[Leaf, "*m 2"]
    """[2] steps that each driver learned from, in units of 2^30 and the rest."""
    learners: Learner
    """[M, ...]"""
    driving: Mapping[str, Any]
    """What else a course carries on; empty for cloning."""

    @property
    def agent_steps(self) -> int:
        """Steps that each driver learned from."""
        return int(self.counted[0]) * _HIGH + int(self.counted[1])


class Course(Protocol):
    """A way to learn."""

    @property
    def steps(self) -> int:
        """How many there are in all."""

    @property
    def stretch(self) -> int:
        """Steps between two draws of scenes."""

    @property
    def evaluate_every(self) -> int:
        """Steps between two points of the learning curve; a multiple of the stretch."""

    def begun(self, parameters: Parameters) -> CourseState:
        """Give the state before the first step, of drivers stacked [M, ...]."""

    def go_on(self, state: CourseState, steps: int) -> tuple[CourseState, dict[str, NDArray[Any]]]:
        """Take some steps, at most a stretch; gives the terms of each, [M, steps]."""

    def scenario_ids(self, state: CourseState) -> list[str]:
        """Give the scenarios that the stretch behind this state is learned from."""


def begun_learners(parameters: Parameters, optimiser: OptimiserSpec) -> Learner:
    """Give learners [M, ...] that have not learned yet."""
    learners: Learner = _begun(jax.tree.map(jnp.asarray, parameters), optimiser)
    return learners


@partial(jax.jit, static_argnames=("optimiser",))
def _begun(parameters: Parameters, optimiser: OptimiserSpec) -> Learner:
    learners: Learner = jax.vmap(lambda own: begin(own, optimiser))(parameters)
    return learners


def for_each_member(learn: Callable[..., Members], members: int) -> Callable[..., Members]:
    """Give a function over a leading axis [M] of each argument; a lone driver needs no axis inside."""
    if members > 1:
        return jax.vmap(learn)

    def alone(*arguments: Any) -> Members:
        only = learn(*jax.tree.map(lambda leaf: leaf[0], arguments))
        stacked: Members = jax.tree.map(lambda leaf: leaf[None], only)
        return stacked

    return alone


def counted_on(counted: Int32[Leaf, "2"], more: int) -> NDArray[np.int32]:
    """Add to the steps that were learned from."""
    total = int(counted[0]) * _HIGH + int(counted[1]) + more
    return np.array([total // _HIGH, total % _HIGH], np.int32)
