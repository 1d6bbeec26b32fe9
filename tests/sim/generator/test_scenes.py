"""What the generator promises of every scene."""

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import pairwise

import jax
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.generator import HARD_KINDS, KINDS, TAGS, GeneratorSpec, NoScene, drawn_scene, generate, scene, scenes
from sim.generator.checks import corners, faults, overlapping, overlaps
from sim.kinds import LightState, RoadKind, StopKind
from sim.recording import Recording
from sim.scenario import Sizes

PLAIN = GeneratorSpec(hard_share=0.0)
FRONT_M = 0.3
"""Rear axle behind the middle of a car, as a share of its length."""


def hard_spec(tag: str) -> GeneratorSpec:
    return GeneratorSpec(hard_share=1.0, tags=(tag,))


@pytest.fixture(scope="module")
def examples() -> dict[str, Recording]:
    """One scene of every kind and one of every hard situation."""
    made = {kind: scene(2, 0, spec=replace(PLAIN, kinds=(kind,))) for kind in KINDS}
    return made | {tag: scene(2, 0, spec=hard_spec(tag)) for tag in TAGS}


def arrays_of(record: object) -> Iterator[bytes]:
    """Every array and value in a record, in order."""
    if isinstance(record, np.ndarray):
        yield record.tobytes()
    elif isinstance(record, tuple):
        for part in record:
            yield from arrays_of(part)
    elif hasattr(record, "__dataclass_fields__"):
        for item in fields(record):  # type: ignore[arg-type]
            yield from arrays_of(getattr(record, item.name))
    else:
        yield repr(record).encode()


def test_the_same_seed_gives_the_same_bytes_however_many_scenes_are_made() -> None:
    alone = list(arrays_of(scene(7, 1)))
    assert alone == list(arrays_of(list(scenes(7, 2))[1]))
    assert alone != list(arrays_of(scene(8, 1)))


