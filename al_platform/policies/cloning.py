"""Cloning from the store: scenes are drawn by weight, driven by their experts, learned from, and let go.

Axes: M drivers, N steps of the scenes at hand.
"""

from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray
from numpy.typing import NDArray

from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.policies.course import CourseState, begun_learners, counted_on, for_each_member
from al_platform.policies.recipes import clone_spec, network_of, training_drive
from al_platform.policies.scenes import Scenes
from sim.learning.cloning import CloneSpec, Lessons, cloned, flattened, lessons_of
from sim.learning.state import Learner, Terms
from sim.networks import NetworkSpec, Parameters


class Cloning:
    """A course of cloning. Every driver learns from the same scenes, and draws its own steps of them."""

    def __init__(self, spec: PolicySpec, recipe: CloningRecipe, scenes: Scenes, key: PRNGKeyArray) -> None:
        self.steps, self.stretch = recipe.updates, recipe.updates_a_draw
        self.evaluate_every = recipe.evaluate_every
        self._recipe, self._members = recipe, spec.members
        self._network, self._drive = network_of(spec), training_drive(spec)
        self._spec = clone_spec(recipe)
        self._scenes = scenes
        self._drawing, self._learning = jax.random.split(key)

    def begun(self, parameters: Parameters) -> CourseState:
        """Give the state before the first update; see `Course`."""
        learners = begun_learners(parameters, self._spec.optimiser)
        return CourseState(np.zeros((), np.int32), np.zeros(2, np.int32), learners, {})

    def go_on(self, state: CourseState, steps: int) -> tuple[CourseState, dict[str, NDArray[Any]]]:
        """Make some updates on the scenes of one draw; see `Course`."""
        keys = jax.random.split(jax.random.fold_in(self._learning, int(state.step)), self._members)
        shown = self._scenes.load(self._drawn(state))
        blowing = jax.random.fold_in(self._drawing, int(state.step))
        lessons = flattened(lessons_of(shown, blowing, drive=self._drive, spec=self._spec))
        learners, terms = _clone(
            state.learners,
            lessons,
            keys,
            network=self._network,
            counts=self._drive.actions.counts,
            spec=self._spec,
            updates=steps,
        )
        fetched = {name: np.asarray(values) for name, values in terms.items()}
        after = CourseState(
            step=np.asarray(state.step + steps, np.int32),
            counted=counted_on(state.counted, steps * self._recipe.batch_steps),
            learners=learners,
            driving={},
        )
        return after, fetched

    def scenario_ids(self, state: CourseState) -> list[str]:
        """Give the scenarios of the next stretch; see `Course`."""
        return self._scenes.ids_of(self._drawn(state))

    def _drawn(self, state: CourseState) -> NDArray[np.int32]:
        draw = int(state.step) // self.stretch
        return self._scenes.draw(jax.random.fold_in(self._drawing, draw), self._recipe.scenes)


@partial(jax.jit, static_argnames=("network", "counts", "spec", "updates"), donate_argnames=("learners",))
def _clone(
    learners: Learner,
    lessons: Lessons,
    keys: PRNGKeyArray,
    *,
    network: NetworkSpec,
    counts: tuple[int, int],
    spec: CloneSpec,
    updates: int,
) -> tuple[Learner, Terms]:
    def learn(learner: Learner, key: PRNGKeyArray) -> tuple[Learner, Terms]:
        learned: tuple[Learner, Terms] = cloned(
            learner, lessons, key, network=network, counts=counts, spec=spec, updates=updates
        )
        return learned

    return for_each_member(learn, keys.shape[0])(learners, keys)
