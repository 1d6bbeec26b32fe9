"""The second picture of a task: where the members disagree, laid over the frame."""

import io
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from al_platform.datasets.images import open_image

LONGEST_SIDE = 640
STRONGEST = 0.75
"""Opacity of the highest cell, so that the frame stays visible below."""
QUALITY = 80


def heat_picture(image: bytes, information_HW: NDArray[Any]) -> bytes:
    """Give a JPEG of the frame in grey with its mutual information over it; the highest cell is the brightest.

    `information_HW` is in nats per cell, >= 0. Colours are relative to the frame: they say where to look, not how much
    there is to learn.

    Raises: InvalidInput where the bytes are no picture.
    """
    frame = open_image(image).convert("L").convert("RGB")
    frame.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    top = float(information_HW.max())
    share_HW = information_HW / top if top > 0 else np.zeros(information_HW.shape)
    colours = Image.fromarray((mpl.colormaps["inferno"](share_HW)[..., :3] * 255).astype(np.uint8))
    opacity = Image.fromarray((share_HW * STRONGEST * 255).astype(np.uint8))
    size, smooth = frame.size, Image.Resampling.BILINEAR
    mixed = Image.composite(colours.resize(size, smooth), frame, opacity.resize(size, smooth))
    buffer = io.BytesIO()
    mixed.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
