from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import shapely

import sim
from sim.kinds import LightState, StopKind
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, Scenario
from tests.sim.scenes import batch, road
from tests.sim.test_geometry import polygon

SCENES = (road(0, 0.0), road(1, 0.01))
step_metrics, reset, follow_log = jax.jit(sim.metrics), jax.jit(sim.reset), jax.jit(sim.follow_log)


@pytest.fixture(scope="module")
def replay() -> sim.Rollout:
    return sim.rollout(batch(*SCENES), sim.log_replay, jax.random.key(0))


def boxes_at(scene: Scenario, step: int) -> dict[int, shapely.Polygon]:
    """Boxes of the agents that are seen, by number."""
    states, sizes = np.asarray(scene.log.states[step], float), np.asarray(scene.log.sizes, float)
    heading = np.arctan2(states[3] * DIRECTION, states[2] * DIRECTION)
    return {
        number: polygon(states[0, number] * PLACE_M, states[1, number] * PLACE_M, heading[number], *sizes[number])
        for number in np.flatnonzero(states[0] != NOWHERE)
    }


def ego_at(scene: Scenario, step: int) -> shapely.Polygon:
    x, y, heading = np.asarray(scene.log.ego[step, :3], float)
    return polygon(x, y, heading, *np.asarray(scene.log.sizes[0], float))


def test_collisions_of_a_replay_are_those_of_its_polygons(replay: sim.Rollout) -> None:
    seen = 0
    for column, scene in enumerate(SCENES):
        others = {number for number, box in boxes_at(scene, 0).items() if box.intersects(ego_at(scene, 0))}
        assert bool(replay.episodes.initial_overlap[column]) == bool(others - {0})
        for step in range(1, 41):
            ego = ego_at(scene, step)
            areas = [ego.intersection(box).area for n, box in boxes_at(scene, step).items() if n not in others]
            if not areas or max(areas) == 0.0 or max(areas) > 1e-3:
                assert bool(replay.metrics.collision[step - 1, column]) == (max(areas, default=0.0) > 0.0)
                seen += max(areas, default=0.0) > 0.0
    assert seen > 0


def test_a_replay_is_what_was_recorded(replay: sim.Rollout) -> None:
    recorded = np.stack([scene.log.ego for scene in SCENES], axis=1)
    np.testing.assert_array_equal(replay.final.motion.x, recorded[-1, :, 0])
    np.testing.assert_array_equal(replay.transitions.state.motion.heading, recorded[:-1, :, 2])
    np.testing.assert_allclose(replay.transitions.state.distance, recorded[:-1, :, 4], atol=0.02)
    np.testing.assert_allclose(replay.episodes.progress_ratio, 1.0, atol=1e-3)
    assert not replay.episodes.off_road.any()
    assert not replay.episodes.off_route.any()
    assert not replay.episodes.wrong_way.any()
    assert replay.metrics.valid.all()


def test_failure_is_collision_or_off_route(replay: sim.Rollout) -> None:
    np.testing.assert_array_equal(replay.episodes.failure, replay.episodes.collision | replay.episodes.off_route)


def driven(scene: Scenario, *, moved: dict[str, float] | None = None, distance: float = 8.0) -> sim.StepMetrics:
    """Metrics of a step in which the ego goes `distance` metres along the route, with its motion changed by `moved`."""
    before = replace(reset(scene), stood_at=jnp.float32(-jnp.inf))
    after = follow_log(scene, before)
    motion = replace(after.motion, **{name: jnp.float32(value) for name, value in (moved or {}).items()})
    return step_metrics(scene, before, replace(after, motion=motion, distance=before.distance + distance))


def alone() -> Scenario:
    return road(3, 0.0, agents=0)


def with_line(scene: Scenario, kind: StopKind, lights: LightState, *, ahead: float = 6.0) -> Scenario:
    """One stop line, metres ahead of the middle of the ego at the start."""
    at = jnp.full_like(scene.route.stop_at, jnp.inf).at[0].set(reset(scene).distance + ahead)
    kinds = jnp.zeros_like(scene.route.stop_kinds).at[0].set(kind)
    shown = jnp.full_like(scene.route.lights, lights)
    return replace(scene, route=replace(scene.route, stop_at=at, stop_kinds=kinds, lights=shown))