def test_every_kind_and_every_hard_situation_is_made(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        assert name in recording.tags
        assert recording.agents.valid.shape[1] == 151
        assert recording.step_s == pytest.approx(0.2)


def test_every_hard_situation_has_a_road_to_happen_on() -> None:
    assert set(HARD_KINDS) == set(TAGS)
    assert all(set(kinds) <= set(KINDS) for kinds in HARD_KINDS.values())


def test_the_expert_has_no_faults_and_nobody_overlaps(examples: dict[str, Recording]) -> None:
    for recording in examples.values():
        assert faults(recording) == []


def test_no_box_of_the_expert_meets_another_by_polygons(examples: dict[str, Recording]) -> None:
    for recording in examples.values():
        agents = recording.agents
        boxes = shapely.polygons(corners(agents.position, agents.heading, agents.size[:, None]))
        for step in range(0, 151, 5):
            others = boxes[1:, step][agents.valid[1:, step]]
            assert not shapely.intersects(boxes[0, step], others).any()


def test_the_expert_moves_as_a_bicycle_can(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        speed, steering = driven(recording)
        acceleration = np.diff(speed) / recording.step_s
        assert acceleration.min() > -4.0, name
        assert acceleration.max() < 3.0, name
        assert np.abs(steering).max() < 0.6, name
        assert np.abs(np.diff(steering)).max() / recording.step_s < 0.8, name


def driven(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Speed of the rear axle, and the steering angle of a bicycle whose wheelbase is 0.6 of the length."""
    agents, ego = recording.agents, recording.ego
    heading = np.unwrap(agents.heading[ego])
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    rear = agents.position[ego, :, :2] - FRONT_M * agents.size[ego, 0] * forward
    moved = np.hypot(*np.diff(rear, axis=0).T)
    useful = moved > 0.1
    curvature = np.diff(heading)[useful] / moved[useful]
    return np.hypot(*agents.velocity[ego].T), np.arctan(0.6 * agents.size[ego, 0] * curvature)


def test_every_position_follows_from_the_velocity(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        agents = recording.agents
        both = agents.valid[:, 1:] & agents.valid[:, :-1]
        middle = 0.5 * (agents.velocity[:, 1:] + agents.velocity[:, :-1]) * recording.step_s
        error = np.hypot(*np.moveaxis(np.diff(agents.position[:, :, :2], axis=1) - middle, -1, 0))
        # The middle of a car that turns swings sideways, while its velocity is told along its heading.
        assert error[both].max() < 0.35, name


def test_crossing_streams_never_have_green_together(examples: dict[str, Recording]) -> None:
    for name in ("crossing-lights", "t-lights", "red-light-runner"):
        stops = [stop for stop in examples[name].map.stops if stop.kind == StopKind.LIGHT]
        shown = np.stack([stop.states for stop in stops if stop.states is not None])
        different = np.unique(shown, axis=0)
        assert len(different) == 2
        assert ((different == LightState.STOP).sum(axis=0) >= 1).all()


def test_yellow_follows_green_and_red_follows_yellow(examples: dict[str, Recording]) -> None:
    allowed = {
        (LightState.GO, LightState.CAUTION),
        (LightState.CAUTION, LightState.STOP),
        (LightState.STOP, LightState.GO),
    }
    for stop in examples["crossing-lights"].map.stops:
        assert stop.states is not None
        pairs = {(a, b) for a, b in pairwise(stop.states) if a != b}
        assert pairs <= allowed


def test_lanes_lead_on_where_they_say(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        lanes = {lane.lane_id: lane for lane in recording.map.lanes}
        for lane in lanes.values():
            for after in lane.exits:
                assert np.hypot(*(lane.centre[-1] - lanes[after].centre[0])[:2]) < 1e-6, name
                assert lane.lane_id in lanes[after].entries
            for beside in (*lane.left_neighbours, *lane.right_neighbours):
                assert beside in lanes
        route = recording.route or ()
        assert all(after in lanes[before].exits for before, after in pairwise(route))


def test_no_lane_bends_sharper_than_six_metres(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        for lane in recording.map.lanes:
            way = np.diff(lane.centre[:, :2], axis=0)
            turned = np.abs(np.diff(np.unwrap(np.arctan2(way[:, 1], way[:, 0]))))
            length = 0.5 * (np.hypot(*way[1:].T) + np.hypot(*way[:-1].T))
            assert (turned / length).max(initial=0.0) < 1.0 / 6.0, (name, lane.lane_id)


def test_what_is_drivable_lies_left_of_the_edges(examples: dict[str, Recording]) -> None:
    for name, recording in examples.items():
        rings = [road.points[:, :2] for road in recording.map.roads if road.kind == RoadKind.ROAD_EDGE]
        outer = [shapely.Polygon(ring) for ring in rings if shapely.LinearRing(ring).is_ccw]
        holes = [shapely.Polygon(ring) for ring in rings if not shapely.LinearRing(ring).is_ccw]
        drivable = shapely.union_all(outer).difference(shapely.union_all(holes)).buffer(0.05)
        for lane in recording.map.lanes:
            inside = shapely.contains_xy(drivable, lane.centre[:, 0], lane.centre[:, 1])
            assert inside.all(), (name, lane.lane_id)


def test_the_expert_brakes_hard_for_hard_situations(examples: dict[str, Recording]) -> None:
    for tag in TAGS:
        speed = np.hypot(*examples[tag].agents.velocity[0].T)
        assert np.diff(speed).min() / 0.2 < -1.0, tag


@settings(max_examples=4, deadline=None)
@given(st.integers(min_value=0, max_value=2**31))
def test_scenes_of_any_seed_are_without_faults(seed: int) -> None:
    recording = scene(seed, 0)
    assert faults(recording) == []
    assert np.isfinite(recording.agents.position).all()


def test_drawings_are_rarely_thrown_away() -> None:
    drawn = [drawn_scene(1, number, spec=PLAIN) for number in range(8)]
    assert sum(len(one.faults) for one in drawn) <= 2


def test_a_scene_that_never_comes_out_well_is_an_error_that_names_it() -> None:
    impossible = replace(hard_spec("red-light-runner"), steps=3, most_redraws=1)
    with pytest.raises(NoScene, match="scene 4 of seed 9"):
        scene(9, 4, spec=impossible)


def test_boxes_overlap_exactly_when_their_polygons_do() -> None:
    generator = np.random.default_rng(3)
    size = generator.uniform(0.5, 6.0, (400, 2, 2))
    place, heading = generator.uniform(-3, 3, (400, 2, 2)), generator.uniform(-4, 4, (400, 2))
    boxes = corners(place, heading, size)
    expected = shapely.intersects(shapely.polygons(boxes[:, 0]), shapely.polygons(boxes[:, 1]))
    assert np.array_equal(overlapping(boxes[:, 0], boxes[:, 1]), expected)
    assert 50 < expected.sum() < 350


def test_an_overlap_that_is_put_in_is_found(examples: dict[str, Recording]) -> None:
    agents = examples["curved-road"].agents
    position = agents.position.copy()
    position[1, 40] = position[0, 40]
    valid = agents.valid.copy()
    valid[1, 40] = True
    assert (40, 0, 1) in overlaps(replace(agents, position=position, valid=valid))


def test_generate_stacks_prepared_scenes_and_equal_keys_give_equal_scenes() -> None:
    sizes, spec = Sizes(agents=128), replace(PLAIN, kinds=("curved-road", "t-stops"))
    first, second = (generate(jax.random.key(3), 2, spec=spec, sizes=sizes) for _ in range(2))
    assert first.log.states.shape == (2, 151, 6, 128)
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (first.route.length > 100.0).all()
