"""Where a point of the street appears in the picture.

The street is straightened: s metres along the road, d metres to the left of its middle, z metres up. The
canvas has twice the pixels of the frame in each direction and is averaged down, which smooths edges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 320
HEIGHT = 224
OVERSAMPLING = 2
CANVAS_WIDTH = WIDTH * OVERSAMPLING
CANVAS_HEIGHT = HEIGHT * OVERSAMPLING
FOCAL = 265.0 * OVERSAMPLING
"""In pixels of the canvas: a field of view of 62 degrees."""
CAMERA_HEIGHT_M = 1.4
NEAREST_M = 1.6
"""Points closer than this are moved to this distance, so that nothing is divided by zero."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """The camera at one instant. `curvature` is in 1/m, left positive; `horizon` in rows of the canvas."""

    s: float
    d: float
    curvature: float
    horizon: float

    def ahead(self, s: float) -> float:
        """Give the distance of a point along the road, in metres, at least `NEAREST_M`."""
        return max(s - self.s, NEAREST_M)

    def place(self, s: float, d: float) -> tuple[float, float, float]:
        """Give column and row of a point on the ground, and pixels per metre there."""
        ahead = self.ahead(s)
        lateral = d - self.d + 0.5 * self.curvature * ahead * ahead
        scale = FOCAL / ahead
        return CANVAS_WIDTH / 2 - scale * lateral, self.horizon + scale * CAMERA_HEIGHT_M, scale

    def project(self, points_N3: Floats) -> Floats:
        """Give (column, row) of the points (s, d, z), shape [N, 2]."""
        ahead_N = np.maximum(points_N3[:, 0] - self.s, NEAREST_M)
        lateral_N = points_N3[:, 1] - self.d + 0.5 * self.curvature * ahead_N * ahead_N
        scale_N = FOCAL / ahead_N
        pixels_N2 = np.empty((len(points_N3), 2))
        pixels_N2[:, 0] = CANVAS_WIDTH / 2 - scale_N * lateral_N
        pixels_N2[:, 1] = self.horizon + scale_N * (CAMERA_HEIGHT_M - points_N3[:, 2])
        return pixels_N2
