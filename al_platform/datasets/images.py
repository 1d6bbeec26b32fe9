"""Encoded images: their size from the header, masks in and out. The one place that knows what can go wrong.

Axes: H rows from the top, W columns from the left, in pixels.
"""

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from al_platform.errors import InvalidInput

IMAGE_FORMATS = ("JPEG", "PNG")
MASK_FORMATS = ("PNG",)
SHOWN_FORMATS = (*IMAGE_FORMATS, "GIF")
"""Of stored pictures that are shown as they are; those that move are GIFs."""
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow raises for bytes that are not the picture they claim to be."""


def open_image(image: bytes) -> Image.Image:
    """Read the header of a JPEG or PNG; the pixels are decoded when they are first used.

    Raises: InvalidInput where the header cannot be read or the format is another one.
    """
    return _open(image, formats=IMAGE_FORMATS, cure="save frames as JPEG or PNG")


def image_size(image: bytes) -> tuple[int, int]:
    """Give (width, height) in pixels from the header alone.

    Raises: InvalidInput where the header cannot be read.
    """
    return open_image(image).size


def media_type_of(image: bytes) -> str:
    """Give image/jpeg, image/png or image/gif.

    Raises: InvalidInput where the bytes are none of them.
    """
    picture = _open(image, formats=SHOWN_FORMATS, cure="only pictures can be shown")
    return f"image/{str(picture.format).lower()}"


def decode_picture(image: bytes) -> NDArray[np.uint8]:
    """Give the pixels of a JPEG or PNG, RGB [H, W, 3].

    Raises: InvalidInput where the bytes are not such a picture.
    """
    picture = open_image(image)
    try:
        return np.array(picture.convert("RGB"), dtype=np.uint8)
    except UNREADABLE as error:
        raise InvalidInput(f"picture does not decode: {error}") from error


def decode_mask(mask: bytes) -> NDArray[np.uint8]:
    """Give the values of a single-channel 8-bit PNG (grey, palette indices or bits), shape [H, W].

    Raises: InvalidInput where the bytes are not such a PNG.
    """
    picture = _open(mask, formats=MASK_FORMATS, cure="save masks as 8-bit PNG")
    if picture.mode not in ("L", "P", "1"):
        raise InvalidInput(f"mask has mode {picture.mode}: save masks as single-channel 8-bit PNG")
    try:
        return np.array(picture, dtype=np.uint8)
    except UNREADABLE as error:
        raise InvalidInput(f"mask pixels cannot be decoded: {error}") from error


def encode_mask(mask_HW: NDArray[np.uint8]) -> bytes:
    """Give the PNG bytes that `decode_mask` reads back exactly."""
    buffer = io.BytesIO()
    Image.fromarray(mask_HW).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def thumbnail_jpeg(image: bytes, *, longest: int) -> bytes:
    """Give a JPEG of the picture whose longer side is at most `longest` pixels; small pictures keep their size.

    Raises: InvalidInput where the bytes are not a JPEG or PNG.
    """
    picture = open_image(image)
    try:
        picture.draft("RGB", (longest, longest))
        small = picture.convert("RGB")
        small.thumbnail((longest, longest))
    except UNREADABLE as error:
        raise InvalidInput(f"picture does not decode: {error}") from error
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Give the PNG of pixels, [H, W, 3] RGB or [H, W, 4] with opacity."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _open(content: bytes, *, formats: tuple[str, ...], cure: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=formats)
    except UnidentifiedImageError as error:
        raise InvalidInput(f"{len(content)} bytes that are no {' or '.join(formats)}: {cure}") from error
    except UNREADABLE as error:
        raise InvalidInput(f"image header cannot be read: {error}") from error
