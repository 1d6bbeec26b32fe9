from dataclasses import fields, replace

import jax
import numpy as np
import pytest

from sim.kinds import LightState, RoadKind, StopKind
from sim.preparing import Prepared, Report, prepare
from sim.recording import Agents, Map, Recording, Road
from sim.scenario.record import NOWHERE, PLACE_M, ROUTE_STEP_M, STEP_S, Scenario, Sizes
from tests.sim.recordings import lane, moving, straight, two_lane_map, two_lane_road

SIZES = Sizes(agents=8, steps=60, route_points=256, tiles=24, roads=256, listed=32)


def agents_moved(agents: Agents, offset: tuple[float, float, float]) -> Agents:
    return replace(agents, position=agents.position + np.array(offset))


def moved(recording: Recording, offset: tuple[float, float, float]) -> Recording:
    shift = np.array(offset)
    lanes = tuple(
        replace(it, centre=it.centre + shift, left=it.left + shift[:2], right=it.right + shift[:2])
        for it in recording.map.lanes
        if it.left is not None and it.right is not None
    )
    roads = tuple(replace(it, points=it.points + shift) for it in recording.map.roads)
    stops = tuple(replace(it, position=it.position + shift) for it in recording.map.stops)
    return replace(recording, agents=agents_moved(recording.agents, offset), map=Map(lanes, roads, stops))


def differences(first: Scenario, second: Scenario) -> list[float]:
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return [float(np.abs(np.nan_to_num(a.astype(float)) - np.nan_to_num(b.astype(float))).max()) for a, b in pairs]


def on_route(made: Prepared) -> np.ndarray:
    """Whether each recorded pose of the ego lies on a permitted lane."""
    ground, steps = made.scenario.ground, int(made.scenario.log.steps)
    place = (np.asarray(made.scenario.log.ego)[:steps, :2] - np.asarray(ground.origin)) / 31.5
    cell = np.floor(place).astype(int)
    number = np.asarray(ground.tiles)[cell[:, 1], cell[:, 0]]
    sample = np.rint((place - cell) * 63).astype(int)
    return (np.asarray(ground.lanes)[number, sample[:, 1], sample[:, 0]] > 0) & (number >= 0)


def test_a_plain_recording_loses_nothing() -> None:
    made = prepare(two_lane_road(), SIZES)
    assert made.report == Report()
    assert int(made.scenario.log.steps) == 46
    assert on_route(made).all()


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Points [P, 2 or 3] turned about the origin."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([cosine * x - sine * y, sine * x + cosine * y, points[:, 2:]])


@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi / 4])
def test_at_the_default_sizes_nine_hundred_metres_in_thirty_seconds_lose_nothing(angle: float) -> None:
    """Along a border of tiles, slanting across them, and through their corners."""
    map_ = two_lane_map(1000.0)
    lanes = tuple(
        replace(it, centre=turned(it.centre, angle), left=turned(it.left, angle), right=turned(it.right, angle))
        for it in map_.lanes
        if it.left is not None and it.right is not None
    )
    roads = tuple(replace(it, points=turned(it.points, angle)) for it in map_.roads)
    way = np.array([np.cos(angle), np.sin(angle)])
    agents = moving([tuple(-450.0 * way)], [tuple(30.0 * way)], steps=151, step_s=STEP_S)
    made = prepare(Recording("motorway", STEP_S, agents, 0, Map(lanes, roads)))
    assert made.report == Report()
    assert int(made.scenario.log.steps) == 151
    assert on_route(made).all()
    ground, ego = made.scenario.ground, np.asarray(made.scenario.log.ego)
    corners = ego[:, None, :2] + np.array([[2.5, 2.5], [2.5, -2.5], [-2.5, 2.5], [-2.5, -2.5]])
    column, row = np.floor((corners.reshape(-1, 2) - np.asarray(ground.origin)) / 31.5).astype(int).T
    assert (np.asarray(ground.tiles)[row, column] >= 0).all()
    np.testing.assert_allclose(np.asarray(made.scenario.log.ego)[-1, 4] - made.scenario.log.ego[0, 4], 900.0, atol=0.1)


def test_the_default_scenario_needs_a_megabyte_and_a_half() -> None:
    scenario = prepare(two_lane_road()).scenario
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(scenario)) <= 1.5e6


def test_the_log_gives_back_every_pose_to_the_centimetre() -> None:
    recording = two_lane_road()
    made = prepare(recording, SIZES)
    states = np.asarray(made.scenario.log.states)
    for agent, name in enumerate(made.agent_ids):
        row = recording.agents.ids.index(name)
        place = states[:46, :2, agent] * PLACE_M + np.array(made.centre)
        assert np.abs(place - recording.agents.position[row, ::2, :2]).max() <= PLACE_M / 2 + 1e-9
    assert (states[:, 0, 3:] == NOWHERE).all()
    assert (states[46:, 0] == NOWHERE).all()


