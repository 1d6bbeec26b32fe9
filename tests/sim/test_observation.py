from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import shapely

import sim
from sim.observation import AGENT, EGO, ObservationSpec
from sim.observation.along import BACK, POINTS, STRIDE
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M
from tests.sim.scenes import road
from tests.sim.test_geometry import polygon

SCENE = road(1, 0.01)
STATE = jax.jit(sim.reset)(SCENE)
SEEN = jax.jit(sim.observe)(SCENE, STATE)


def world_boxes() -> dict[int, tuple[float, ...]]:
    """x, y, heading, length, width of the agents that are there at the start, without the ego."""
    states, sizes = np.asarray(SCENE.log.states[0], float), np.asarray(SCENE.log.sizes, float)
    heading = np.arctan2(states[3] * DIRECTION, states[2] * DIRECTION)
    present = np.flatnonzero(states[0] != NOWHERE)[1:]
    return {n: (states[0, n] * PLACE_M, states[1, n] * PLACE_M, heading[n], *sizes[n]) for n in present}


def test_the_closest_agents_are_the_closest_by_brute_force() -> None:
    few = jax.jit(lambda scene, state: sim.observe(scene, state, spec=ObservationSpec(agents=5)))(SCENE, STATE)
    ego = np.asarray(SCENE.log.ego[0], float)
    apart = sorted(np.hypot(box[0] - ego[0], box[1] - ego[1]) for box in world_boxes().values())
    found = np.hypot(*np.asarray(few.agents.features)[:, :2].T)
    np.testing.assert_allclose(np.sort(found), apart[:5], atol=1e-3)
    assert few.agents.valid.all()


def test_agents_are_as_far_as_their_boxes_are() -> None:
    ego = np.asarray(SCENE.log.ego[0], float)
    own = polygon(*ego[:3], *np.asarray(SCENE.log.sizes[0], float))
    truth = sorted(shapely.distance(own, polygon(*box)) for box in world_boxes().values())
    valid = np.asarray(SEEN.agents.valid)
    found = np.asarray(SEEN.agents.features)[valid, AGENT.index("distance")]
    np.testing.assert_allclose(np.sort(found), truth, atol=2e-3)
    assert valid.sum() == len(truth)
    assert (np.asarray(SEEN.agents.features)[~valid] == 0).all()


def test_agents_have_their_place_on_the_route() -> None:
    """Against shapely's projection on the line through the same points, for those who are not past its ends."""
    line = np.asarray(SCENE.route.line, float)[:, :2][: int(float(SCENE.route.length) / 2.0) + 1]
    first = max(int(float(STATE.distance) / 2.0) - BACK, 0)
    seen_part = shapely.LineString(line[first : first + STRIDE * (POINTS - 1) + 1 : STRIDE])
    valid, found = np.asarray(SEEN.agents.valid), np.asarray(SEEN.agents.features)
    x, y, heading = np.asarray(SCENE.log.ego[0, :3], float)
    compared = 0
    for features in found[valid]:
        own = features[:2] @ np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        place = shapely.Point(own[0] + x, own[1] + y)
        along = seen_part.project(place)
        if not 0.0 < along < seen_part.length:
            continue
        compared += 1
        ahead, aside = features[AGENT.index("ahead")], features[AGENT.index("aside")]
        np.testing.assert_allclose(ahead, 2.0 * first + along - float(STATE.distance), atol=0.3)
        np.testing.assert_allclose(abs(aside), seen_part.distance(place), atol=0.3)
        velocity = features[[AGENT.index("velocity_x"), AGENT.index("velocity_y")]]
        assert abs(features[AGENT.index("along_speed")]) <= np.hypot(*velocity) + 1e-4
    assert compared >= 3


def test_without_a_route_nobody_has_a_place_on_it() -> None:
    lost = replace(SCENE, route=replace(SCENE.route, length=jnp.float32(0.0)))
    seen = jax.jit(sim.observe)(lost, STATE)
    places = np.asarray(seen.agents.features)[:, [AGENT.index(name) for name in ("ahead", "aside", "along_speed")]]
    assert (places == 0.0).all()


def test_road_elements_are_the_listed_ones_in_the_ego_frame() -> None:
    features, valid = np.asarray(SEEN.roads.features), np.asarray(SEEN.roads.valid)
    assert valid.any()
    elements = np.asarray(SCENE.roads.elements, float)
    x, y, heading = np.asarray(SCENE.log.ego[0, :3], float)
    offset = elements[elements[:, 0] != NOWHERE, :2] * PLACE_M - [x, y]
    turned = offset @ np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    for place in features[valid][:, :2]:
        assert np.hypot(*(turned - place).T).min() < 1e-3
    nearest = np.hypot(*turned.T).min()
    assert np.isclose(np.hypot(*features[valid][:, :2].T).min(), nearest, atol=1e-3)


def test_the_route_shows_both_borders_of_each_lane_abreast() -> None:
    features, valid = np.asarray(SEEN.route.features), np.asarray(SEEN.route.valid)
    assert valid[:2, 10:].any(axis=1).all()
    assert not valid[2].any()
    width = np.hypot(features[..., 0] - features[..., 2], features[..., 1] - features[..., 3])
    np.testing.assert_allclose(width[valid], 3.6, atol=0.15)
    here = features[0, 10] if valid[0, 10] else features[1, 10]
    assert here[1] > here[3]  # The left border lies to the left.
    assert abs(here[0]) < 2.1


def test_remaining_time_is_for_the_value_alone() -> None:
    np.testing.assert_allclose(SEEN.value_only, [8.0])
    later = replace(SCENE, log=replace(SCENE.log, steps=jnp.int32(21)))
    shorter = jax.jit(sim.observe)(later, STATE)
    np.testing.assert_allclose(shorter.value_only, [4.0])
    for one, other in zip(
        jax.tree.leaves(replace(SEEN, value_only=jnp.zeros(1))),
        jax.tree.leaves(replace(shorter, value_only=jnp.zeros(1))),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_the_ego_knows_its_speed_its_limit_and_the_line_ahead() -> None:
    ego = dict(zip(EGO, np.asarray(SEEN.ego), strict=True))
    np.testing.assert_allclose([ego["speed"], ego["length"], ego["width"]], [8.0, 4.8, 2.0], atol=1e-3)
    np.testing.assert_allclose(ego["speed_limit"], 13.9, atol=1e-3)
    assert ego["limit_known"] == 1.0
    lines = np.asarray(SCENE.route.stop_at)
    np.testing.assert_allclose(ego["line_ahead"], lines[0] - float(STATE.distance) - 2.4, atol=1e-3)
    assert (ego["line_is_light"], ego["light_is_go"], ego["light_is_stop"]) == (1.0, 1.0, 0.0)
    assert abs(ego["offset"]) < 0.05
    assert ego["course_cosine"] > 0.999


def test_bfloat16_is_the_same_view_in_fewer_digits() -> None:
    spec = ObservationSpec(dtype="bfloat16")
    narrow = jax.jit(lambda scene, state: sim.observe(scene, state, spec=spec))(SCENE, STATE)
    assert narrow.agents.features.dtype == jnp.bfloat16
    assert narrow.value_only.dtype == jnp.float32
    wide = np.asarray(SEEN.agents.features)
    np.testing.assert_allclose(np.asarray(narrow.agents.features, np.float32), wide, rtol=8e-3, atol=1e-6)
