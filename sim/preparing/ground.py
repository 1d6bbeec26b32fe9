"""Rasters of a scene: tiles near the route with the distance to the road's edge and the tracks' areas."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.preparing.edges import Edges, band_between, signed_distances
from sim.preparing.point_index import Float64s, Ints, PointIndex
from sim.preparing.tracks import Track
from sim.scenario.record import BLOCKS, CELL_M, DISTANCE_M, TILE_CELLS, TILE_M, Ground, Sizes

_FARTHEST_M = 127 * DISTANCE_M
_COARSE = 9  # Samples from one coarse sample to the next: 7 of them cover the 63 steps of a tile.
_LANE_TOLERANCE_M = 0.3
_BOX_M = 3.0
"""So far the box of a car reaches from its middle, and a bit."""
_SHIFTS = tuple((x, y) for y in (0.0, 0.25, 0.5, 0.75) for x in (0.0, 0.25, 0.5, 0.75))
"""Shares of a tile by which the grid may be shifted."""


@dataclass(frozen=True)
class Tiles:
    """Which tiles a scene has."""

    origin: Float64s
    """[2] metres."""
    rows: Ints
    """[N'] row of y of each tile, in the order of their numbers."""
    columns: Ints

    @property
    def corners(self) -> Float64s:
        """[N', 2] smallest x and y of each tile."""
        return self.origin + TILE_M * np.stack([self.columns, self.rows], axis=1)

    def samples(self) -> Float64s:
        """[N', C, C, 2] places of the samples, [y, x]."""
        steps = CELL_M * np.arange(TILE_CELLS)
        x, y = np.meshgrid(steps, steps)
        places: Float64s = self.corners[:, None, None] + np.stack([x, y], axis=-1)
        return places


def tiles_near(driven: Float64s, whole: Float64s, sizes: Sizes) -> Tiles:
    """Choose the tiles that the ego's box may touch on the driven path [Q, 2], then those nearest to it, then to the
    rest of the route [P, 2].

    A straight road that happens to lie along a border of tiles needs twice as many as one beside it: where there
    is no room for so many, the grid is shifted by a part of a tile.
    """
    origins = [TILE_M * (np.array(shift) - 0.5 * sizes.grid) for shift in _SHIFTS]
    touching = [_touched(driven, origin, sizes.grid) for origin in origins]
    counts = [int(touched.sum()) for touched in touching]
    best = 0 if counts[0] <= sizes.tiles else int(np.argmin(counts))
    origin, touched = origins[best], touching[best]
    rows, columns = (part.ravel() for part in np.indices((sizes.grid, sizes.grid)))
    middle = origin + TILE_M * (np.stack([columns, rows], axis=1) + 0.5)
    reach = 12 * TILE_M
    to_driven = _to_tiles(middle, driven, reach)
    cost = np.minimum(to_driven, _to_tiles(middle, whole, reach) + 0.25 * TILE_M)
    # Among tiles that touch the path the one whose middle is nearer comes first; numbers break ties.
    chosen = np.lexsort((cost, ~touched))[: sizes.tiles]
    chosen = np.sort(chosen[np.isfinite(cost[chosen])])
    return Tiles(origin, rows[chosen], columns[chosen])


def _touched(driven: Float64s, origin: Float64s, grid: int) -> NDArray[np.bool_]:
    """[G*G] whether a tile is within reach of the ego's box on its path."""
    around = _BOX_M * np.array([[0, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]])
    column, row = np.floor(((driven[:, None] + around).reshape(-1, 2) - origin) / TILE_M).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < grid) & (row < grid)
    touched = np.zeros(grid * grid, np.bool_)
    touched[row[inside] * grid + column[inside]] = True
    return touched


def _to_tiles(middle: Float64s, path: Float64s, reach: float) -> Float64s:
    """[G*G] distance of the path from each tile, by the tile's middle; infinite beyond the reach."""
    return PointIndex(path).nearest(middle, within=reach)[0]


