"""Sky and ground: what is behind and below everything else."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from al_platform.datasets.synthetic.camera import (
    CAMERA_HEIGHT_M,
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    FOCAL,
    HEIGHT,
    OVERSAMPLING,
    WIDTH,
    View,
)
from al_platform.datasets.synthetic.light import Colour, Condition
from al_platform.datasets.synthetic.sessions import Drive
from al_platform.datasets.synthetic.streets import LANE_M, Street

FAR_M = 220.0
GRASS: Colour = (96, 116, 66)
ASPHALT: Colour = (112, 112, 114)
PAVING: Colour = (152, 148, 142)
KERB: Colour = (176, 174, 170)
PAINT: Colour = (228, 228, 222)
DASH_M = (3.0, 9.0)
CROSSING_EVERY_M = 75.0
SKY_WIDTH = 3 * WIDTH
TEXTURE_CELLS = 1024
TEXTURE_CELL_M = 0.04
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


def backdrop(drive: Drive, view: View) -> Image.Image:
    """Paint sky, road, markings and verges at the size of the canvas."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    horizon = round(view.horizon / OVERSAMPLING)
    nominal = round(drive.horizon_share * HEIGHT)
    pan = WIDTH + int(16_000.0 * view.curvature)
    picture[:horizon] = sky(drive)[HEIGHT - horizon :, pan : pan + WIDTH]
    below = (0, OVERSAMPLING * horizon, CANVAS_WIDTH, CANVAS_HEIGHT)
    ground = np.asarray(_ground(drive.street, view).reduce(OVERSAMPLING, below))
    gain, haze, across = _ground_light(drive.condition, nominal)
    rows = HEIGHT - horizon
    grain = _grain(across[:rows], nominal, view.s)
    lit = ground * gain[:rows] * grain[..., None] + haze[:rows]
    picture[horizon:] = np.minimum(lit, 255.0).astype(np.uint8)
    return Image.fromarray(picture).resize((CANVAS_WIDTH, CANVAS_HEIGHT), Image.Resampling.NEAREST)


def _ground(street: Street, view: View) -> Image.Image:
    """Paint the ground in the colours it has in plain light."""
    picture = Image.new("RGB", (CANVAS_WIDTH, CANVAS_HEIGHT), _whole(GRASS))
    draw = ImageDraw.Draw(picture)
    ahead = np.geomspace(2.0, FAR_M, 22, dtype=np.float64)
    left, right = street.half_left, -street.half_right
    if street.sidewalk:
        back = street.sidewalk
        _strip(draw, view, ahead, (left + back, right - back), PAVING)
        _strip(draw, view, ahead, (left + 0.25, right - 0.25), KERB)
    _strip(draw, view, ahead, (left, right), ASPHALT)
    _mark_lanes(draw, view, street)
    if street.sidewalk:
        _mark_crossings(draw, view, street)
    return picture


def _mark_lanes(draw: ImageDraw.ImageDraw, view: View, street: Street) -> None:
    solid = np.geomspace(2.0, 120.0, 18, dtype=np.float64)
    dashed = [LANE_M * lane for lane in range(1 - street.lanes_right, street.lanes_left)]
    if street.kerb > 0.3 and not street.shops:
        for side in (street.half_left - street.kerb, street.kerb - street.half_right):
            _strip(draw, view, solid, (side + 0.07, side - 0.07), PAINT)
    if street.lanes_left > 1:
        dashed.remove(0.0)
        for side in (-0.25, 0.25):
            _strip(draw, view, solid, (side + 0.07, side - 0.07), PAINT)
    length, period = DASH_M
    first = math.floor(view.s / period)
    for index in range(first, first + int(70.0 / period)):
        start = max(index * period, view.s + 2.0)
        end = index * period + length
        if end > start:
            for side in dashed:
                corners = [(start, side + 0.07), (start, side - 0.07), (end, side - 0.07), (end, side + 0.07)]
                _quadrilateral(draw, view, corners, PAINT)


def _mark_crossings(draw: ImageDraw.ImageDraw, view: View, street: Street) -> None:
    index = math.ceil((view.s - 2.0) / CROSSING_EVERY_M)
    start, end = max(index * CROSSING_EVERY_M, view.s + 2.0), index * CROSSING_EVERY_M + 3.5
    if not 0.0 < end - view.s < 60.0 or start >= end:
        return
    stripes = np.arange(0.3 - street.half_right, street.half_left - 0.5, 1.0)
    for side in stripes.tolist():
        corners = [(start, side + 0.5), (start, side), (end, side), (end, side + 0.5)]
        _quadrilateral(draw, view, corners, PAINT)


def _strip(
    draw: ImageDraw.ImageDraw,
    view: View,
    ahead: NDArray[np.float64],
    sides: tuple[float, float],
    colour: Colour,
) -> None:
    points = np.zeros((2 * len(ahead), 3))
    points[:, 0] = view.s + np.concatenate([ahead, ahead[::-1]])
    points[:, 1] = np.repeat(sides, len(ahead))
    draw.polygon(view.project(points).ravel().tolist(), fill=_whole(colour))


