"""Variations of a scene: nothing changed is the same scene, and whatever is changed stays a scene."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import sim
from sim.scenario.record import NOWHERE, PLACE_M, STEP_S, Scenario
from sim.varying import Variation, VariationSpec, draw_variations, vary
from tests.sim.scenes import SMALL, road

AGENTS, STEPS = SMALL.agents, 41


@pytest.fixture(scope="module")
def scene() -> Scenario:
    made: Scenario = jax.tree.map(np.asarray, road(seed=3, curvature=0.01))
    return made


def assert_equal(one: Scenario, other: Scenario) -> None:
    for mine, its in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert mine.dtype == its.dtype
        np.testing.assert_array_equal(mine, its)


def test_a_variation_of_nothing_is_the_same_scene(scene: Scenario) -> None:
    assert_equal(vary(scene, Variation()), scene)
    nothing = VariationSpec(count=2, start_steps=0, aside_m=0.0, speed_share=0.0, late_steps=0)
    for drawn in draw_variations(nothing, agents=AGENTS):
        assert_equal(vary(scene, drawn), scene)


def test_variations_are_drawn_again_alike_however_many_are_drawn() -> None:
    few, many = (draw_variations(VariationSpec(count=count, seed=5), agents=AGENTS) for count in (3, 9))
    assert many[:3] == few
    assert len(set(many)) == 9
    assert draw_variations(VariationSpec(count=3, seed=6), agents=AGENTS) != few


def test_every_variation_stays_a_scenario(scene: Scenario) -> None:
    spec = VariationSpec(count=20, start_steps=8, aside_m=0.5, speed_share=0.3, late_steps=5)
    varied = [vary(scene, drawn) for drawn in draw_variations(spec, agents=AGENTS)]
    for each in varied:
        for leaf, recorded_leaf in zip(jax.tree.leaves(each), jax.tree.leaves(scene), strict=True):
            assert (leaf.shape, leaf.dtype) == (recorded_leaf.shape, recorded_leaf.dtype)
        steps = int(each.log.steps)
        assert 2 <= steps <= STEPS
        assert (each.log.states[:steps, 0, 0] != NOWHERE).all()
        assert (each.log.states[steps:, 0] == NOWHERE).all()
        states = each.log.states[:steps].astype(float)
        lengths = np.hypot(states[:, 2], states[:, 3])[each.log.states[:steps, 0] != NOWHERE]
        np.testing.assert_allclose(lengths, 32767.0, rtol=1e-4)
        moved = np.hypot(*np.diff(each.log.ego[:steps, :2], axis=0).T) / STEP_S
        np.testing.assert_allclose(moved, 0.5 * (each.log.ego[1:steps, 3] + each.log.ego[: steps - 1, 3]), rtol=0.02)
        np.testing.assert_allclose(PLACE_M * states[:, :2, 0], each.log.ego[:steps, :2], atol=PLACE_M)
    stacked: Scenario = jax.tree.map(lambda *leaves: np.stack(leaves), *varied)
    driven = sim.rollout(stacked, sim.log_replay, jax.random.key(0))
    assert np.isfinite(np.asarray(driven.episodes.progress)).all()
    np.testing.assert_allclose(np.asarray(driven.episodes.progress_ratio), 1.0, atol=0.1)


def test_a_later_start_is_the_rest_of_the_scene(scene: Scenario) -> None:
    later = vary(scene, Variation(start_steps=7))
    assert int(later.log.steps) == STEPS - 7
    np.testing.assert_array_equal(later.log.states[: STEPS - 7], scene.log.states[7:STEPS])
    np.testing.assert_array_equal(later.log.ego[: STEPS - 7], scene.log.ego[7:STEPS])
    np.testing.assert_array_equal(later.route.lights[: STEPS - 7], scene.route.lights[7:STEPS])


def test_another_speed_keeps_to_the_path(scene: Scenario) -> None:
    for speed in (0.5, 2.0):
        other = vary(scene, Variation(speed=speed))
        steps = int(other.log.steps)
        assert steps == (STEPS if speed < 1.0 else 21)
        np.testing.assert_allclose(other.log.ego[:steps, 3], speed * scene.log.ego[0, 3], rtol=1e-5)
        whole = slice(0, steps, 2 if speed < 1.0 else 1)
        recorded = scene.log.ego[:: 1 if speed < 1.0 else 2][: len(other.log.ego[whole])]
        np.testing.assert_allclose(other.log.ego[whole, :3], recorded[:, :3], atol=1e-5)
        np.testing.assert_array_equal(other.log.states[:steps, :, 1:], scene.log.states[:steps, :, 1:])


def test_a_shift_aside_is_as_far_as_it_says_and_to_the_left(scene: Scenario) -> None:
    aside = vary(scene, Variation(aside_m=0.4))
    apart = aside.log.ego[:STEPS, :2] - scene.log.ego[:STEPS, :2]
    heading = scene.log.ego[:STEPS, 2]
    left = -apart[:, 0] * np.sin(heading) + apart[:, 1] * np.cos(heading)
    np.testing.assert_allclose(left, 0.4, atol=1e-5)
    np.testing.assert_allclose(np.hypot(*apart.T), 0.4, atol=1e-5)


def test_a_late_agent_is_where_it_was_before_and_an_early_one_where_it_will_be(scene: Scenario) -> None:
    varied = vary(scene, Variation(late_steps=(3, -2)))
    steps = int(varied.log.steps)
    assert steps == STEPS - 5
    np.testing.assert_array_equal(varied.log.states[:steps, :, 1], scene.log.states[:steps, :, 1])
    np.testing.assert_array_equal(varied.log.states[:steps, :, 2], scene.log.states[5 : 5 + steps, :, 2])
    for unchanged in (0, 3):
        recorded = scene.log.states[3 : 3 + steps, :, unchanged]
        np.testing.assert_array_equal(varied.log.states[:steps, :, unchanged], recorded)


def test_what_leaves_nothing_of_a_scene_is_refused(scene: Scenario) -> None:
    with pytest.raises(ValueError, match="1 steps are left"):
        vary(scene, Variation(start_steps=STEPS - 1))
    with pytest.raises(ValueError, match="must be above 0"):
        vary(scene, Variation(speed=0.0))
    with pytest.raises(ValueError, match="0 variations"):
        VariationSpec(count=0)
    with pytest.raises(ValueError, match="below 1"):
        replace(VariationSpec(), speed_share=1.0)
