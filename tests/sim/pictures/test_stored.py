"""A prepared scenario is drawn where the recording was."""

import numpy as np
import pytest
import shapely

from sim.generator import GeneratorSpec, scene
from sim.kinds import RoadKind
from sim.pictures import Backdrop, View, draw_step, ground_picture, poses_of, recording_of
from sim.pictures.birdseye import ASPHALT, GROUND
from sim.pictures.stored import _areas
from sim.preparing import Prepared, prepare
from sim.recording import Recording
from sim.scenario import Sizes
from tests.sim.pictures.test_birdseye import EGO, centre_of

SIZES = Sizes(agents=64, steps=31, roads=512)


@pytest.fixture(scope="module")
def original() -> Recording:
    return scene(2, 0, spec=GeneratorSpec(kinds=("t-lights",), hard_share=0.0, steps=31))


@pytest.fixture(scope="module")
def prepared(original: Recording) -> Prepared:
    return prepare(original, SIZES)


@pytest.fixture(scope="module")
def again(prepared: Prepared) -> Recording:
    return recording_of(prepared.scenario, name="again", tags=("t-lights",))


def test_every_agent_is_where_it_was_to_a_centimetre(original: Recording, prepared: Prepared, again: Recording) -> None:
    rows = [original.agents.ids.index(name) for name in prepared.agent_ids]
    valid = original.agents.valid[rows]
    np.testing.assert_array_equal(again.agents.valid, valid)
    before = original.agents.position[rows, :, :2] - prepared.centre
    np.testing.assert_allclose(again.agents.position[:, :, :2][valid], before[valid], atol=0.011)
    np.testing.assert_allclose(again.agents.velocity[valid], original.agents.velocity[rows][valid], atol=0.006)
    np.testing.assert_allclose(again.agents.size, original.agents.size[rows], atol=1e-5)
    turned = np.angle(np.exp(1j * (again.agents.heading - original.agents.heading[rows])))
    assert np.abs(turned[valid]).max() < 1e-4


def test_lights_stand_on_the_route_and_show_what_they_showed(
    original: Recording, prepared: Prepared, again: Recording
) -> None:
    assert again.map.stops
    for stop in again.map.stops:
        apart = [np.hypot(*(other.position[:2] - prepared.centre - stop.position[:2])) for other in original.map.stops]
        assert min(apart) < 4.0
        assert stop.states is not None
        shown = [other.states[:31].tolist() for other in original.map.stops if other.states is not None]
        assert stop.states.tolist() in shown


def test_crosswalks_are_the_areas_that_they_were_and_drawn_in_stripes(
    original: Recording, prepared: Prepared, again: Recording
) -> None:
    before, after = (
        [shapely.Polygon(road.points[:, :2]) for road in recording.map.roads if road.kind == RoadKind.CROSSWALK]
        for recording in (original, again)
    )
    assert len(before) == len(after) > 0
    for area in after:
        there = shapely.transform(area, lambda points: points + prepared.centre)
        assert max(there.intersection(other).area / there.union(other).area for other in before) > 0.95
    middle = shapely.get_coordinates(after[0].centroid)[0]
    image = Backdrop(again, View((middle[0], middle[1]), span_m=12.0, pixels=120)).image
    white = (np.asarray(image) == 255).all(axis=2)
    assert 0.3 < white[90:150, 90:150].mean() < 0.7


def test_a_crosswalk_whose_sides_came_in_pieces_is_a_rectangle_and_one_without_a_side_stays_lines() -> None:
    corners = np.array([[0.0, 0.0], [15.0, 0.0], [30.0, 0.0], [30.0, 4.0], [15.0, 4.0], [0.0, 4.0]])
    pieces = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)[[3, 0, 5, 2, 1, 4]]
    (area,) = _areas(pieces)
    assert sorted(map(tuple, area.round(6).tolist())) == [(0.0, 0.0), (0.0, 4.0), (30.0, 0.0), (30.0, 4.0)]
    assert [len(line) for line in _areas(pieces[1:])] == [2] * 5
    assert _areas(np.zeros((0, 2, 2))) == []


def test_the_ground_is_road_where_the_ego_drives_and_nothing_far_away(prepared: Prepared, again: Recording) -> None:
    x, y, _ = poses_of(again)[15]
    view = View((x, y), span_m=60.0, pixels=120)
    ground = ground_picture(prepared.scenario.ground, view)
    assert ground.size == (240, 240)
    assert ground.getpixel((120, 120)) == ASPHALT
    far = ground_picture(prepared.scenario.ground, View((5000.0, 0.0), span_m=60.0, pixels=16))
    assert far.getcolors() == [(32 * 32, GROUND)]
    image = draw_step(again, 15, backdrop=Backdrop(again, view, ground=ground))
    assert np.allclose(centre_of(image, EGO), [60.0, 60.0], atol=3.0)
