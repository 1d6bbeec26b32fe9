"""Maps of a recording, mended; borders cut out of lines; edges of drivable areas."""

import numpy as np
import pytest
import shapely

from al_platform.datasets.scenarios.areas import edges_of
from al_platform.datasets.scenarios.borders import BorderPart, border_of
from al_platform.datasets.scenarios.maps import mended_map
from al_platform.errors import BrokenRecording
from sim.kinds import RoadKind, StopKind
from sim.recording import Lane, Road, StopPoint


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array([(x, y, 0.0) for x, y in points])


def test_a_lane_of_one_point_goes_and_what_it_joined_is_joined() -> None:
    lanes = [
        Lane("a", line((0, 0), (10, 0)), exits=("b", "x")),
        Lane("b", line((10, 0)), entries=("a",), exits=("c",)),
        Lane("c", line((10, 0), (20, 0)), entries=("b",), exits=("b",)),
    ]
    stop = StopPoint(StopKind.STOP_SIGN, ("b",), np.array([10.0, 1.0, 0.0]))
    found, repairs = mended_map(lanes, [], [stop])
    assert [(lane.lane_id, lane.entries, lane.exits) for lane in found.lanes] == [
        ("a", (), ("c",)),
        ("c", ("a",), ("c",)),
    ]
    assert found.stops[0].lane_ids == ("c",)
    assert repairs == {"lanes of one point": 1}


def test_points_that_are_not_finite_or_repeated_are_dropped() -> None:
    bent = line((0, 0), (0, 0), (5, 0), (np.nan, 0), (10, 0))
    found, repairs = mended_map([Lane("a", bent)], [Road(RoadKind.CROSSWALK, line((0, 0), (1, 0), (0, 0)))], [])
    np.testing.assert_array_equal(found.lanes[0].centre, line((0, 0), (5, 0), (10, 0)))
    assert found.roads == ()
    assert repairs == {"points of the map not finite or out of range": 1, "lines and areas of too few points": 1}


def test_a_closed_area_loses_its_repeated_point() -> None:
    square = line((0, 0), (2, 0), (2, 2), (0, 2), (0, 0))
    found, repairs = mended_map([Lane("a", line((0, 0), (9, 0)))], [Road(RoadKind.DRIVEWAY, square)], [])
    assert len(found.roads[0].points) == 4
    assert repairs == {}


@pytest.mark.parametrize("roads", [[], [Road(RoadKind.SOLID_LINE, line((0, 0), (5, 0)))]])
def test_an_empty_map_is_refused(roads: list[Road]) -> None:
    with pytest.raises(BrokenRecording, match="no map"):
        mended_map([Lane("a", line((0, 0)))], roads, [])


def test_a_border_is_cut_from_the_lines_beside_the_lane_in_its_direction() -> None:
    centre = line(*((x, 0.0) for x in range(0, 21, 2)))
    lines = {"far": line((30, 2), (10, 2), (-30, 2)), "near": line((10, 1.5), (40, 1.5))}
    border = border_of(centre, [BorderPart(5, 10, "near"), BorderPart(0, 5, "far")], lines)
    assert border is not None
    np.testing.assert_allclose(border, [(0, 2), (10, 2), (10, 1.5), (20, 1.5)])


@pytest.mark.parametrize("part", [BorderPart(0, 5, "near"), BorderPart(0, 99, "near"), BorderPart(0, 10, "gone")])
def test_a_border_of_a_part_of_the_lane_is_none(part: BorderPart) -> None:
    centre = line(*((x, 0.0) for x in range(0, 21, 2)))
    assert border_of(centre, [part], {"near": line((0, 1), (40, 1))}) is None


def test_edges_are_the_outline_of_the_union_with_the_ground_on_their_left() -> None:
    ring = [(0, 0), (10, 0), (10, 10), (0, 10)]
    hole = [line((10, 0), (20, 0), (20, 4), (10, 4)), line((10, 10), (10, 6), (20, 6), (20, 10))]
    areas = [line(*ring), *hole, line((20, 0), (30, 0), (30, 10), (20, 10)), line((0, 0), (np.nan, 1), (2, 2))]
    edges = edges_of(areas)
    assert len(edges) == 2  # around everything, and around the gap in the middle
    drivable = shapely.union_all([shapely.Polygon(area[:, :2]) for area in areas[:4]])
    for edge in edges:
        start, end = edge[:-1, :2], edge[1:, :2]
        along = (end - start) / np.linalg.norm(end - start, axis=1, keepdims=True)
        beside = (start + end) / 2 + 0.3 * np.column_stack([-along[:, 1], along[:, 0]])
        sides = np.linalg.norm(end - start, axis=1) > 1.0
        assert shapely.contains_xy(drivable, beside[sides, 0], beside[sides, 1]).all()