def test_the_ego_comes_first_and_the_others_by_how_near_they_come() -> None:
    agents = moving([(50.0, 7.0), (-40.0, 0.0), (-40.0, 3.5)], [(0.0, 0.0), (10.0, 0.0), (10.0, 0.0)])
    made = prepare(Recording("order", 0.1, agents, 1, two_lane_map()), replace(SIZES, agents=2))
    assert made.agent_ids == ("car-1", "car-2")
    assert made.report.agents_dropped == 1


def test_where_the_origin_lies_changes_nothing() -> None:
    recording = two_lane_road(light=LightState.GO)
    there = moved(recording, (5000.0, -3000.0, 120.0))
    assert max(differences(prepare(recording, SIZES).scenario, prepare(there, SIZES).scenario)) < 1.5e-3


def test_the_rate_of_the_source_changes_nothing() -> None:
    every = two_lane_road()
    agents = every.agents
    second = replace(
        agents,
        position=agents.position[:, ::2],
        heading=agents.heading[:, ::2],
        velocity=agents.velocity[:, ::2],
        valid=agents.valid[:, ::2],
    )
    thinned = replace(every, step_s=STEP_S, agents=second)
    assert max(differences(prepare(every, SIZES).scenario, prepare(thinned, SIZES).scenario)) == 0.0


def test_a_rate_that_does_not_fit_is_interpolated_between_seen_states() -> None:
    agents = moving([(-40.0, 0.0)], [(10.0, 0.0)], steps=10, step_s=0.5)
    made = prepare(Recording("2 Hz", 0.5, agents, 0, two_lane_map()), SIZES)
    ego = np.asarray(made.scenario.log.ego)[: int(made.scenario.log.steps)]
    assert np.diff(ego[:, 0]) == pytest.approx(10.0 * STEP_S, abs=1e-4)


def test_distance_along_the_route_is_what_was_driven() -> None:
    made = prepare(two_lane_road(speed=12.0), SIZES)
    along = np.asarray(made.scenario.log.ego)[:46, 4]
    assert np.diff(along) == pytest.approx(12.0 * STEP_S, abs=1e-3)


def test_the_route_has_the_lanes_of_its_direction_and_not_the_oncoming_one() -> None:
    made = prepare(two_lane_road(), SIZES)
    borders = np.asarray(made.scenario.route.borders).astype(float)
    there = borders[:, :, 0] > NOWHERE
    assert there.any(axis=1).sum() == 2
    middle = 40
    centres = (borders[there[:, middle], middle, 1] + borders[there[:, middle], middle, 3]) / 2 * PLACE_M
    assert sorted(centres + made.centre[1]) == pytest.approx([0.0, 3.5], abs=0.02)
    assert np.asarray(made.scenario.route.speed_limits)[middle] == pytest.approx(13.9)


def test_a_lane_that_was_left_for_a_stretch_the_map_does_not_know_stays_on_the_route() -> None:
    agents = moving([(-40.0, 0.0)], [(10.0, 0.0)])
    bulge = -5.0 * np.exp(-(((np.arange(91) - 45) / 12.0) ** 2))
    agents.position[0, :, 1] += bulge
    made = prepare(Recording("lay-by", 0.1, agents, 0, two_lane_map()), SIZES)
    assert on_route(made).all()


@pytest.mark.parametrize("start", [-4.0, -3.5, -3.0, -2.5])
def test_a_lane_shorter_than_a_car_leaves_no_hole_in_the_route(start: float) -> None:
    cuts, names = (-200.0, 0.0, 1.4, 200.0), ("before", "joint", "after")
    lanes = tuple(
        lane(name, straight((first, 0.0), (last, 0.0)), exits=names[number + 1 : number + 2])
        for number, (name, first, last) in enumerate(zip(names, cuts, cuts[1:], strict=False))
    )
    recording = two_lane_road(speed=1.0)
    recording.agents.position[0, :, 0] += 40.0 + start
    made = prepare(replace(recording, map=replace(recording.map, lanes=lanes)), SIZES)
    assert on_route(made).all()


def test_a_recording_without_lanes_keeps_its_path_as_the_route_and_says_so() -> None:
    recording = two_lane_road()
    made = prepare(replace(recording, map=replace(recording.map, lanes=())), SIZES)
    assert made.report.route_missing
    assert on_route(made).all()


def test_a_map_without_edges_gets_them_from_its_lanes_and_says_so() -> None:
    recording = two_lane_road()
    lanes_only = replace(recording.map, roads=())
    made = prepare(replace(recording, map=lanes_only), SIZES)
    assert made.report.edges_from_lanes
    distances = np.asarray(made.scenario.ground.distances)
    assert (distances > 0).any()
    assert (distances < 0).any()


