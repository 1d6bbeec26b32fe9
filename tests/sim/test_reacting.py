"""Traffic that reacts: who is not in its way never notices, and who stops is not run over."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sim
from sim.preparing import prepare
from sim.reacting import LOOKING, traffic_along
from sim.recording import Recording
from sim.rolling import RolloutSpec
from sim.scenario import Scenario, Sizes
from sim.scenario.record import NOWHERE, PLACE_M
from tests.sim.recordings import moving, two_lane_map
from tests.sim.scenes import batch, on_device, road

SIZES = Sizes(agents=32, steps=41, route_points=256, lanes=3, stops=4, roads=512, tiles=40, grid=40, listed=32)
FOLLOWER, BESIDE, ONCOMING, LEADER = -15.0, 2.0, 160.0, 40.0
"""Agents by the metres that they begin ahead of the ego."""
BRAKE = 15
"""Bin of -2.5 m/s^2."""


@cache
def followed() -> Scenario:
    """The ego at 10 m/s with a car 15 m behind it, one beside it, one that comes towards it and one ahead."""
    starts = [(-60.0, 0.0), (-75.0, 0.0), (-58.0, 3.5), (100.0, 7.0), (-20.0, 0.0)]
    velocities = [(10.0, 0.0), (10.0, 0.0), (11.0, 0.0), (-10.0, 0.0), (10.0, 0.0)]
    recording = Recording("followed", 0.2, moving(starts, velocities, steps=41, step_s=0.2), 0, two_lane_map())
    return on_device(prepare(recording, SIZES).scenario)


@cache
def driven(acceleration: int, *, reactive: bool) -> sim.Rollout:
    actions = jnp.tile(jnp.array([acceleration, 15], jnp.int32), (1, 40, 1))
    spec = RolloutSpec(reactive=reactive)
    return sim.rollout(batch(followed()), sim.replay_actions, jax.random.key(0), spec=spec, guide=actions)


def number(ahead_m: float) -> int:
    x = np.asarray(followed().log.states)[0, 0] * PLACE_M
    return int(np.abs(x - x[0] - ahead_m).argmin())


def places(result: sim.Rollout, agent: float) -> np.ndarray:
    """[T, 2] metres."""
    traffic = result.transitions.state.traffic
    assert traffic is not None
    return np.asarray(traffic.states)[:, 0, :2, number(agent)] * PLACE_M


def recorded(agent: float) -> np.ndarray:
    return np.asarray(followed().log.states)[:40, :2, number(agent)] * PLACE_M


def test_without_the_option_there_is_no_traffic_to_carry() -> None:
    assert driven(BRAKE, reactive=False).final.traffic is None


def test_a_stopped_ego_is_run_over_in_the_log_and_not_by_traffic_that_reacts() -> None:
    logged, reacting = driven(BRAKE, reactive=False), driven(BRAKE, reactive=True)
    assert float(logged.final.motion.speed[0]) < 0.1
    assert bool(logged.episodes.collision[0])
    assert not bool(reacting.episodes.collision[0])
    gap = float(reacting.final.motion.x[0]) - places(reacting, FOLLOWER)[-1, 0] - 4.5
    assert 1.0 < gap < 6.0


def test_who_is_not_hindered_is_where_it_was_recorded() -> None:
    result = driven(BRAKE, reactive=True)
    for agent in (BESIDE, ONCOMING, LEADER):
        np.testing.assert_array_equal(places(result, agent), recorded(agent))


def test_nobody_reacts_to_an_ego_that_drives_as_recorded() -> None:
    result = sim.rollout(batch(followed()), sim.log_replay, jax.random.key(0), spec=RolloutSpec(reactive=True))
    for agent in (FOLLOWER, BESIDE, ONCOMING, LEADER):
        np.testing.assert_allclose(places(result, agent), recorded(agent), atol=0.01)


def test_agents_stay_on_their_recorded_paths_and_never_overtake_their_recording() -> None:
    lag = recorded(FOLLOWER) - places(driven(BRAKE, reactive=True), FOLLOWER)
    assert (lag[:, 0] > -0.011).all()
    assert lag[-1, 0] > 5.0
    np.testing.assert_allclose(lag[:, 1], 0.0, atol=0.011)
    assert (np.diff(places(driven(BRAKE, reactive=True), FOLLOWER)[:, 0]) > -0.011).all()


def test_a_driver_sees_and_is_measured_against_the_traffic_that_reacts() -> None:
    final = jax.tree.map(lambda leaf: leaf[0], driven(BRAKE, reactive=True).final)
    seen = jax.jit(sim.observe)(followed(), final).agents
    behind = np.asarray(seen.features)[:, 0]
    assert final.traffic is not None
    expected = float(final.traffic.states[0, number(FOLLOWER)]) * PLACE_M - float(final.motion.x)
    assert np.abs(behind[np.asarray(seen.valid)] - expected).min() < 0.05


@pytest.mark.parametrize("velocity", [(0.0, 0.0), (-8.0, 0.0)])
def test_who_stands_or_comes_towards_it_takes_the_place_of_nobody_who_follows(velocity: tuple[float, float]) -> None:
    beside = [(-66.0 + 5.0 * number, 7.0) for number in range(LOOKING + 4)]
    starts, velocities = [(-60.0, 0.0), (-75.0, 0.0), *beside], [(10.0, 0.0), (10.0, 0.0), *[velocity] * len(beside)]
    recording = Recording("beside", 0.2, moving(starts, velocities, steps=41, step_s=0.2), 0, two_lane_map())
    crowded = on_device(prepare(recording, SIZES).scenario)
    actions = jnp.tile(jnp.array([BRAKE, 15], jnp.int32), (1, 40, 1))
    spec = RolloutSpec(reactive=True)
    drove = sim.rollout(batch(crowded), sim.replay_actions, jax.random.key(0), spec=spec, guide=actions)
    assert not bool(drove.episodes.collision[0])


def test_how_traffic_reacted_follows_from_how_the_ego_drove() -> None:
    drove = driven(BRAKE, reactive=True).transitions.state
    assert drove.traffic is not None
    states = jax.jit(traffic_along)(followed().log, jax.tree.map(lambda leaf: leaf[:, 0], drove.motion))
    np.testing.assert_array_equal(states, drove.traffic.states[:, 0])
    assert (np.asarray(states) != np.asarray(followed().log.states[:-1])).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_batch_of_reacting_scenes_is_each_alone_and_keeps_gone_agents_gone(seed: int) -> None:
    spec = RolloutSpec(steps=20, reactive=True)
    scenes = (road(seed, 0.0), road(seed + 2, 0.01))
    both = sim.rollout(batch(*scenes), sim.log_replay, jax.random.key(0), spec=spec)
    assert both.transitions.state.traffic is not None
    for column, scene in enumerate(scenes):
        alone = sim.rollout(batch(scene), sim.log_replay, jax.random.key(0), spec=spec)
        assert alone.transitions.state.traffic is not None
        states = np.asarray(both.transitions.state.traffic.states)[:, column]
        np.testing.assert_allclose(states, alone.transitions.state.traffic.states[:, 0], atol=1)
        gone = np.asarray(scene.log.states)[:, 0].max(axis=0) == NOWHERE
        assert (states[:, 0, gone] == NOWHERE).all()