def test_a_red_light_counts_when_the_front_crosses_its_line() -> None:
    red = with_line(alone(), StopKind.LIGHT, LightState.STOP)
    assert driven(red, distance=4.0).red_light
    assert not driven(red, distance=3.0).red_light  # The front is 2.4 m ahead of the middle.
    assert not driven(with_line(alone(), StopKind.LIGHT, LightState.GO)).red_light
    assert not driven(with_line(alone(), StopKind.LIGHT, LightState.STOP, ahead=2.0)).red_light


def test_a_stop_line_counts_unless_the_ego_stood_at_it() -> None:
    scene = with_line(alone(), StopKind.STOP_SIGN, LightState.UNKNOWN)
    assert driven(scene).stop_line
    assert not driven(scene, distance=7.0).stop_line  # The front is 3.4 m beyond the sign, where it may yet stop.
    before = reset(scene)  # What was before the start is not known: it counts as having stood there.
    after = replace(follow_log(scene, before), distance=before.distance + 8.0)
    assert not step_metrics(scene, before, after).stop_line
    far = replace(before, stood_at=before.distance - 10.0)
    assert step_metrics(scene, far, after).stop_line
    assert driven(with_line(alone(), StopKind.LIGHT, LightState.FLASHING_STOP)).stop_line


def test_speed_direction_and_sides_are_told_apart() -> None:
    scene = alone()
    np.testing.assert_allclose(driven(scene, moved={"speed": 20.0}).speed_over_limit, 20.0 - 13.9, atol=1e-4)
    assert driven(scene, moved={"speed": 3.0}).speed_over_limit == 0.0
    heading = float(scene.log.ego[0, 2])
    assert driven(scene, moved={"heading": heading + np.pi}).wrong_way
    assert not driven(scene, moved={"heading": heading + 1.5}).wrong_way
    assert not driven(scene, moved={"heading": heading + np.pi, "speed": 0.2}).wrong_way
    across = float(scene.log.ego[1, 1])
    assert not driven(scene, moved={"y": across + 3.6}).off_road
    assert driven(scene, moved={"y": across + 5.2}).off_road
    assert driven(scene, moved={"y": across - 1.9}).off_road


def one_other(x: float, y: float, heading: float, vx: float) -> sim.StepMetrics:
    """Metrics of a step at 8 m/s on a straight road with one agent at a place in the ego's frame."""
    scene = alone()
    ego = np.asarray(scene.log.ego[1])
    row = np.round(
        [
            (ego[0] + x) / PLACE_M,
            (ego[1] + y) / PLACE_M,
            np.cos(heading) / DIRECTION,
            np.sin(heading) / DIRECTION,
            vx * 100,
            0,
        ]
    )
    states = scene.log.states.at[1:, :, 1].set(jnp.asarray(row, jnp.int16))
    sizes = scene.log.sizes.at[1].set(jnp.array([4.0, 2.0]))
    return driven(replace(scene, log=replace(scene.log, states=states, sizes=sizes)))


def test_fault_lies_with_the_ego_unless_it_is_hit_from_behind() -> None:
    ahead, behind, free = one_other(3.0, 0, 0, 0), one_other(-4.0, 0, 0, 12.0), one_other(0, 3.0, 0, 8.0)
    assert ahead.collision
    assert ahead.at_fault
    assert behind.collision
    assert not behind.at_fault
    assert not free.collision
    assert np.isinf(free.time_to_collision)


def test_time_to_collision_is_gap_over_closing_speed() -> None:
    np.testing.assert_allclose(one_other(24.4, 0, 0, 0).time_to_collision, 20.0 / 8.0, atol=0.01)
    np.testing.assert_allclose(one_other(24.4, 0, 0, -12.0).time_to_collision, 1.0, atol=0.01)
    assert one_other(3.0, 0, 0, 0).time_to_collision == 0.0


def test_a_reversal_is_a_turn_the_other_way() -> None:
    scene = alone()
    state = reset(scene)
    reversals = []
    for rate in (0.0, 0.3, 0.3, 0.0, -0.3, -0.01, 0.01, 0.3):
        after = sim.step(scene, state, sim.Command(jnp.float32(0.0), jnp.float32(rate)))
        reversals.append(bool(step_metrics(scene, state, after).reversal))
        state = after
    assert reversals == [False, False, False, False, True, False, False, True]
