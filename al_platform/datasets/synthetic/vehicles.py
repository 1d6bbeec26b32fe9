"""Cars, vans and lorries as two stacked boxes in true perspective."""

import math
from dataclasses import dataclass

import numpy as np

from al_platform.datasets.synthetic.camera import FOCAL, Floats
from al_platform.datasets.synthetic.canvas import CAR, Canvas, Lamp, Point
from al_platform.datasets.synthetic.light import Colour
from al_platform.datasets.synthetic.things import Thing, between, choose

PAINTS: tuple[Colour, ...] = (
    (225, 226, 228), (208, 210, 212), (160, 163, 168), (96, 100, 106), (40, 42, 46), (30, 31, 34),
    (232, 232, 230), (44, 62, 104), (92, 118, 158), (150, 28, 32), (112, 22, 28), (60, 84, 64),
    (186, 168, 132), (196, 120, 40),
)  # fmt: skip
GLASS: Colour = (46, 54, 62)
TYRE: Colour = (24, 24, 26)
BOX_FACES = {"rear": (0, 3, 7, 4), "front": (2, 1, 5, 6), "left": (3, 2, 6, 7), "right": (1, 0, 4, 5)}
"""Corners of each face, counted from below at the rear right and clockwise as seen from outside."""
FACE_LIGHT = {"rear": 0.86, "front": 0.9, "left": 0.72, "right": 0.94}
TOP_FACE = [4, 7, 6, 5]
WHEEL_POINTS = 10
WHEEL = [(math.cos(0.2 * math.pi * point), math.sin(0.2 * math.pi * point)) for point in range(WHEEL_POINTS)]
SHADOW = ((-1.03, -1.08), (-1.03, 1.08), (1.03, 1.08), (1.03, -1.08))
LORRY_M = 8.0
Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """Sizes in metres; the cabin's ends as shares of the length, measured from the rear."""

    length: float
    width: float
    height: float
    shoulder: float
    cabin: tuple[float, float]
    roof: tuple[float, float]


SHAPES = (
    Shape(3.7, 1.68, 1.5, 0.92, (0.02, 0.78), (0.1, 0.6)),
    Shape(4.3, 1.8, 1.46, 0.9, (0.04, 0.76), (0.16, 0.56)),
    Shape(4.8, 1.84, 1.44, 0.9, (0.14, 0.74), (0.3, 0.58)),
    Shape(4.6, 1.9, 1.74, 1.05, (0.02, 0.76), (0.06, 0.6)),
    Shape(5.3, 2.0, 2.2, 1.15, (0.0, 0.9), (0.02, 0.76)),
    Shape(8.5, 2.5, 3.4, 1.0, (0.0, 0.8), (0.0, 0.8)),
)
SHAPE_SHARES = (0.24, 0.5, 0.68, 0.88, 0.96, 1.0)


@dataclass(frozen=True)
class _Car:
    """A vehicle on its canvas: all its points in the picture, and the light on it."""

    canvas: Canvas
    shape: Shape
    points: Floats
    ahead: float
    lateral: float

    def fill(self, points: Floats, colour: Colour, share: float = 1.0, label: int | None = CAR) -> None:
        red, green, blue = (value * share for value in colour)
        self.canvas.polygon(
            _pairs(points), self.canvas.condition.shade((red, green, blue), self.ahead, self.lateral), label
        )


def draw_car(canvas: Canvas, thing: Thing) -> None:
    """Paint a vehicle that stands on the road with its middle at the place of the thing."""
    shape = SHAPES[int(np.searchsorted(SHAPE_SHARES, thing.look[0], side="right"))]
    points = _project(canvas, thing, shape)
    car = _Car(canvas, shape, points, canvas.view.ahead(thing.s), thing.d - canvas.view.d)
    paint, grime = choose(PAINTS, thing.look[1]), between(0.8, 1.0, thing.look[2])
    body, cabin, wheels, shadow = points[:8], points[8:16], points[16:56], points[56:60]
    car.fill(shadow, (34, 34, 36), label=None)
    visible = [name for name, corners in BOX_FACES.items() if _faces_camera(body[list(corners)])]
    _draw_body(car, body, wheels, visible, paint=paint, grime=grime)
    _draw_cabin(car, cabin, paint=paint, grime=grime)
    lit = canvas.condition.lamps and thing.kind == "car"
    _draw_end(car, points[60:], lit=lit, rear="rear" in visible)


def _draw_body(car: _Car, body: Floats, wheels: Floats, visible: list[str], *, paint: Colour, grime: float) -> None:
    for wheel in wheels.reshape(4, WHEEL_POINTS, 2):
        car.fill(wheel, TYRE)
    for name in visible:
        car.fill(body[list(BOX_FACES[name])], paint, grime * FACE_LIGHT[name])
    for wheel in _near_wheels(wheels, visible):
        car.fill(wheel, TYRE)
        car.fill(_inset(wheel, 0.5), (130, 132, 136))
    if _faces_camera(body[TOP_FACE]):
        car.fill(body[TOP_FACE], paint, grime)


