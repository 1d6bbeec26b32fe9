"""Practice on the simulator with scenes from the store: drawn by weight a few hundred at a time.

Axes: M drivers, B scenes that each drives at once, F fresh ones.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, PRNGKeyArray
from numpy.typing import NDArray

from al_platform.domain.policies import PolicySpec, PracticeRecipe
from al_platform.errors import InvalidInput
from al_platform.policies.course import CourseState, begun_learners, counted_on, for_each_member
from al_platform.policies.recipes import improve_spec, network_of, training_drive
from al_platform.policies.scenes import Scenes
from sim.learning.improving import Actors, ImproveSpec, iterate, start
from sim.learning.state import Learner, Terms
from sim.networks import NetworkSpec, Parameters
from sim.rolling import RolloutSpec
from sim.scenario.record import Scenario


class Practice:
    """A course of practice. Drivers share the scenes that are at hand, and drive each their own of them.

    At hand are, in this order, the M x B scenes that are being driven, which go on, and F that were drawn anew, which
    take the place of those that are over. So memory holds what is driven, whatever the store holds.
    """

    def __init__(self, spec: PolicySpec, recipe: PracticeRecipe, scenes: Scenes, key: PRNGKeyArray) -> None:
        """Raises: InvalidInput for sequences longer than the scenarios have room for."""
        room = scenes.store.sizes.steps - 1
        if recipe.sequence > room:
            raise InvalidInput(f"sequence {recipe.sequence}: the scenarios have room for {room} steps; give no more")
        self.steps, self.stretch = recipe.iterations, recipe.iterations_a_draw
        self.evaluate_every = recipe.evaluate_every
        self._recipe, self._members = recipe, spec.members
        self._network, self._drive = network_of(spec), training_drive(spec)
        self._spec = improve_spec(recipe)
        self._scenes = scenes
        self._drawing, self._starting, acting = jax.random.split(key, 3)
        self._acting = jax.random.split(acting, spec.members)
        self._reference: Parameters | None = None

    def begun(self, parameters: Parameters) -> CourseState:
        """Give the state before the first iteration; see `Course`."""
        learners = begun_learners(parameters, self._spec.optimiser)
        # A copy: what the learners hold is given away with the first step.
        self._reference = jax.tree.map(jnp.array, learners.parameters) if self._recipe.cloned else None
        driven = self._members * self._recipe.scenes
        rows = self._scenes.draw(self._starting, driven)
        actors = _start(
            self._scenes.load(rows),
            jnp.full(driven, 1.0 / driven),
            jax.random.split(self._starting, self._members),
            spec=self._spec,
            drive=self._drive,
        )
        driving = {"actors": actors, "rows": rows[np.asarray(actors.scene).reshape(-1)]}
        return CourseState(np.zeros((), np.int32), np.zeros(2, np.int32), learners, driving)

    def go_on(self, state: CourseState, steps: int) -> tuple[CourseState, dict[str, NDArray[Any]]]:
        """Make some iterations with the scenes of one draw; see `Course`."""
        rows, actors = self._at_hand(state)
        driven = actors.scene.size
        chance = np.where(np.arange(len(rows)) < driven, 0.0, 1.0 / (len(rows) - driven)).astype(np.float32)
        learners, actors, terms = _practise(
            state.learners,
            actors,
            self._acting,
            shown=self._scenes.load(rows),
            chance=jnp.asarray(chance),
            first=jnp.int32(int(state.step)),
            reference=self._reference,
            network=self._network,
            spec=self._spec,
            drive=self._drive,
            iterations=steps,
        )
        fetched = {name: np.asarray(values) for name, values in terms.items()}
        after = CourseState(
            step=np.asarray(state.step + steps, np.int32),
            counted=counted_on(state.counted, round(float(fetched["steps"].sum(axis=1).mean()))),
            learners=learners,
            driving={"actors": actors, "rows": rows[np.asarray(actors.scene).reshape(-1)]},
        )
        return after, fetched

    def scenario_ids(self, state: CourseState) -> list[str]:
        """Give the scenarios of the next stretch; see `Course`."""
        return self._scenes.ids_of(self._at_hand(state)[0])

    def _at_hand(self, state: CourseState) -> tuple[NDArray[np.int32], Actors]:
        """Numbers of the scenes at hand, and the actors in them: those that are driven come first."""
        driven = np.asarray(state.driving["rows"], np.int32)
        actors: Actors = state.driving["actors"]
        scene = jnp.arange(len(driven), dtype=jnp.int32).reshape(self._members, -1)
        draw = int(state.step) // self.stretch
        fresh = self._scenes.draw(jax.random.fold_in(self._drawing, draw), self._recipe.drawn)
        return np.concatenate([driven, fresh]), Actors(scene, actors.state)


@partial(jax.jit, static_argnames=("spec", "drive"))
def _start(
    shown: Scenario, chance: Float[Array, "N"], keys: PRNGKeyArray, *, spec: ImproveSpec, drive: RolloutSpec
) -> Actors:
    """Actors [M, B] in scenes of their own choice; `scene` counts from those that are shown."""

    def begin(key: PRNGKeyArray) -> Actors:
        actors: Actors = start(shown, chance, key, spec=spec, drive=drive)
        return actors

    return for_each_member(begin, keys.shape[0])(keys)


@partial(jax.jit, static_argnames=("network", "spec", "drive", "iterations"), donate_argnames=("learners", "actors"))
def _practise(
    learners: Learner,
    actors: Actors,
    keys: PRNGKeyArray,
    *,
    shown: Scenario,
    chance: Float[Array, "N"],
    first: Int32[Array, ""],
    reference: Parameters | None,
    network: NetworkSpec,
    spec: ImproveSpec,
    drive: RolloutSpec,
    iterations: int,
) -> tuple[Learner, Actors, Terms]:
    def one(
        learner: Learner, actors: Actors, key: PRNGKeyArray, reference: Parameters | None
    ) -> tuple[Learner, Actors, Terms]:
        def iteration(
            carried: tuple[Learner, Actors], number: Int32[Array, ""]
        ) -> tuple[tuple[Learner, Actors], Terms]:
            learner, actors, terms = iterate(
                *carried,
                shown,
                chance,
                jax.random.fold_in(key, number),
                network=network,
                spec=spec,
                drive=drive,
                reference=reference,
            )
            return (learner, actors), terms

        (learner, actors), terms = jax.lax.scan(iteration, (learner, actors), first + jnp.arange(iterations))
        return learner, actors, terms

    practised: tuple[Learner, Actors, Terms] = for_each_member(one, keys.shape[0])(learners, actors, keys, reference)
    return practised
