from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.actions import expert_actions
from sim.learning.cloning import CloneSpec, cloned, flattened, lessons_of
from sim.learning.driving import greedy
from sim.learning.state import OptimiserSpec
from sim.observation.record import EGO
from sim.rolling import rollout
from tests.sim.learning.scenes import COUNTS, DRIVE, NETWORK, learner, store

pytestmark = pytest.mark.long

SPEC = CloneSpec(batch=256, optimiser=OptimiserSpec(learning_rate=2e-3, warm_up=20))
LAST = 45
"""Steps that each recording has behind its first."""


def test_a_clone_of_eight_scenes_drives_them_as_they_were_driven() -> None:
    lessons = flattened(lessons_of(store(), jax.random.key(0), drive=DRIVE, spec=SPEC))
    clone, terms = cloned(
        learner(SPEC.optimiser), lessons, jax.random.key(1), network=NETWORK, counts=COUNTS, spec=SPEC, updates=300
    )
    assert float(terms["finite"].min()) == 1.0
    policy = greedy(NETWORK, clone.parameters, actions=DRIVE.actions)
    episodes = rollout(store(), policy, jax.random.key(2), spec=DRIVE).episodes
    assert not episodes.failure.any()
    np.testing.assert_allclose(episodes.progress_ratio, 1.0, atol=0.05)


def test_lessons_end_with_the_recording_and_their_value_is_the_discounted_rest() -> None:
    lessons = lessons_of(store(), jax.random.key(0), drive=DRIVE, spec=replace(SPEC, discount=0.5))
    weight = np.asarray(lessons.weight)
    assert (weight[:LAST] == 1.0).all()
    assert (weight[LAST:] == 0.0).all()
    value = np.asarray(lessons.value)
    per_step = 0.1 * 0.2 * np.arange(6.0, 14.0)  # progress of each ego in a step, by its weight
    np.testing.assert_allclose(value[LAST - 1], per_step, rtol=0.02)
    np.testing.assert_allclose(value[LAST - 3], 1.75 * per_step, rtol=0.02)


def test_without_gusts_the_lessons_are_the_experts_own_bins() -> None:
    lessons = lessons_of(store(), jax.random.key(0), drive=DRIVE, spec=SPEC)
    expert = jax.vmap(partial(expert_actions, spec=DRIVE.actions))(store()).action
    np.testing.assert_array_equal(lessons.action[:LAST], jnp.swapaxes(expert, 0, 1)[:LAST])


def test_gusts_blow_the_car_aside_and_the_lessons_bring_it_back() -> None:
    seen = {}
    for gusts in (0.0, 0.5):
        windy = replace(SPEC, gusts=gusts, gust_bins=6.0)
        lessons = lessons_of(store(), jax.random.key(0), drive=DRIVE, spec=windy)
        offset = np.asarray(lessons.observation.ego[:LAST, :, EGO.index("offset")])
        turned = np.asarray(lessons.action[:LAST, :, 1]) - DRIVE.actions.steering_rates // 2
        seen[gusts] = offset, turned
        assert np.asarray(lessons.weight)[:LAST].mean() > 0.9
    (calm, _), (blown, turned) = seen[0.0], seen[0.5]
    aside = blown - calm
    assert np.abs(aside).max() > 0.1
    # To the left of where it was driven the wheel is turned to the right, and the other way round.
    assert np.corrcoef(aside.ravel(), turned.ravel())[0, 1] < -0.1


def test_steps_that_the_bins_cannot_follow_teach_nothing() -> None:
    strict = replace(SPEC, most_tracking_error_m=0.0)
    assert float(lessons_of(store(), jax.random.key(0), drive=DRIVE, spec=strict).weight[:LAST].mean()) < 1.0
