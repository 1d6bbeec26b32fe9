"""Lookups in the rasters: off-road at eight points of the ego's border, off-route at its centre."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32

from sim.lookup import take
from sim.scenario.record import CELL_M, DISTANCE_M, TILE_CELLS, TILE_M, Ground
from sim.view import Axes

BORDER = ((1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1))
"""Corners and middles of the sides of a box, in halves of its length and width."""
FARTHEST_M = 127 * DISTANCE_M


def border_points(
    x: Float32[Array, ""], y: Float32[Array, ""], axes: Axes, *, size: Float32[Array, "2"]
) -> tuple[Float32[Array, "8"], Float32[Array, "8"]]:
    """x and y of the eight points of the border of a box."""
    cosine, sine = axes
    ahead, aside = jnp.asarray(BORDER, jnp.float32).T
    ahead, aside = 0.5 * size[0] * ahead, 0.5 * size[1] * aside
    return x + ahead * cosine - aside * sine, y + ahead * sine + aside * cosine


def tile_at(
    ground: Ground, x: Float32[Array, "n"], y: Float32[Array, "n"]
) -> tuple[Int32[Array, "n"], Float32[Array, "n"], Float32[Array, "n"]]:
    """Number of the tile at each point, -1 for none, and the point's metres from its corner in x and y."""
    grid = ground.tiles.shape[-1]
    origin = jnp.asarray(ground.origin)
    offset_x, offset_y = x - origin[0], y - origin[1]
    # Of a place that is not finite the comparison is False, and so it is outside.
    inside = (offset_x >= 0.0) & (offset_y >= 0.0) & (offset_x < grid * TILE_M) & (offset_y < grid * TILE_M)
    column = jnp.where(inside, jnp.floor(offset_x / TILE_M), 0.0)
    line = jnp.where(inside, jnp.floor(offset_y / TILE_M), 0.0)
    column_index = jnp.minimum(column.astype(jnp.int32), grid - 1)
    row_index = jnp.minimum(line.astype(jnp.int32), grid - 1)
    number = take(jnp.asarray(ground.tiles).reshape(-1), row_index * grid + column_index).astype(jnp.int32)
    within_x = jnp.where(inside, jnp.clip(offset_x - column * TILE_M, 0.0, TILE_M), 0.0)
    within_y = jnp.where(inside, jnp.clip(offset_y - line * TILE_M, 0.0, TILE_M), 0.0)
    return jnp.where(inside, number, -1), within_x, within_y


def measure_ground(
    ground: Ground, x: Float32[Array, "n"], y: Float32[Array, "n"]
) -> tuple[Float32[Array, "n"], Bool[Array, "n"]]:
    """Signed metres from the road's edge, positive on the road, and whether a lane of the route is there.

    The distance is bilinear between samples 0.5 m apart of a distance (which changes by at most 1 m a metre) that
    is rounded to 5 cm: it errs by at most 0.5 / sqrt(2) + 0.025 = 0.38 m, and along a straight edge by the
    rounding alone. Where no tile is, the point counts as 6.35 m off the road and on no lane.
    """
    number, within_x, within_y = tile_at(ground, x, y)
    cell_x, cell_y = within_x / CELL_M, within_y / CELL_M
    column = jnp.minimum(cell_x.astype(jnp.int32), TILE_CELLS - 2)
    line = jnp.minimum(cell_y.astype(jnp.int32), TILE_CELLS - 2)
    share_x, share_y = cell_x - column, cell_y - line
    first = (jnp.maximum(number, 0) * TILE_CELLS + line) * TILE_CELLS + column
    corners = first[None] + jnp.array([0, 1, TILE_CELLS, TILE_CELLS + 1], jnp.int32)[:, None]
    low, low_next, high, high_next = take(jnp.asarray(ground.distances).reshape(-1), corners).astype(jnp.float32)
    lower = low + share_x * (low_next - low)
    upper = high + share_x * (high_next - high)
    known = number >= 0
    distance = jnp.where(known, (lower + share_y * (upper - lower)) * DISTANCE_M, -FARTHEST_M)
    nearest = first + jnp.where(share_x > 0.5, 1, 0) + jnp.where(share_y > 0.5, TILE_CELLS, 0)
    lanes = take(jnp.asarray(ground.lanes).reshape(-1), nearest)
    return distance, known & (lanes != 0)
