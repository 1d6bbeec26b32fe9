"""Cheap statistics of a picture, for metadata and for finding frames that no one should label."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from al_platform.datasets.images import UNREADABLE, open_image
from al_platform.errors import InvalidInput

REFERENCE_WIDTH = 320
"""Brightness and sharpness are measured at about this width, so that cameras can be compared."""

CLIP_MARGIN = 1.0
"""Compression moves black and white by about one grey value."""


@dataclass(frozen=True)
class ImageQuality:
    """Size in pixels, mean brightness in [0, 255], sharpness (>= 0, higher = more detail), clipped share in [0, 1]."""

    width: int
    height: int
    brightness: float
    sharpness: float
    clipped: float


def image_quality(image: bytes) -> ImageQuality:
    """Decode a JPEG or PNG and measure it; an exposure that failed is dark, a lens that is wet is not sharp.

    brightness = mean of the grey values; sharpness = variance of their 4-neighbour Laplacian;
    clipped = share of them that are black or white to within CLIP_MARGIN, where exposure left no detail.
    Raises: InvalidInput with the reason where the picture does not decode.
    """
    picture = open_image(image)
    width, height = picture.size
    factor = max(1, round(width / REFERENCE_WIDTH))
    grey_HW = np.asarray(_decode_grey(picture, factor=factor), np.float32)
    centre_HW = grey_HW[1:-1, 1:-1]
    sides_HW = grey_HW[:-2, 1:-1] + grey_HW[2:, 1:-1] + grey_HW[1:-1, :-2] + grey_HW[1:-1, 2:]
    laplacian_HW = sides_HW - 4.0 * centre_HW
    return ImageQuality(
        width=width,
        height=height,
        brightness=float(grey_HW.mean()),
        sharpness=float(laplacian_HW.var()) if laplacian_HW.size else 0.0,
        clipped=float(((grey_HW <= CLIP_MARGIN) | (grey_HW >= 255.0 - CLIP_MARGIN)).mean()),
    )


def _decode_grey(picture: Image.Image, *, factor: int) -> Image.Image:
    try:
        return picture.convert("L").reduce(factor)
    except UNREADABLE as error:
        raise InvalidInput(f"picture does not decode: {error}") from error