def test_a_light_on_the_route_lies_where_its_line_is() -> None:
    made = prepare(two_lane_road(light=LightState.GO), SIZES)
    route = made.scenario.route
    assert np.asarray(route.stop_kinds)[0] == StopKind.LIGHT
    place = np.asarray(route.line)[round(float(route.stop_at[0]) / ROUTE_STEP_M), 0] + made.centre[0]
    assert place == pytest.approx(20.0, abs=1.1)
    assert (np.asarray(route.lights)[:46, 0] == LightState.GO).all()
    assert np.isinf(np.asarray(route.stop_at)[1:]).all()
    assert not made.report.expert_runs_red


def test_an_expert_that_runs_a_red_light_is_reported() -> None:
    assert prepare(two_lane_road(light=LightState.STOP), SIZES).report.expert_runs_red


def test_a_bridge_over_the_route_is_left_out_with_its_traffic() -> None:
    recording = two_lane_road()
    agents = moving([(-40.0, 0.0), (0.0, -60.0)], [(10.0, 0.0), (0.0, 10.0)])
    agents.position[1, :, 2] += 7.0
    bridge = lane("bridge", straight((0.0, -100.0), (0.0, 100.0), z=7.0))
    edges = tuple(Road(RoadKind.ROAD_EDGE, straight((x, -100.0), (x, 100.0), z=7.0)) for x in (3.0, -3.0))
    map_ = Map((*recording.map.lanes, bridge), (*recording.map.roads, *edges), ())
    made = prepare(Recording("bridge", 0.1, agents, 0, map_), SIZES)
    plain = prepare(Recording("no bridge", 0.1, moving([(-40.0, 0.0)], [(10.0, 0.0)]), 0, recording.map), SIZES)
    assert made.report.pieces_on_other_levels == 3
    assert max(differences(made.scenario, plain.scenario)) == 0.0


def test_the_scene_ends_where_the_ego_is_missing_for_more_than_a_second() -> None:
    recording = two_lane_road()
    recording.agents.valid[0, 10:15] = False
    recording.agents.valid[0, 40:60] = False
    made = prepare(recording, SIZES)
    assert int(made.scenario.log.steps) == 20
    assert np.diff(np.asarray(made.scenario.log.ego)[:20, 0]) == pytest.approx(2.0, abs=1e-4)


def test_what_finds_no_room_is_counted() -> None:
    made = prepare(two_lane_road(light=LightState.GO), replace(SIZES, steps=30, stops=0, roads=4, lanes=1))
    assert made.report.steps_dropped == 16
    assert made.report.stops_dropped == 1
    assert made.report.bands_dropped == 1
    assert made.report.elements_dropped > 0


@pytest.mark.parametrize("steps", [1, 2])
def test_a_scene_of_one_agent_and_hardly_a_step_is_a_scene(steps: int) -> None:
    recording = Recording("short", 0.1, moving([(0.0, 0.0)], [(0.0, 0.0)], steps=steps), 0, two_lane_map())
    made = prepare(recording, SIZES)
    assert int(made.scenario.log.steps) == 1
    assert on_route(made).all()


def test_scenes_of_equal_sizes_have_equal_shapes() -> None:
    short = Recording("short", 0.1, moving([(0.0, 0.0)], [(0.0, 0.0)], steps=1), 0, two_lane_map())
    shapes = [
        [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(prepare(it, SIZES).scenario)]
        for it in (short, two_lane_road())
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("position", np.nan, "position of agent car-1 at step 3 is .*must be finite"),
        ("heading", np.inf, "heading of agent car-1 at step 3"),
        ("velocity", -np.inf, "velocity of agent car-1 at step 3"),
    ],
)
def test_values_that_are_not_finite_are_refused_by_name(field: str, value: float, message: str) -> None:
    recording = two_lane_road()
    getattr(recording.agents, field)[1, 3] = value
    with pytest.raises(ValueError, match="two lanes: " + message):
        prepare(recording, SIZES)


def test_values_that_are_not_finite_may_stand_where_nothing_was_seen() -> None:
    recording = two_lane_road()
    recording.agents.valid[1, 3] = False
    recording.agents.position[1, 3] = np.nan
    assert prepare(recording, SIZES).report == Report()


def test_sizes_of_nothing_are_refused() -> None:
    recording = two_lane_road()
    recording.agents.size[2, 1] = 0.0
    with pytest.raises(ValueError, match="size of agent car-2"):
        prepare(recording, SIZES)


def test_an_ego_that_is_never_seen_is_refused() -> None:
    recording = two_lane_road()
    recording.agents.valid[0] = False
    with pytest.raises(ValueError, match="ego car-0 is valid at no step"):
        prepare(recording, SIZES)


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a road edge nor a drivable lane"):
        prepare(replace(two_lane_road(), map=Map()), SIZES)


def test_the_report_is_all_zero_by_default() -> None:
    assert not any(getattr(Report(), field.name) for field in fields(Report))
