"""Houses along the road: facades in perspective with rows of windows, shops at street level."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from al_platform.datasets.synthetic.camera import NEAREST_M, Floats
from al_platform.datasets.synthetic.canvas import Canvas, Point
from al_platform.datasets.synthetic.light import Colour
from al_platform.datasets.synthetic.population import plan_drive_once
from al_platform.datasets.synthetic.sessions import Drive
from al_platform.datasets.synthetic.things import between, choose

BLOCK_M = 72.0
IN_VIEW_M = 190.0
WINDOWS_UP_TO_M = 55.0
FLOOR_M = 3.1
WALLS: tuple[Colour, ...] = (
    (186, 172, 150), (160, 98, 78), (204, 196, 182), (172, 152, 120), (146, 146, 148), (196, 166, 128),
    (128, 104, 92), (214, 206, 178), (150, 160, 164), (178, 128, 104),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = ((112, 62, 52), (78, 74, 74), (96, 84, 76))
AWNINGS: tuple[Colour, ...] = ((150, 42, 40), (44, 92, 70), (54, 76, 128), (206, 176, 96))
PANE: Colour = (62, 72, 84)
LIT: Colour = (204, 171, 114)
GABLED_BELOW_M = 10.5
Corner = tuple[float, float, float]


@dataclass(frozen=True)
class House:
    """A box beside the road from `start` to `end` metres; `face` is the d of its facade, left positive."""

    start: float
    end: float
    face: float
    height: float
    shop: bool
    look: tuple[float, ...]


def draw_houses(canvas: Canvas, drive: Drive) -> None:
    """Paint the houses of both sides, the farthest first."""
    view = canvas.view
    first, last = math.floor(view.s / BLOCK_M) - 1, math.floor((view.s + IN_VIEW_M) / BLOCK_M)
    houses = [house for block in range(first, last + 1) for house in _block(drive.seed, drive.number, block)]
    for house in sorted(houses, key=lambda house: -house.start):
        if view.s + NEAREST_M + 1.0 < house.end and house.start < view.s + IN_VIEW_M:
            _draw_house(canvas, house)


@lru_cache(maxsize=1024)
def _block(seed: int, number: int, block: int) -> tuple[House, ...]:
    """Give the houses of one block. Pure: the cache only saves time."""
    street = plan_drive_once(seed, number).street
    if street.house is None:
        return ()
    random = np.random.default_rng([seed, number, 900, block + 1_000_000])
    houses = []
    for side in (1.0, -1.0):
        edge = (street.half_left if side > 0 else street.half_right) + street.sidewalk + street.setback
        place = block * BLOCK_M + random.uniform(0.0, street.house_gap)
        while place < (block + 1) * BLOCK_M - 7.0:
            end = min(place + random.uniform(9.0, 18.0), (block + 1) * BLOCK_M)
            height = random.uniform(*street.house)
            face = side * (edge + random.uniform(0.0, 0.5 + 0.3 * street.setback))
            shop = street.shops and random.random() < 0.75
            houses.append(House(place, end, face, height, shop, tuple(random.random(6).tolist())))
            place = end + random.uniform(0.0, 2.0 * street.house_gap) * (random.random() < 0.6)
    return tuple(houses)


def _draw_house(canvas: Canvas, house: House) -> None:
    """Paint roof, the wall that faces the camera, and the facade."""
    view = canvas.view
    near = max(house.start, view.s + NEAREST_M + 0.4)
    middle, sunny = (near + house.end) / 2 - view.s, 0.95 if house.face > 0 else 0.74
    gabled = house.height < GABLED_BELOW_M
    points = _pixels(canvas, _corners(house, near))
    wall = choose(WALLS, house.look[0])
    if gabled:
        roof = canvas.condition.shade(choose(ROOFS, house.look[1]), middle, house.face)
        canvas.polygon([points[2], points[3], points[7], points[6]], roof, None)
    side = [points[0], points[4], points[5], *([points[6]] if gabled else []), points[3]]
    canvas.polygon(side, canvas.condition.shade(_toned(wall, 0.84), near - view.s, house.face), None)
    canvas.polygon(points[:4], canvas.condition.shade(_toned(wall, sunny), middle, house.face), None)
    if near - view.s < WINDOWS_UP_TO_M:
        _draw_windows(canvas, house, near)
        if house.shop:
            _draw_shop(canvas, house, near, sunny)


def _corners(house: House, near: float) -> Floats:
    """Give the facade's four corners, the far edge of the near wall (foot, top) and the ends of the ridge."""
    outer, top = house.face + math.copysign(9.0, house.face), house.height
    ridge = (house.face + outer) / 2
    return np.array(
        [
            (near, house.face, 0.0),
            (house.end, house.face, 0.0),
            (house.end, house.face, top),
            (near, house.face, top),
            (near, outer, 0.0),
            (near, outer, top),
            (near, ridge, top + 2.8),
            (house.end, ridge, top + 2.8),
        ]
    )


