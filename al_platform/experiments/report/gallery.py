"""Pictures of what was picked, with the members' disagreement laid over them."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from al_platform.domain.labels import CONTROL_CLASS
from al_platform.experiments.intervals import Array
from al_platform.experiments.records import Picked

WIDTH, QUALITY = 360, 80
COLOURS = mpl.colormaps["inferno"]
STRONGEST = 0.72
"""Opacity of the highest value, so that the frame stays visible below."""


@dataclass(frozen=True)
class Picture:
    """One frame of a gallery, its images as data URIs; `heatmap` is laid over `image` cell by cell."""

    arm: str
    frame_id: str
    image: str | None
    """None where the bytes are no picture."""
    heatmap: str | None
    for_class: str
    rank: int
    session_id: str
    score: float | None
    """None for a control pick."""
    mean_nats: float | None
    """Mutual information of the class, mean over the cells, in nats."""
    highest_nats: float | None
    shows_target: bool


def pictures_of(gallery: Sequence[Picked]) -> tuple[Picture, ...]:
    """Every picked frame as a picture, arm by arm in the order of rank; one colour scale for all."""
    top = scale_top(gallery)
    arms = list(dict.fromkeys(picked.arm for picked in gallery))
    ordered = sorted(gallery, key=lambda picked: (arms.index(picked.arm), picked.rank))
    return tuple(_picture(picked, top=top) for picked in ordered)


def scale_top(gallery: Sequence[Picked]) -> float:
    """The value in nats with the strongest colour: the 99.5th percentile of all finite cells, or 0."""
    cells = np.concatenate([np.zeros(1), *(_cells(picked).ravel() for picked in gallery)])
    return float(np.percentile(cells[np.isfinite(cells)], 99.5))


def heatmap_uri(cells: Array, *, top: float) -> str:
    """The overlay of a heatmap as a data URI."""
    return _uri(Image.fromarray(heatmap_pixels(cells, top=top), "RGBA"), "PNG")


def heatmap_pixels(cells: Array, *, top: float) -> NDArray[np.uint8]:
    """One pixel per cell, RGBA [rows, columns, 4]: inferno, and the more opaque the higher; `top` is the strongest."""
    share = np.clip(np.nan_to_num(cells) / top, 0.0, 1.0) if top > 0 else np.zeros(cells.shape)
    pixels = np.asarray(COLOURS(0.25 + 0.75 * share))
    pixels[..., 3] = STRONGEST * share**0.85
    return np.asarray((pixels * 255).round().astype(np.uint8))


def scale_uri(steps: int = 64) -> str:
    """The colour scale itself, from 0 to the strongest."""
    return heatmap_uri(np.linspace(0.0, 1.0, steps, dtype=np.float64).reshape(1, steps), top=1.0)


def _picture(picked: Picked, *, top: float) -> Picture:
    cells = _cells(picked)
    known = cells[np.isfinite(cells)]
    return Picture(
        arm=picked.arm,
        frame_id=picked.frame_id,
        image=_frame_uri(picked.image),
        heatmap=heatmap_uri(cells, top=top) if known.size else None,
        for_class=picked.for_class,
        rank=picked.rank,
        session_id=picked.session_id,
        score=None if picked.for_class == CONTROL_CLASS else picked.score,
        mean_nats=float(known.mean()) if known.size else None,
        highest_nats=float(known.max()) if known.size else None,
        shows_target=picked.shows_target,
    )


def _cells(picked: Picked) -> Array:
    return np.array(picked.heatmap, np.float64, ndmin=2)


def _frame_uri(content: bytes) -> str | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            frame = image.convert("RGB")
    except (UnidentifiedImageError, OSError):
        return None
    frame.thumbnail((WIDTH, 4 * WIDTH))
    return _uri(frame, "JPEG")


def _uri(image: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=QUALITY)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