def ground_of(tiles: Tiles, edges: Edges, tracks: list[Track], elements: Float64s, sizes: Sizes) -> Ground:
    """Fill the rasters. `elements` [R, 4]: both ends of each road element in the order of their numbers."""
    count = len(tiles.rows)
    numbers = np.full((sizes.grid, sizes.grid), -1, np.int16)
    numbers[tiles.rows, tiles.columns] = np.arange(count)
    places = tiles.samples()
    shape = (sizes.tiles, TILE_CELLS, TILE_CELLS)
    distances = np.full(shape, -127, np.int8)
    distances[:count] = np.clip(np.rint(_distances(places, edges) / DISTANCE_M), -127, 127)
    lanes = np.zeros(shape, np.uint8)
    lanes[:count] = _lane_bits(places, tracks)
    listed = np.full((sizes.tiles, BLOCKS, BLOCKS, sizes.listed), -1, np.int16)
    listed[:count] = nearest_elements(tiles, elements, sizes.listed)
    return Ground(
        origin=tiles.origin.astype(np.float32), tiles=numbers, distances=distances, lanes=lanes, listed=listed
    )


def _distances(places: Float64s, edges: Edges) -> Float64s:
    """[N', C, C] signed distances; samples that are surely farther than the raster can tell share their neighbour's.

    A sample is at most 5 steps from its coarse one along each axis, so their distances differ by at most 3.6 m.
    """
    coarse = signed_distances(edges, places[:, 4::_COARSE, 4::_COARSE].reshape(-1, 2))
    side = places.shape[1]
    coarse = coarse.reshape(len(places), -(-(side - 4) // _COARSE), -1)
    result = coarse.repeat(_COARSE, axis=1).repeat(_COARSE, axis=2)
    result = np.pad(result, ((0, 0), (0, max(0, side - result.shape[1])), (0, max(0, side - result.shape[2]))), "edge")
    result = result[:, :side, :side].copy()
    near = np.abs(result) < _FARTHEST_M + 5 * CELL_M * np.sqrt(2)
    result[near] = signed_distances(edges, places[near])
    return result


def _lane_bits(places: Float64s, tracks: list[Track]) -> NDArray[np.uint8]:
    bits = np.zeros(places.shape[:-1], np.uint8)
    for number, track in enumerate(tracks):
        area = shapely.union_all([band_between(band.left, band.right) for band in track.bands])
        with np.errstate(divide="ignore", invalid="ignore"):  # where two sides are in line, the mitre is at infinity
            area = shapely.buffer(area, _LANE_TOLERANCE_M, join_style="mitre")
        shapely.prepare(area)
        west, south, east, north = area.bounds
        low, high = places[:, 0, 0], places[:, -1, -1]
        reached = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
        inside = shapely.contains_xy(area, places[reached, ..., 0], places[reached, ..., 1])
        bits[reached] |= np.where(inside, np.uint8(1 << number), np.uint8(0))
    return bits


def nearest_elements(tiles: Tiles, elements: Float64s, count: int) -> NDArray[np.int16]:
    """[N', D, D, K] elements nearest to the middle of each block, nearest first, ties by number; -1 for none."""
    half = TILE_M / BLOCKS / 2
    middle_x, middle_y = np.meshgrid(*2 * [half * (1 + 2 * np.arange(BLOCKS))])
    middles = (tiles.corners[:, None, None] + np.stack([middle_x, middle_y], axis=-1)).reshape(-1, 2)
    result = np.full((len(middles), count), -1, np.int16)
    if len(elements):
        start, leg = elements[:, :2], elements[:, 2:] - elements[:, :2]
        offset = middles[:, None] - start
        share = np.clip((offset * leg).sum(2) / np.maximum((leg**2).sum(1), 1e-9), 0.0, 1.0)
        distance = ((offset - share[..., None] * leg) ** 2).sum(2)
        kept = min(count, len(elements))
        result[:, :kept] = np.argsort(distance, axis=1, kind="stable")[:, :kept]
    return result.reshape(len(tiles.rows), BLOCKS, BLOCKS, count)
