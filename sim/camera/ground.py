"""What lies on the ground where a ray meets it: road or not, and paint.

Axes: Q places, M markings.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from sim.kinds import RoadKind
from sim.scenario.record import CELL_M, NOWHERE, TILE_CELLS, TILE_M, Ground, Roads, directions, places

_PAINT_M = 0.09
_STROKE_M = 6.0
_STEPS = np.arange(2)
_PAINTED = (RoadKind.BROKEN_LINE, RoadKind.SOLID_LINE, RoadKind.CROSSWALK)


def on_road(ground: Ground, places_Q2: Float[Array, "Q 2"]) -> Bool[Array, "Q"]:
    """Whether a place lies on the road, by the distance between the four samples around it."""
    grid = ground.tiles.shape[-1]
    offset = places_Q2 - ground.origin
    tile = jnp.floor(offset / TILE_M).astype(jnp.int32)
    inside = ((tile >= 0) & (tile < grid)).all(axis=1)
    tile = jnp.clip(tile, 0, grid - 1)
    number = ground.tiles[tile[:, 1], tile[:, 0]]
    exact = (offset - tile * TILE_M) / CELL_M
    cell = jnp.clip(jnp.floor(exact).astype(jnp.int32), 0, TILE_CELLS - 2)
    x, y = (exact - cell).T
    samples = ground.distances[jnp.maximum(number, 0)[:, None, None], cell[:, 1, None, None] + _STEPS[:, None],
                               cell[:, 0, None, None] + _STEPS].astype(jnp.float32)  # fmt: skip
    rows = samples[:, :, 0] * (1.0 - x)[:, None] + samples[:, :, 1] * x[:, None]
    return jnp.asarray(inside & (number >= 0) & (rows[:, 0] * (1.0 - y) + rows[:, 1] * y > 0.0))


def painted(
    roads: Roads, places_Q2: Float[Array, "Q 2"], *, around: Float[Array, "2"], markings: int
) -> Bool[Array, "Q"]:
    """Whether a place is covered by one of the painted lines nearest to `around`."""
    kind = roads.elements[:, 5]
    exists = roads.elements[:, 0] != NOWHERE
    paint = exists & jnp.isin(kind, jnp.array(_PAINTED))
    middle = places(jnp.asarray(roads.elements[:, :2]))
    away = jnp.where(paint, ((middle - around) ** 2).sum(axis=1), jnp.inf)
    smallest, rows = jax.lax.top_k(-away, min(markings, away.shape[0]))
    near = roads.elements[rows]
    middle, way, half = middle[rows], directions(near[:, 2:4]), places(near[:, 4])
    dx, dy = places_Q2[:, :1] - middle[:, 0], places_Q2[:, 1:] - middle[:, 1]
    along, aside = dx * way[:, 0] + dy * way[:, 1], dy * way[:, 0] - dx * way[:, 1]
    covers = (jnp.abs(along) < half) & (jnp.abs(aside) < _PAINT_M) & jnp.isfinite(smallest)
    # Broken lines are short strokes by the place in the world: the elements do not say where a stroke begins.
    strokes = (places_Q2[:, :1] * way[:, 0] + places_Q2[:, 1:] * way[:, 1]) / _STROKE_M
    stroke = strokes - jnp.floor(strokes) < 0.5
    return (covers & (stroke | (near[:, 5] != RoadKind.BROKEN_LINE))).any(axis=1)