def _quadrilateral(draw: ImageDraw.ImageDraw, view: View, corners: list[tuple[float, float]], colour: Colour) -> None:
    draw.polygon([view.place(s, d)[:2] for s, d in corners], fill=_whole(colour))


def _whole(colour: Colour) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])


@lru_cache(maxsize=64)
def _ground_light(condition: Condition, horizon: int) -> tuple[Floats32, Floats32, NDArray[np.int64]]:
    """Give gain and haze of each row below the horizon, and the texture column of each of its pixels."""
    rows = np.arange(1, HEIGHT + 1)[:, None] + 0.0
    focal = FOCAL / OVERSAMPLING
    ahead = focal * CAMERA_HEIGHT_M / rows
    lateral = (np.arange(WIDTH) - WIDTH / 2)[None, :] * ahead / focal
    beam = condition.headlights * np.exp(-ahead / 26.0 - (lateral / (2.2 + 0.13 * ahead)) ** 2)
    clear = np.exp(-ahead / condition.haze_m)[..., None]
    gain = (np.array(condition.ambient) + beam[..., None]) * clear
    haze = np.array(condition.haze) * (1.0 - clear)
    if condition.wet:
        haze = haze + 30.0 * np.exp(-(((ahead[..., None] - 14.0) / 14.0) ** 2))
    columns = np.floor(lateral / TEXTURE_CELL_M).astype(np.int64) % TEXTURE_CELLS
    return gain.astype(np.float32), np.broadcast_to(haze, (HEIGHT, 1, 3)).astype(np.float32), columns


def _grain(across: NDArray[np.int64], horizon: int, s: float) -> Floats32:
    """Give the texture of the ground: a gain around 1 that moves with the car and fades with the distance."""
    texture = _texture()
    rows = np.arange(1, len(across) + 1)
    ahead = FOCAL / OVERSAMPLING * CAMERA_HEIGHT_M / rows
    lines = np.floor((ahead + s) / TEXTURE_CELL_M).astype(np.int64) % TEXTURE_CELLS
    strength = np.minimum(1.0, 5.0 / ahead)[:, None]
    return (1.0 + strength * texture[lines[:, None], across]).astype(np.float32)


@lru_cache(maxsize=1)
def _texture() -> Floats32:
    """Give a tile of rough ground, about -0.2 to 0.2, mirrored so that it repeats without seams."""
    random = np.random.default_rng(7)
    half = (TEXTURE_CELLS // 2, TEXTURE_CELLS // 2)
    tile = random.normal(0.0, 0.07, half) + 0.3 * (_smooth_noise(random, half, cells=(10, 20)) - 0.5)
    mirrored = np.concatenate([tile, tile[::-1]])
    whole: Floats32 = np.concatenate([mirrored, mirrored[:, ::-1]], axis=1).astype(np.float32)
    return whole


@lru_cache(maxsize=16)
def sky(drive: Drive) -> Bytes:
    """Give the sky of a drive above hills or roofs, three pictures wide, its last row at the horizon."""
    condition = drive.condition
    random = np.random.default_rng([drive.seed, drive.number, 77])
    rows, columns = HEIGHT // 4, SKY_WIDTH // 4
    height = np.linspace(0.0, 1.0, rows)[:, None, None] ** 1.8
    colours = np.array(condition.sky_top) * (1.0 - height) + np.array(condition.sky_bottom) * height
    clouds = np.clip(_smooth_noise(random, (rows, columns), cells=(9, 12)) * 2.2 - 0.9, 0.0, 1.0)
    bright = np.minimum(np.array(condition.sky_bottom) * 1.1 + 8.0, 255.0)
    share = condition.clouds * clouds[..., None] * 0.8
    small = Image.fromarray((colours * (1.0 - share) + bright * share).astype(np.uint8))
    picture = small.resize((SKY_WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    _skyline(ImageDraw.Draw(picture), condition, random, urban=drive.street.shops)
    return np.asarray(picture)


def _skyline(draw: ImageDraw.ImageDraw, condition: Condition, random: np.random.Generator, *, urban: bool) -> None:
    steps = SKY_WIDTH // 24 + 2
    heights = HEIGHT - 2 - random.uniform(4.0, 26.0 if urban else 15.0, steps)
    columns = np.arange(steps) * 24.0
    if urban:
        columns, heights = np.repeat(columns, 2)[1:], np.repeat(heights, 2)[:-1]
    outline = [(float(column), float(row)) for column, row in zip(columns, heights, strict=True)]
    colour = condition.shade((92, 96, 92) if urban else (84, 100, 82), condition.haze_m * 0.8, 60.0)
    draw.polygon([(0.0, HEIGHT), *outline, (SKY_WIDTH, HEIGHT)], fill=colour)


def _smooth_noise(
    random: np.random.Generator, shape: tuple[int, int], *, cells: tuple[int, int]
) -> NDArray[np.float64]:
    """Give noise in [0, 1] that is smooth over shape / cells pixels, with finer noise added."""
    total = np.zeros(shape)
    for octave, weight in ((1, 0.6), (2, 0.27), (4, 0.13)):
        small = (random.random((cells[0] * octave, cells[1] * octave)) * 255).astype(np.uint8)
        wide = Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
        total += weight * np.asarray(wide) / 255.0
    return total