def _draw_cabin(car: _Car, cabin: Floats, *, paint: Colour, grime: float) -> None:
    for name, corners in BOX_FACES.items():
        face = cabin[list(corners)]
        if _faces_camera(face):
            car.fill(face, paint, grime * FACE_LIGHT[name])
            if car.shape.length < LORRY_M or name == "front":
                car.fill(_inset(face, 0.82), GLASS)
    if _faces_camera(cabin[TOP_FACE]):
        car.fill(cabin[TOP_FACE], paint, grime * 1.06)


def _draw_end(car: _Car, end: Floats, *, lit: bool, rear: bool) -> None:
    """Paint the lamps and the plate of the end that faces the camera."""
    lamp: Colour = (235, 40, 34) if rear else (255, 250, 226)
    dull: Colour = (128, 24, 26) if rear else (206, 208, 206)
    for corners in (end[:4], end[4:8]):
        if lit:
            car.canvas.polygon(_pairs(corners), car.canvas.condition.glow(lamp, car.ahead), CAR)
            column, row = corners.mean(axis=0).tolist()
            car.canvas.lamps.append(Lamp(column, row, (0.22 if rear else 0.5) * FOCAL / car.ahead, lamp))
        else:
            car.fill(corners, dull)
    car.fill(end[8:], (214, 212, 200))


def _project(canvas: Canvas, thing: Thing, shape: Shape) -> Floats:
    """Give all points in the picture: 16 of the boxes, 40 of the wheels, 4 of the shadow, 12 of the end."""
    half, side = shape.length / 2, shape.width / 2
    cabin = [
        (share * shape.length - half, width * side, up)
        for shares, width, up in ((shape.cabin, 0.96, shape.shoulder), (shape.roof, 0.8, shape.height))
        for share in shares
    ]
    body = [(-half, side, 0.28), (half, side, 0.28), (-half, 0.98 * side, shape.shoulder)]
    body.append((half, 0.98 * side, shape.shoulder))
    wheels = [
        (0.31 * cosine + along, across, 0.31 * sine + 0.31)
        for across in (side, -side)
        for along in (-0.31 * shape.length, 0.31 * shape.length)
        for cosine, sine in WHEEL
    ]
    shadow = [(along * half, across * side, 0.0) for along, across in SHADOW]
    end = _end(-half if np.cos(thing.heading) > 0 else half, side, shape)
    local = np.array([*_box(body), *_box(cabin), *wheels, *shadow, *end])
    cosine, sine = np.cos(thing.heading), np.sin(thing.heading)
    street = local.copy()
    street[:, 0] = thing.s + local[:, 0] * cosine - local[:, 1] * sine
    street[:, 1] = thing.d + local[:, 0] * sine + local[:, 1] * cosine
    return canvas.view.project(street)


def _box(edges: list[Corner]) -> list[Corner]:
    """Give eight corners from (along, half width, up) of four edges: below at rear and front, then above."""
    corners: list[Corner] = []
    for rear, front in (edges[:2], edges[2:]):
        corners.append((rear[0], -rear[1], rear[2]))
        corners.append((front[0], -front[1], front[2]))
        corners.append((front[0], front[1], front[2]))
        corners.append((rear[0], rear[1], rear[2]))
    return corners


def _end(along: float, side: float, shape: Shape) -> list[Corner]:
    """Give lamps left and right and the plate, on the end that faces the camera, as three rectangles."""
    low, high = shape.shoulder - 0.3, shape.shoulder - 0.12
    rectangles = (
        (side - 0.36, side - 0.06, low, high),
        (0.06 - side, 0.36 - side, low, high),
        (-0.26, 0.26, 0.42, 0.54),
    )
    return [
        (along, across, up)
        for left, right, bottom, top in rectangles
        for across, up in ((left, bottom), (right, bottom), (right, top), (left, top))
    ]


def _near_wheels(wheels: Floats, visible: list[str]) -> Floats:
    """Give the wheels of the side that is seen, if one is."""
    sides = wheels.reshape(2, 2, WHEEL_POINTS, 2)
    chosen = [sides[0]] if "left" in visible else []
    chosen += [sides[1]] if "right" in visible else []
    return np.concatenate(chosen) if chosen else sides[0][:0]


def _faces_camera(corners_42: Floats) -> bool:
    """Whether four corners run clockwise in the picture (rows count downwards)."""
    (a, e), (b, f), (c, g), (d, h) = corners_42.tolist()
    return bool((c - a) * (h - f) - (d - b) * (g - e) > 0.0)


def _inset(corners: Floats, share: float) -> Floats:
    middle = corners.mean(axis=0)
    inner: Floats = middle + (corners - middle) * share
    return inner


def _pairs(points: Floats) -> list[Point]:
    return [(column, row) for column, row in points.tolist()]
