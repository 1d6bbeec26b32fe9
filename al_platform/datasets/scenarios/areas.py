"""Road edges from drivable areas: the outline of their union, drivable side left."""

from collections.abc import Sequence

import numpy as np
import shapely

from sim.recording import Float64s

_SEAM_M = 0.05
"""Maps are drawn to the centimetre: areas that are no farther apart than this touch."""


def edges_of(areas: Sequence[Float64s]) -> list[Float64s]:
    """Give closed lines [P, 3] at z = 0 with drivable ground on their left, from polygons [P, 2 or 3].

    Where areas touch or overlap, what lies between them is no edge. Areas of fewer than three points, or with
    points that are not finite, have none.
    """
    polygons = [shapely.Polygon(area[:, :2]) for area in areas if len(area) > 2 and np.isfinite(area).all()]
    whole = shapely.union_all([shapely.make_valid(polygon).buffer(_SEAM_M) for polygon in polygons])
    lines = []
    for part in shapely.get_parts(whole.buffer(-_SEAM_M)):
        if isinstance(part, shapely.Polygon) and not part.is_empty:
            outline = shapely.geometry.polygon.orient(part)  # holes run the other way round
            lines.extend([outline.exterior, *outline.interiors])
    return [np.column_stack([line.coords, np.zeros(len(line.coords))]) for line in lines]
