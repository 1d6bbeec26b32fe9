from dataclasses import replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.learning.improving import Actors, ImproveSpec, Sequences, act, iterate, learn, start
from sim.learning.losses import ImprovementSpec
from sim.learning.state import Learner, OptimiserSpec
from tests.sim.learning.scenes import COUNTS, DRIVE, NETWORK, learner, parameters, store

pytestmark = pytest.mark.long

OPTIMISER = OptimiserSpec(learning_rate=2e-3, warm_up=5)
SPEC = ImproveSpec(scenes=32, sequence=16, parts=2, passes=2, optimiser=OPTIMISER, loss=ImprovementSpec(entropy=1e-3))
CHANCE = jnp.ones(8) / 8


def iterated(made: Learner, actors: Actors, numbers: range) -> tuple[Learner, Actors, list[float]]:
    """Iterations by their numbers, and the reward of each."""
    rewards = []
    for number in numbers:
        key = jax.random.fold_in(jax.random.key(9), number)
        made, actors, terms = iterate(made, actors, store(), CHANCE, key, network=NETWORK, spec=SPEC, drive=DRIVE)
        rewards.append(float(terms["reward"]))
    return made, actors, rewards


def begun() -> Actors:
    return start(store(), CHANCE, jax.random.key(5), spec=SPEC, drive=DRIVE)


@cache
def driven() -> tuple[Actors, Sequences]:
    """One sequence of a policy that knows nothing, and the actors after it."""
    one = jax.jit(partial(act, network=NETWORK, spec=SPEC, drive=DRIVE))
    actors, lived, _ = one(store(), CHANCE, begun(), parameters(), jax.random.key(3))
    return actors, lived


learned = jax.jit(partial(learn, network=NETWORK, counts=COUNTS), static_argnames=("spec",))


def test_practice_pays() -> None:
    _, _, rewards = iterated(learner(OPTIMISER), begun(), range(30))
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5]) + 0.3


def test_a_run_that_goes_on_from_what_was_kept_is_the_same_run() -> None:
    whole = iterated(learner(OPTIMISER), begun(), range(6))
    leaves, shape = jax.tree.flatten(iterated(learner(OPTIMISER), begun(), range(3))[:2])
    kept = [np.asarray(leaf) for leaf in leaves]
    gone_on = iterated(*jax.tree.unflatten(shape, [jnp.asarray(leaf) for leaf in kept]), range(3, 6))
    for one, other in zip(jax.tree.leaves(whole[:2]), jax.tree.leaves(gone_on[:2]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_drive_goes_on_in_the_next_sequence_until_its_episode_is_over() -> None:
    actors, lived = driven()
    before, goes_on = begun(), np.asarray(lived.goes_on)
    on = goes_on[-1]
    assert on.any()
    assert not on.all()
    np.testing.assert_array_equal(np.asarray(actors.scene)[on], np.asarray(before.scene)[on])
    np.testing.assert_array_equal(np.asarray(actors.state.step)[on], np.asarray(before.state.step)[on] + SPEC.sequence)
    over = np.asarray(lived.valid)[1:] & ~goes_on[:-1]
    assert not over.any()
    assert lived.observation.ego.shape[0] == SPEC.sequence + 1


def test_scenes_without_weight_are_never_driven() -> None:
    chance = jnp.zeros(8).at[jnp.array([2, 5])].set(1.0)
    actors = start(store(), chance, jax.random.key(5), spec=SPEC, drive=DRIVE)
    assert set(np.asarray(actors.scene).tolist()) == {2, 5}


def test_learning_averaged_over_two_devices_is_learning_from_both_halves() -> None:
    plain = replace(SPEC, parts=1, passes=1, loss=replace(SPEC.loss, normalise=False))
    _, lived = driven()
    # All steps valid, so that both halves weigh the same.
    lived = replace(lived, valid=jnp.ones_like(lived.valid))
    halves = jax.tree.map(lambda leaf: jnp.stack([leaf[:, :16], leaf[:, 16:]]), lived)
    half = replace(plain, scenes=16)
    together = learn(learner(OPTIMISER), lived, jax.random.key(0), network=NETWORK, counts=COUNTS, spec=plain)[0]
    apart = jax.vmap(
        lambda one: learn(
            learner(OPTIMISER), one, jax.random.key(0), network=NETWORK, counts=COUNTS, spec=half, axis="devices"
        )[0],
        axis_name="devices",
    )(halves)
    # The first step of a warm-up moves no parameter: what is compared is the gradient that the optimiser remembers.
    remembered = [leaf for leaf in jax.tree.leaves(together.optimiser) if leaf.dtype == jnp.float32]
    assert max(float(jnp.abs(leaf).max()) for leaf in remembered) > 1e-4
    for one, both in zip(jax.tree.leaves(together), jax.tree.leaves(apart), strict=True):
        np.testing.assert_allclose(both[0], both[1], atol=0)
        np.testing.assert_allclose(one, both[0], atol=2e-6)


def test_small_advantages_teach_nothing_where_that_is_asked_for() -> None:
    _, lived = driven()
    # The policy that drove knows nothing: its values are 0 and its ratios 1, so that advantages are plain returns.
    returns, later = np.zeros(lived.reward.shape), np.zeros(SPEC.scenes)
    for step in reversed(range(SPEC.sequence)):
        later = np.asarray(lived.reward, float)[step] + SPEC.discount * np.asarray(lived.goes_on)[step] * later
        returns[step] = later
    valid = np.asarray(lived.valid)
    plain = replace(SPEC, parts=1, passes=1, loss=replace(SPEC.loss, normalise=False))
    for share in (0.0, 0.5):
        kept = valid & (np.abs(returns) >= share * np.abs(returns[valid]).max())
        assert 0 < kept.sum() <= valid.sum()
        spec = replace(plain, kept_advantages=share)
        _, terms = learned(learner(OPTIMISER), lived, jax.random.key(0), spec=spec)
        assert float(terms["policy"]) == pytest.approx(-returns[kept].mean(), rel=1e-4)


def test_a_reference_policy_holds_the_learner_near() -> None:
    _, lived = driven()
    free = replace(SPEC, parts=1, passes=1, optimiser=replace(OPTIMISER, warm_up=1))
    apart = {}
    for cloned in (1e-9, 30.0):
        spec = replace(free, loss=replace(SPEC.loss, cloned=cloned))
        made, divergence = learner(spec.optimiser), []
        for number in range(8):
            made, terms = learned(made, lived, jax.random.key(number), spec=spec, reference=parameters())
            divergence.append(float(terms["divergence"]))
        assert divergence[0] == pytest.approx(0.0, abs=1e-6)
        apart[cloned] = divergence[-1]
    assert 0.0 < apart[30.0] < 0.3 * apart[1e-9]


def test_scenes_that_cannot_be_dealt_are_refused() -> None:
    with pytest.raises(ValueError, match="10 scenes in 4 parts"):
        ImproveSpec(scenes=10, parts=4)
