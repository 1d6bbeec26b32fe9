import jax.numpy as jnp
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.geometry import Pair, distance, gap, pair, time_to_touch

COUNT = 64
unit = st.floats(0.0, 1.0, width=32)
numbers = arrays(np.float32, (6, COUNT), elements=unit)


def some_boxes(values: np.ndarray) -> tuple[Pair, tuple, tuple, np.ndarray]:
    """Boxes near each other in all attitudes, and the values as float64 rows: x, y, heading, length, width."""
    x, y = (values[:2].astype(np.float64) - 0.5) * 24.0
    heading = values[2] * 2.0 * np.pi
    length, width = 0.4 + 9.0 * values[3], 0.3 + 2.5 * values[4]
    own = (jnp.float32(2.4), jnp.float32(1.0))
    other = (jnp.asarray(length / 2, jnp.float32), jnp.asarray(width / 2, jnp.float32))
    boxes = pair(
        jnp.asarray(x, jnp.float32),
        jnp.asarray(y, jnp.float32),
        cosine=jnp.cos(jnp.asarray(heading, jnp.float32)),
        sine=jnp.sin(jnp.asarray(heading, jnp.float32)),
        half=own,
        other_half=other,
    )
    return boxes, own, other, np.stack([x, y, heading, length, width]).astype(np.float64)


def polygon(x: float, y: float, heading: float, length: float, width: float) -> shapely.Polygon:
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length / 2, width / 2]
    turn = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    return shapely.Polygon(corners @ turn + [x, y])


EGO = polygon(0.0, 0.0, 0.0, 4.8, 2.0)


@settings(max_examples=25, deadline=None)
@given(numbers)
def test_boxes_overlap_exactly_where_their_polygons_do(values: np.ndarray) -> None:
    boxes, own, other, rows = some_boxes(values)
    gaps, apart = np.asarray(gap(boxes)), np.asarray(distance(boxes, own, other))
    for number, row in enumerate(rows.T):
        truth = shapely.distance(EGO, polygon(*row))
        np.testing.assert_allclose(apart[number], truth, atol=2e-5)
        if abs(gaps[number]) > 1e-5:
            assert (gaps[number] < 0) == (truth == 0.0)
        assert gaps[number] <= truth + 2e-5


@settings(max_examples=15, deadline=None)
@given(numbers, st.floats(-15, 15, width=32), st.floats(-15, 15, width=32))
def test_boxes_touch_when_the_time_has_come_and_not_before(values: np.ndarray, vx: float, vy: float) -> None:
    boxes, *_, rows = some_boxes(values)
    times = np.asarray(time_to_touch(boxes, jnp.float32(vx), jnp.float32(vy)), np.float64)
    for (x, y, *shape), time in zip(rows.T, times, strict=True):
        apart = [shapely.distance(EGO, polygon(x + vx * t, y + vy * t, *shape)) for t in _moments(time)]
        if np.isfinite(time) and time < 60.0:
            assert apart[-1] < 2e-3  # Microseconds at 20 m/s, and single precision at 30 m.
            assert all(metres > 0.0 for metres in apart[:-1]) or time == 0.0
        elif np.isinf(time):
            depth = [shapely.intersection(EGO, polygon(x + vx * t, y + vy * t, *shape)).area for t in _moments(time)]
            assert max(depth) < 1e-2


def _moments(time: float) -> np.ndarray:
    end = min(time, 6.0) if np.isinf(time) else time
    return np.linspace(0.0, end, 9)


def test_boxes_that_stand_still_never_touch() -> None:
    boxes, *_ = some_boxes(np.full((6, COUNT), 0.9, np.float32))
    times = time_to_touch(boxes, jnp.float32(0.0), jnp.float32(0.0))
    assert np.isinf(np.asarray(times)).all()
    assert not jnp.isnan(gap(boxes)).any()
