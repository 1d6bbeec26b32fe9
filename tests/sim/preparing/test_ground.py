import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.preparing.edges import edges_of
from sim.preparing.ground import ground_of, nearest_elements, tiles_near
from sim.preparing.tracks import Band, Track
from sim.scenario.record import BLOCKS, CELL_M, DISTANCE_M, TILE_CELLS, TILE_M, Sizes
from tests.sim.preparing.test_edges import rings, star

SIZES = Sizes(tiles=12, grid=8)
FARTHEST_M = 127 * DISTANCE_M


def track(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> Track:
    return Track([Band(np.array(left, float), np.array(right, float), np.arange(len(left), dtype=float), 0.0, 0)])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_sample_holds_its_distance_to_half_a_unit_also_where_it_was_filled_in(seed: int) -> None:
    shape = star(seed)
    path = np.array([[-20.0, -20.0], [20.0, 20.0]])
    tiles = tiles_near(path, path, SIZES)
    ground = ground_of(tiles, edges_of(rings(shape)), [], np.zeros((0, 4)), SIZES)
    places = tiles.samples().reshape(-1, 2)
    exact = shapely.distance(shape.boundary, shapely.points(places))
    stored = np.abs(np.asarray(ground.distances[: len(tiles.rows)], float).ravel()) * DISTANCE_M
    expected = np.minimum(exact, FARTHEST_M)
    assert (stored >= expected - DISTANCE_M / 2 - 1e-9).all()
    assert (stored <= np.minimum(np.sqrt(expected**2 + 0.125**2), FARTHEST_M) + DISTANCE_M / 2 + 1e-9).all()
    clear = exact > 0.3
    sign = np.asarray(ground.distances[: len(tiles.rows)]).ravel() > 0
    assert (sign == shapely.contains_xy(shape, places))[clear].all()


def test_each_track_has_a_bit_of_its_own_where_it_may_be_driven() -> None:
    path = np.array([[-10.0, 0.0], [10.0, 0.0]])
    tiles = tiles_near(path, path, SIZES)
    tracks = [track([(-20, 2), (20, 2)], [(-20, -2), (20, -2)]), track([(-20, 6), (20, 6)], [(-20, 2), (20, 2)])]
    edge = edges_of([np.array([[-50.0, -3.0], [50.0, -3.0]])])
    ground = ground_of(tiles, edge, tracks, np.zeros((0, 4)), SIZES)
    places = tiles.samples()
    bits = np.asarray(ground.lanes[: len(tiles.rows)])
    x, y = places[..., 0], places[..., 1]
    well_inside = np.abs(x) < 19.5
    for number, (low, high) in enumerate([(-2, 2), (2, 6)]):
        driven = (bits >> number) & 1
        assert (driven[well_inside & (y > low) & (y < high)] == 1).all()
        assert (driven[(y < low - 0.5) | (y > high + 0.5) | (np.abs(x) > 20.5)] == 0).all()


def test_neighbouring_tiles_share_their_border_samples() -> None:
    path = np.array([[-30.0, 3.0], [30.0, 5.0]])
    tiles = tiles_near(path, path, SIZES)
    ground = ground_of(tiles, edges_of(rings(star(7))), [], np.zeros((0, 4)), SIZES)
    numbers = np.asarray(ground.tiles)
    for row, column in zip(tiles.rows, tiles.columns, strict=True):
        if column + 1 < SIZES.grid and numbers[row, column + 1] >= 0:
            here, there = numbers[row, column], numbers[row, column + 1]
            assert (np.asarray(ground.distances)[here, :, -1] == np.asarray(ground.distances)[there, :, 0]).all()


def test_the_tiles_are_those_nearest_to_what_was_driven() -> None:
    driven = np.stack([np.linspace(-60, 60, 50), np.zeros(50)], axis=1)
    tiles = tiles_near(driven, driven, SIZES)
    reached = np.floor((driven - tiles.origin) / TILE_M).astype(int)
    chosen = set(zip(tiles.columns.tolist(), tiles.rows.tolist(), strict=True))
    assert {tuple(cell) for cell in reached.tolist()} <= chosen
    assert len(chosen) == SIZES.tiles
    assert TILE_M == CELL_M * (TILE_CELLS - 1)


def test_blocks_list_the_nearest_elements_in_order() -> None:
    generator = np.random.default_rng(3)
    elements = generator.uniform(-60, 60, (300, 4))
    path = np.zeros((1, 2))
    tiles = tiles_near(path, path, SIZES)
    listed = nearest_elements(tiles, elements, 16)
    for tile in range(len(tiles.rows)):
        for row in range(BLOCKS):
            for column in range(BLOCKS):
                middle = tiles.corners[tile] + TILE_M / BLOCKS * (np.array([column, row]) + 0.5)
                lines = shapely.linestrings(elements.reshape(-1, 2, 2))
                distance = shapely.distance(lines, shapely.points(middle))
                assert listed[tile, row, column].tolist() == np.argsort(distance, kind="stable")[:16].tolist()
