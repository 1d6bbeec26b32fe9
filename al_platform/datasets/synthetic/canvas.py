"""What is drawn on: the picture, the mask that says which pixel belongs to what, and the lamps that glow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from al_platform.datasets.synthetic.camera import OVERSAMPLING, View
from al_platform.datasets.synthetic.light import Colour, Condition

BACKGROUND, CAR, PERSON, BICYCLE = range(4)
Point = tuple[float, float]


@dataclass(frozen=True)
class Lamp:
    """A source of light in the picture: place and radius in pixels of the canvas."""

    column: float
    row: float
    radius: float
    colour: Colour


@dataclass(frozen=True)
class Canvas:
    """A picture and its mask, painted together from far to near: what is nearer covers both."""

    picture: ImageDraw.ImageDraw
    mask: ImageDraw.ImageDraw
    marked: Image.Image
    view: View
    condition: Condition
    lamps: list[Lamp] = field(default_factory=list)

    def polygon(self, points: Sequence[Point], colour: tuple[int, int, int], label: int | None) -> None:
        """Fill a polygon; `label` None leaves the mask as it is, for details within a silhouette."""
        self.picture.polygon(points, fill=colour)
        if label is not None:
            self.mask.polygon(points, fill=label)

    def marks(self) -> NDArray[np.uint8]:
        """Give the mask of the frame, [H, W]: the lower right pixel of each block of the canvas."""
        return np.ascontiguousarray(np.asarray(self.marked)[1::OVERSAMPLING, 1::OVERSAMPLING])


def new_canvas(picture: Image.Image, *, view: View, condition: Condition) -> Canvas:
    """Begin to paint on a picture; nothing of it is marked yet."""
    mask = Image.new("L", picture.size, BACKGROUND)
    return Canvas(ImageDraw.Draw(picture), ImageDraw.Draw(mask), mask, view, condition)


@dataclass(frozen=True)
class Board:
    """An upright plane across the view, at one place of the street: metres in, painted pixels out.

    Its coordinates are metres to the right of the place and metres above the ground.
    """

    canvas: Canvas
    column: float
    row: float
    scale: float
    ahead: float
    lateral: float
    label: int

    def polygon(self, points_m: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon in the light that falls on this place."""
        shaded = self.canvas.condition.shade(colour, self.ahead, self.lateral)
        self.canvas.polygon([self._pixel(right, up) for right, up in points_m], shaded, self.label)

    def rectangle(self, left: float, bottom: float, right: float, top: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, bottom), (right, bottom), (right, top), (left, top)], colour)

    def disc(self, centre: Point, radii: Point, colour: Colour) -> None:
        """Fill an ellipse."""
        bounds = self._bounds(centre, radii)
        self.canvas.picture.ellipse(bounds, fill=self.canvas.condition.shade(colour, self.ahead, self.lateral))
        self.canvas.mask.ellipse(bounds, fill=self.label)

    def ring(self, centre: Point, radii: Point, colour: Colour, *, width: float) -> None:
        """Draw the edge of an ellipse."""
        bounds, pixels = self._bounds(centre, radii), max(1, round(width * self.scale))
        shaded = self.canvas.condition.shade(colour, self.ahead, self.lateral)
        self.canvas.picture.ellipse(bounds, outline=shaded, width=pixels)
        self.canvas.mask.ellipse(bounds, outline=self.label, width=pixels)

    def limb(self, start: Point, end: Point, widths: Point, colour: Colour) -> None:
        """Fill a bar from start to end, `widths` metres wide at its ends and never thinner than a pixel."""
        along, up = end[0] - start[0], end[1] - start[1]
        length = math.hypot(along, up) or 1.0
        across, rise = -up / length, along / length
        first, last = (max(width, 1.2 / self.scale) / 2 for width in widths)
        self.polygon(
            [
                (start[0] + across * first, start[1] + rise * first),
                (end[0] + across * last, end[1] + rise * last),
                (end[0] - across * last, end[1] - rise * last),
                (start[0] - across * first, start[1] - rise * first),
            ],
            colour,
        )

    def shine(self, centre: Point, *, radius: float, colour: Colour) -> None:
        """Put a lamp here: it glows over what is around it."""
        column, row = self._pixel(*centre)
        self.canvas.lamps.append(Lamp(column, row, radius * self.scale, colour))

    def _pixel(self, right: float, up: float) -> Point:
        return self.column + right * self.scale, self.row - up * self.scale

    def _bounds(self, centre: Point, radii: Point) -> tuple[float, float, float, float]:
        column, row = self._pixel(*centre)
        across, up = (max(radius * self.scale, 0.6) for radius in radii)
        return column - across, row - up, column + across, row + up


def board_at(canvas: Canvas, s: float, d: float, *, label: int = BACKGROUND) -> Board:
    """Stand a board at a place of the street."""
    column, row, scale = canvas.view.place(s, d)
    return Board(canvas, column, row, scale, canvas.view.ahead(s), d - canvas.view.d, label)
