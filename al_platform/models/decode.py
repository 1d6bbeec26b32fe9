"""JPEG and PNG bytes to the pixels that the encoders read."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from al_platform.domain.models import GridSpec
from al_platform.errors import InvalidInput

FORMATS = ("JPEG", "PNG")
EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})
REDUCING_GAP = 2.0
"""Box-reduce by whole factors down to this many times the target, then average down bilinearly."""

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What Pillow raises on broken files."""


def decode_batch(images: Sequence[bytes], grid: GridSpec, threads: int = 2) -> UInt8[NDArray[Any], "B H W 3"]:
    """Encoded images to RGB uint8 [B, image_height, image_width, 3], in the given order.

    Raises: InvalidInput at the first image that cannot be decoded.
    """
    decoded = np.zeros((len(images), grid.image_height, grid.image_width, 3), np.uint8)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for index, pixels in enumerate(pool.map(lambda content: decode_image(content, grid), images)):
            decoded[index] = pixels
    return decoded


def decode_image(content: bytes, grid: GridSpec) -> UInt8[NDArray[Any], "H W 3"]:
    """One encoded image, resized to the grid's image size whatever its own proportions.

    Raises: InvalidInput with the decoder's reason; the caller knows the file's name.
    """
    size = (grid.image_width, grid.image_height)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise InvalidInput(f"image of mode {image.mode}: convert it to 8 bits per channel")
            image.draft("RGB", size)  # JPEG only: decodes at 1/2, 1/4 or 1/8 where that still covers the size
            colour = image.convert("RGB")
            resized = colour.resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
            return np.asarray(resized, dtype=np.uint8)
    except UnidentifiedImageError as reason:  # whose own words hold an address in memory
        raise InvalidInput("not a readable JPEG or PNG image (it begins like neither)") from reason
    except _UNREADABLE as reason:
        raise InvalidInput(f"not a readable JPEG or PNG image ({reason})") from reason
