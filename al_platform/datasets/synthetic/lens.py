"""From the painted scene to the picture a camera would give: glow, rain, vignette, noise."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from al_platform.datasets.synthetic.camera import CANVAS_HEIGHT, CANVAS_WIDTH, HEIGHT, OVERSAMPLING, WIDTH
from al_platform.datasets.synthetic.canvas import Canvas
from al_platform.datasets.synthetic.sessions import Drive

GLOW_PIXELS = 8
"""Canvas pixels per pixel of the glow: it is smooth, so few are enough."""
NOISE_VALUES = 1 << 20
Floats32 = NDArray[np.float32]


def expose(scene: Image.Image, canvas: Canvas, drive: Drive, *, number: int) -> NDArray[np.uint8]:
    """Give the picture [H, W, 3] of a painted scene, with everything a lens and a sensor add to it."""
    picture = np.array(scene.reduce(OVERSAMPLING), np.float32)
    if canvas.lamps:
        picture += _glow(canvas)
    random = np.random.default_rng([drive.seed, drive.number, 500, number])
    picture *= _vignette() * np.float32(drive.exposure * random.uniform(0.985, 1.015))
    if drive.condition.wet:
        picture += _streaks(int(random.integers(4)), int(random.integers(WIDTH)))[..., None]
    start = int(random.integers(NOISE_VALUES - HEIGHT * WIDTH * 3))
    noise = _noise()[start : start + HEIGHT * WIDTH * 3].reshape(HEIGHT, WIDTH, 3)
    picture += np.float32(drive.condition.noise) * noise
    exposed = np.clip(picture, 0.0, 255.0, out=picture).astype(np.uint8)
    return _with_drops(exposed, drive) if drive.condition.wet else exposed


def _glow(canvas: Canvas) -> Floats32:
    """Give the light that lamps spread around them, and below them on a wet road."""
    size = (CANVAS_WIDTH // GLOW_PIXELS, CANVAS_HEIGHT // GLOW_PIXELS)
    layer = Image.new("RGB", size)
    draw = ImageDraw.Draw(layer)
    for lamp in canvas.lamps:
        column, row = lamp.column / GLOW_PIXELS, lamp.row / GLOW_PIXELS
        radius = min(max(lamp.radius / GLOW_PIXELS, 0.3), 6.0)
        colour = tuple(int(value * min(1.0, 0.25 + 0.25 * radius)) for value in lamp.colour)
        draw.ellipse((column - radius, row - radius, column + radius, row + radius), fill=colour)
        if canvas.condition.wet:
            dim = tuple(value // 3 for value in colour)
            draw.rectangle((column - 0.4, row + radius, column + 0.4, row + radius + 5.0), fill=dim)
    spread = layer.filter(ImageFilter.GaussianBlur(1.6)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(spread, np.float32)


@lru_cache(maxsize=1)
def _vignette() -> Floats32:
    across = np.linspace(-1.0, 1.0, WIDTH)[None, :]
    down = np.linspace(-0.7, 0.7, HEIGHT)[:, None]
    return (1.0 - 0.16 * (across**2 + down**2))[..., None].astype(np.float32)


@lru_cache(maxsize=1)
def _noise() -> Floats32:
    """Give a store of standard normal values, from which each frame takes its own stretch."""
    return np.random.default_rng(11).standard_normal(NOISE_VALUES, dtype=np.float32)


def _streaks(pattern: int, shift: int) -> Floats32:
    """Give one of four patterns of falling rain, moved sideways."""
    return np.roll(_rain(pattern), shift, axis=1)


@lru_cache(maxsize=4)
def _rain(pattern: int) -> Floats32:
    random = np.random.default_rng([13, pattern])
    layer = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(layer)
    for column, row, length, light in zip(
        random.uniform(0, WIDTH, 150).tolist(),
        random.uniform(-20, HEIGHT, 150).tolist(),
        random.uniform(6, 26, 150).tolist(),
        random.integers(8, 34, 150).tolist(),
        strict=True,
    ):
        draw.line((column, row, column - 0.14 * length, row + length), fill=light)
    return np.asarray(layer.filter(ImageFilter.GaussianBlur(0.5)), np.float32)


def _with_drops(exposed: NDArray[np.uint8], drive: Drive) -> NDArray[np.uint8]:
    """Blur the picture behind the drops that hang on the lens for the whole drive."""
    picture = Image.fromarray(exposed)
    blurred = picture.resize((WIDTH // 8, HEIGHT // 8), Image.Resampling.BOX).resize(picture.size)
    return np.asarray(Image.composite(blurred, picture, _drops(drive.seed, drive.number)))


@lru_cache(maxsize=16)
def _drops(seed: int, number: int) -> Image.Image:
    random = np.random.default_rng([seed, number, 600])
    layer = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(layer)
    for _ in range(int(random.integers(5, 14))):
        column, row, radius = random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(2.0, 7.0)
        draw.ellipse((column - radius, row - radius, column + radius, row + radius), fill=200)
    return layer.filter(ImageFilter.GaussianBlur(1.2))
