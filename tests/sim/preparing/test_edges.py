import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.preparing.edges import edges_of, lane_borders, oriented_by_lanes, signed_distances
from sim.preparing.lanes import lane_graph, lane_points
from tests.sim.recordings import lane, straight

SAMPLE_M = 0.25


def star(seed: int) -> shapely.Polygon:
    """A polygon with sharp corners, and a hole in it; no ring crosses itself, as the middle sees every corner."""
    generator = np.random.default_rng(seed)
    angles = 2 * np.pi * (np.arange(14) + generator.uniform(0, 0.95, 14)) / 14
    radius = generator.uniform(12, 40, 14)
    outer = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    hole = 3.0 * np.array([[0.0, 0.0], [1.0, 0.2], [0.3, 1.0]])
    shape = shapely.Polygon(outer).difference(shapely.Polygon(hole))
    return shape if shape.geom_type == "Polygon" else max(shape.geoms, key=lambda part: part.area)


def rings(shape: shapely.Polygon) -> list[np.ndarray]:
    shape = shapely.orient_polygons(shape)
    return [np.asarray(ring.coords) for ring in (shape.exterior, *shape.interiors)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_signed_distance_is_that_of_the_polygon(seed: int) -> None:
    shape = star(seed)
    points = np.random.default_rng(seed + 1).uniform(-45, 45, (400, 2))
    found = signed_distances(edges_of(rings(shape)), points)
    exact = shapely.distance(shape.boundary, shapely.points(points))
    # The nearest sample of the edge may belong to another segment, which is farther by less than this.
    assert (np.abs(found) <= np.sqrt(exact**2 + SAMPLE_M**2 / 4) + 1e-9).all()
    assert (np.abs(found) >= exact - 1e-9).all()
    clear = exact > SAMPLE_M
    assert ((found > 0) == shapely.contains_xy(shape, points))[clear].all()


def test_pieces_that_meet_end_to_end_decide_their_corner_together() -> None:
    corner = [straight((0.0, 10.0), (0.0, 0.0)), straight((0.0, 0.0), (10.0, 0.0))]
    inside, outside = np.array([[3.0, 3.0]]), np.array([[-2.0, -3.0]])
    edges = edges_of([piece[:, :2] for piece in corner])
    assert signed_distances(edges, inside)[0] == pytest.approx(3.0)
    assert signed_distances(edges, outside)[0] == pytest.approx(-np.hypot(2.0, 3.0))


def test_an_edge_that_all_lanes_contradict_is_turned_round() -> None:
    graph = lane_graph([lane("a", straight((-30.0, 0.0), (30.0, 0.0)))])
    right_way = straight((-30.0, -2.0), (30.0, -2.0))[:, :2]
    wrong_way = straight((-30.0, 1.5), (30.0, 1.5))[:, :2]
    edges, turned = oriented_by_lanes(edges_of([right_way, wrong_way]), lane_points(graph))
    assert turned == 1
    middle, beyond = np.array([[0.0, 0.3]]), np.array([[0.0, 3.0]])
    assert signed_distances(edges, middle)[0] == pytest.approx(1.2)
    assert signed_distances(edges, beyond)[0] == pytest.approx(-1.5)


def test_edges_made_of_lanes_lie_half_a_metre_beside_them() -> None:
    graph = lane_graph([lane("a", straight((-30.0, 0.0), (30.0, 0.0))), lane("b", straight((-30.0, 3.5), (30.0, 3.5)))])
    edges = edges_of(lane_borders(graph))
    assert signed_distances(edges, np.array([[0.0, -2.0], [0.0, 1.75], [0.0, -2.5]])) == pytest.approx(
        [0.25, 4.0, -0.25]
    )
