import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sim
from sim.actions import ActionSpec, decode, expert_actions
from tests.sim.scenes import batch, road


def test_every_bin_decodes_to_its_value() -> None:
    spec = ActionSpec()
    accelerations = [decode(jnp.array([number, 0]), spec).acceleration for number in range(spec.accelerations)]
    rates = [decode(jnp.array([0, number]), spec).steering_rate for number in range(spec.steering_rates)]
    np.testing.assert_allclose(accelerations, spec.acceleration_values(), atol=1e-5)
    np.testing.assert_allclose(rates, spec.steering_values(), atol=1e-6)
    assert 0.0 in spec.steering_values()
    assert spec.counts == (71, 31)


def test_bins_without_a_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="odd number"):
        ActionSpec(steering_rates=10)


def test_the_expert_in_bins_stays_with_the_recorded_drive() -> None:
    scenes = batch(road(0, 0.0), road(1, 0.01), road(2, -0.02))
    expert = jax.vmap(lambda scene: expert_actions(scene, ActionSpec()))(scenes)
    assert float(expert.position_error.max()) < 0.2
    assert float(expert.heading_error.max()) < 0.05
    driven = sim.rollout(scenes, sim.replay_actions, jax.random.key(0), guide=expert.action)
    recorded = scenes.log.ego[:, -1, :2]
    apart = np.hypot(driven.final.motion.x - recorded[:, 0], driven.final.motion.y - recorded[:, 1])
    np.testing.assert_allclose(apart, expert.position_error[:, -1], atol=1e-3)


def test_constant_speed_on_a_straight_road_needs_no_command() -> None:
    expert = expert_actions(road(0, 0.0), ActionSpec())
    assert (np.asarray(expert.action) == [40, 15]).all()