def _draw_windows(canvas: Canvas, house: House, near: float) -> None:
    """Paint the rows of windows; some are lit when lamps are on."""
    pitch = between(2.2, 3.4, house.look[2])
    columns = np.arange(house.start + 0.7, house.end - 1.5, pitch)
    floors = np.arange(1 if house.shop else 0, int(house.height / FLOOR_M)) * FLOOR_M + 1.0
    places = [(float(left), float(low)) for left in columns for low in floors]
    places = [(left, low) for left, low in places if near < left < canvas.view.s + WINDOWS_UP_TO_M]
    tall = between(1.2, 1.7, house.look[3])
    windows = [_rectangle(left, left + 0.52 * pitch, low, low + tall, face=house.face) for left, low in places]
    pixels = _pixels(canvas, np.array(windows).reshape(-1, 3))
    lamps = canvas.condition.lamps and not canvas.condition.wet
    for index, (left, low) in enumerate(places):
        chance = abs(math.sin(left * 12.9898 + low * 78.233 + house.look[4] * 37.0)) * 437.58 % 1.0
        ahead, pane = left - canvas.view.s, _toned(PANE, 1.0 + 0.6 * chance)
        lit = lamps and chance < 0.32
        colour = canvas.condition.glow(LIT, ahead) if lit else canvas.condition.shade(pane, ahead, house.face)
        canvas.polygon(pixels[4 * index : 4 * index + 4], colour, None)


def _draw_shop(canvas: Canvas, house: House, near: float, sunny: float) -> None:
    """Paint shop windows with a sign above; they are lit when lamps are on."""
    awning = _toned(choose(AWNINGS, house.look[5]), sunny)
    for left in np.arange(house.start + 0.5, house.end - 3.2, 4.0).tolist():
        ahead = left - canvas.view.s
        if near < left and ahead < WINDOWS_UP_TO_M:
            pane = _rectangle(left, left + 3.0, 0.5, 2.5, face=house.face)
            sign = _rectangle(left - 0.2, left + 3.3, 2.6, 3.2, face=house.face)
            pixels = _pixels(canvas, np.array([*pane, *sign]))
            dark = canvas.condition.shade((70, 78, 84), ahead, house.face)
            lit = canvas.condition.glow((176, 150, 110), ahead)
            canvas.polygon(pixels[:4], lit if canvas.condition.lamps else dark, None)
            canvas.polygon(pixels[4:], canvas.condition.shade(awning, ahead, house.face), None)


def _rectangle(left: float, right: float, low: float, high: float, *, face: float) -> list[Corner]:
    return [(left, face, low), (right, face, low), (right, face, high), (left, face, high)]


def _pixels(canvas: Canvas, corners_N3: Floats) -> list[Point]:
    return [(column, row) for column, row in canvas.view.project(corners_N3).tolist()]


def _toned(colour: Colour, share: float) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share
