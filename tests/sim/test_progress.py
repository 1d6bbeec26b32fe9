import jax
import jax.numpy as jnp
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.progress import project
from tests.sim.scenes import road

ROUTE = road(1, 0.01).route
LINE = np.asarray(ROUTE.line, float)[: int(ROUTE.length // 2), :2]
projected = jax.jit(jax.vmap(lambda x, y, near: project(ROUTE, x, y, near=near)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_progress_is_the_nearest_point_of_the_whole_line(seed: int) -> None:
    """For places within 5 m of the line and a guess within 6 m of the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(10.0, 2.0 * len(LINE) - 20.0, 64)
    line = shapely.LineString(LINE)
    places = shapely.get_coordinates(shapely.line_interpolate_point(line, truth)) + rng.uniform(-3.5, 3.5, (64, 2))
    expected = shapely.line_locate_point(line, shapely.points(places))
    near = expected + rng.uniform(-6.0, 6.0, 64)
    found = projected(*jnp.asarray(places.T, jnp.float32), jnp.asarray(near, jnp.float32))
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_progress_is_sought_near_the_last_place_alone() -> None:
    far = jnp.asarray([LINE[60]], jnp.float32)
    found = projected(far[:, 0], far[:, 1], jnp.array([40.0]))
    assert 32.0 <= float(found[0]) <= 64.0
