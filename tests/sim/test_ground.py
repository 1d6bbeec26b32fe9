import jax.numpy as jnp
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.measures.ground import FARTHEST_M, border_points, measure_ground
from sim.scenario.record import CELL_M, DISTANCE_M, TILE_CELLS, TILE_M, Ground
from tests.sim.scenes import road, road_recording

BOUND_M = CELL_M / np.sqrt(2) + DISTANCE_M / 2
"""Bilinear between samples of what changes by at most 1 m a metre, each rounded to 5 cm."""


def discs(centres: np.ndarray, radii: np.ndarray) -> Ground:
    """A road of discs, on 2 x 2 tiles, in single samples computed from the definition."""
    steps = CELL_M * np.arange(TILE_CELLS)
    tiles = []
    for row in range(2):
        for column in range(2):
            x, y = np.meshgrid(column * TILE_M + steps, row * TILE_M + steps)
            tiles.append(true_distance(centres, radii, x, y))
    values = np.clip(np.rint(np.stack(tiles) / DISTANCE_M), -127, 127).astype(np.int8)
    return Ground(
        origin=jnp.zeros(2),
        tiles=jnp.arange(4, dtype=jnp.int16).reshape(2, 2),
        distances=jnp.asarray(values),
        lanes=jnp.asarray((values > 0).astype(np.uint8)),
        listed=jnp.zeros((4, 2, 2, 1), jnp.int16),
    )


def true_distance(centres: np.ndarray, radii: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    apart = np.hypot(x[..., None] - centres[:, 0], y[..., None] - centres[:, 1])
    return (radii - apart).max(-1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_the_raster_errs_by_less_than_its_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, radii = rng.uniform(0, 2 * TILE_M, (12, 2)), rng.uniform(0.2, 8.0, 12)
    x, y = rng.uniform(0, 2 * TILE_M, (2, 512)).astype(np.float32)
    found, _ = measure_ground(discs(centres, radii), jnp.asarray(x), jnp.asarray(y))
    truth = true_distance(centres, radii, x.astype(float), y.astype(float))
    near = np.abs(truth) < FARTHEST_M - 1.0
    assert np.abs(np.asarray(found) - truth)[near].max() <= BOUND_M


def test_nothing_is_on_the_road_where_no_tile_is() -> None:
    ground = discs(np.array([[10.0, 10.0]]), np.array([50.0]))
    x = jnp.array([-0.01, 63.1, 10.0, jnp.nan, 1e30, -1e30])
    y = jnp.array([10.0, 10.0, 200.0, 10.0, 10.0, jnp.inf])
    distance, on_route = measure_ground(ground, x, y)
    np.testing.assert_allclose(distance, -FARTHEST_M)
    assert not on_route.any()


def test_a_prepared_road_has_its_edges_where_they_are() -> None:
    scene, recording = road(0, 0.01), road_recording(seed=0, curvature=0.01)
    right, left = (recording.map.roads[number].points[:, :2] for number in (0, 1))
    area = shapely.Polygon(np.concatenate([right, left]))
    centre = np.asarray(recording.agents.position[0, 0, :2]) - np.asarray(scene.log.ego[0, :2])
    rng = np.random.default_rng(0)
    ego = np.asarray(scene.log.ego)[rng.integers(0, 41, 400), :2] + rng.normal(0, 4, (400, 2))
    found, on_route = measure_ground(scene.ground, *jnp.asarray(ego.T, jnp.float32))
    points = shapely.points(ego + centre)
    truth = np.where(area.contains(points), 1, -1) * shapely.distance(area.boundary, points)
    near = np.abs(truth) < 5.0
    np.testing.assert_allclose(np.asarray(found)[near], truth[near], atol=BOUND_M)
    assert np.median(np.abs(np.asarray(found) - truth)[near]) < 0.03
    assert on_route[truth > 1.0].all()
    assert not on_route[truth < -0.5].any()


def test_border_points_go_round_the_box() -> None:
    x, y = border_points(jnp.float32(1), jnp.float32(2), (jnp.float32(0), jnp.float32(1)), size=jnp.array([4.0, 2.0]))
    np.testing.assert_allclose([x.min(), x.max(), y.min(), y.max()], [0, 2, 0, 4], atol=1e-6)
    assert abs(shapely.Polygon(np.stack([x, y], 1)).area - 8.0) < 1e-5
