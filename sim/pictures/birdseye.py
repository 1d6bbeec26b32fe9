"""A scene from above: lanes, lines, lights, the route, boxes and the trails they leave. North is up, RGB."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sim.kinds import AgentKind, LightState, RoadKind, StopKind
from sim.recording import Lane, Recording

Float64s = NDArray[np.float64]
Colour = tuple[int, int, int]

SUPERSAMPLING = 2
GROUND: Colour = (232, 235, 228)
ASPHALT: Colour = (188, 190, 194)
_ROUTE: Colour = (176, 205, 235)
_EGO: Colour = (214, 60, 46)
_SECOND: Colour = (126, 60, 190)
_LINES: dict[RoadKind, tuple[Colour, float]] = {
    RoadKind.SOLID_LINE: ((255, 255, 255), 0.18),
    RoadKind.BROKEN_LINE: ((255, 255, 255), 0.18),
    RoadKind.ROAD_EDGE: ((96, 98, 102), 0.25),
    RoadKind.CROSSWALK: ((255, 255, 255), 0.5),
    RoadKind.SPEED_BUMP: ((220, 180, 60), 0.6),
}
_BOXES: dict[AgentKind, Colour] = {
    AgentKind.OTHER: (120, 120, 120),
    AgentKind.VEHICLE: (52, 96, 160),
    AgentKind.PEDESTRIAN: (222, 128, 24),
    AgentKind.CYCLIST: (30, 140, 84),
}
_LIGHTS: dict[LightState, Colour] = {
    LightState.UNKNOWN: (150, 150, 150),
    LightState.STOP: (220, 30, 30),
    LightState.CAUTION: (240, 180, 20),
    LightState.GO: (30, 170, 60),
    LightState.FLASHING_STOP: (220, 90, 90),
    LightState.FLASHING_CAUTION: (245, 210, 100),
}


@dataclass(frozen=True)
class View:
    """What part of the world is drawn, and how large."""

    centre: tuple[float, float]
    """Metres, world frame."""
    span_m: float = 120.0
    """Side of the square."""
    pixels: int = 720


@dataclass(frozen=True)
class Overlay:
    """The ego as a policy drove it, in place of the recorded one."""

    poses: Float64s
    """[T, 3] x, y, heading."""
    colour: Colour = field(default=_SECOND)


class Backdrop:
    """Everything of a recording that does not move, drawn once for a view."""

    def __init__(self, recording: Recording, view: View, *, ground: Image.Image | None = None) -> None:
        """Draw lanes, route, lines and crosswalks, onto a picture of the ground where there is one."""
        self.view = view
        self._scale = view.pixels * SUPERSAMPLING / view.span_m
        self.image = ground or Image.new("RGB", (view.pixels * SUPERSAMPLING,) * 2, GROUND)
        draw = ImageDraw.Draw(self.image)
        for road in recording.map.roads:
            if (
                road.kind == RoadKind.ROAD_EDGE
                and len(road.points) > 3
                and np.array_equal(road.points[0], road.points[-1])
            ):
                self._area(draw, road.points[:, :2], ASPHALT if _turns_left(road.points) else GROUND)
        route = set(recording.route or ())
        for on_route in (False, True):
            for lane in recording.map.lanes:
                if (lane.lane_id in route) == on_route:
                    self._area(draw, _area_of(lane), _ROUTE if on_route else ASPHALT)
        for road in recording.map.roads:
            if road.kind == RoadKind.CROSSWALK and len(road.points) > 2:
                self._stripes(draw, road.points[:, :2])
            elif road.kind in _LINES:
                colour, width = _LINES[road.kind]
                self._line(draw, road.points[:, :2], colour, width, broken=road.kind == RoadKind.BROKEN_LINE)

    def pixels_of(self, points: Float64s) -> list[tuple[float, float]]:
        """Give places in the world [P, 2] as pixels of the large image."""
        x = (points[:, 0] - self.view.centre[0] + 0.5 * self.view.span_m) * self._scale
        y = (self.view.centre[1] + 0.5 * self.view.span_m - points[:, 1]) * self._scale
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def width(self, metres: float) -> int:
        """How many pixels of the large image a line of this width has; at least 1."""
        return max(1, round(metres * self._scale))

    def _area(self, draw: ImageDraw.ImageDraw, points: Float64s, colour: Colour) -> None:
        draw.polygon(self.pixels_of(points), fill=colour)

    def _line(self, draw: ImageDraw.ImageDraw, points: Float64s, colour: Colour, width: float, *, broken: bool) -> None:
        if not broken:
            draw.line(self.pixels_of(points), fill=colour, width=self.width(width))
            return
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        for begin in np.arange(0.0, along[-1] - 3.0, 9.0):
            marks = np.array([begin, begin + 1.5, begin + 3.0])
            piece = np.stack([np.interp(marks, along, points[:, axis]) for axis in (0, 1)], axis=1)
            draw.line(self.pixels_of(piece), fill=colour, width=self.width(width))

    def _stripes(self, draw: ImageDraw.ImageDraw, area: Float64s) -> None:
        if len(area) != 4:
            self._area(draw, area, (215, 215, 215))
            return
        edges = (area[[1, 2]] - area[[0, 3]], area[[3, 2]] - area[[0, 1]])
        across_first = np.hypot(*edges[1][0]) > np.hypot(*edges[0][0])
        a, b, c, d = area if across_first else area[[1, 2, 3, 0]]
        count = max(2, round(float(np.hypot(*(d - a)) / 1.0)))
        for stripe in range(count):
            near, far = stripe / count, (stripe + 0.5) / count
            corners = np.array([a + near * (d - a), b + near * (c - b), b + far * (c - b), a + far * (d - a)])
            self._area(draw, corners, (255, 255, 255))


def draw_step(recording: Recording, step: int, *, backdrop: Backdrop, overlay: Overlay | None = None) -> Image.Image:
    """One step of a recording from above; with an overlay the policy's ego is drawn in place of the recorded one."""
    image = backdrop.image.copy()
    draw = ImageDraw.Draw(image)
    _draw_stops(draw, recording, step, backdrop)
    agents = recording.agents
    for row in range(len(agents.ids)):
        if not agents.valid[row, step] or (overlay is not None and row == recording.ego):
            continue
        colour = _EGO if row == recording.ego else _BOXES[AgentKind(int(agents.kind[row]))]
        poses = np.concatenate([agents.position[row, :, :2], agents.heading[row, :, None]], axis=1)
        poses = poses[: step + 1][agents.valid[row, : step + 1]]
        _draw_agent(draw, poses, agents.size[row], colour, backdrop)
    if overlay is not None:
        shown = overlay.poses[: min(step, len(overlay.poses) - 1) + 1]
        _draw_agent(draw, shown, agents.size[recording.ego], overlay.colour, backdrop)
    return image.resize((backdrop.view.pixels,) * 2, Image.Resampling.BOX)


def view_of(recording: Recording, *, span_m: float = 160.0, pixels: int = 720) -> View:
    """A view around the middle of what the ego drove."""
    places = recording.agents.position[recording.ego, recording.agents.valid[recording.ego], :2]
    middle = 0.5 * (places.min(axis=0) + places.max(axis=0))
    return View((float(middle[0]), float(middle[1])), span_m, pixels)


def _turns_left(ring: Float64s) -> bool:
    """Whether a closed line runs counter-clockwise, so that what it encloses is drivable."""
    x, y = ring[:, 0], ring[:, 1]
    return bool((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() > 0.0)


def _area_of(lane: Lane) -> Float64s:
    """[Q, 2] between the borders of a lane, or 1.8 m to either side of its centre line."""
    if lane.left is not None and lane.right is not None:
        return np.concatenate([lane.left, lane.right[::-1]])
    way = np.gradient(lane.centre[:, :2], axis=0)
    normal = 1.8 * np.stack([-way[:, 1], way[:, 0]], axis=1) / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    return np.concatenate([lane.centre[:, :2] + normal, (lane.centre[:, :2] - normal)[::-1]])


def _draw_stops(draw: ImageDraw.ImageDraw, recording: Recording, step: int, backdrop: Backdrop) -> None:
    for stop in recording.map.stops:
        (x, y) = backdrop.pixels_of(stop.position[None, :2])[0]
        radius = backdrop.width(0.9)
        box = (x - radius, y - radius, x + radius, y + radius)
        if stop.kind == StopKind.LIGHT and stop.states is not None:
            draw.ellipse(box, fill=_LIGHTS[LightState(int(stop.states[step]))], outline=(40, 40, 40))
        else:
            draw.regular_polygon((x, y, radius), 8, fill=(200, 30, 40), outline=(255, 255, 255))


def _draw_agent(draw: ImageDraw.ImageDraw, poses: Float64s, size: Float64s, colour: Colour, backdrop: Backdrop) -> None:
    trail = poses[-16:]
    if len(trail) > 1:
        draw.line(backdrop.pixels_of(trail[:, :2]), fill=_paler(colour), width=backdrop.width(0.35))
    x, y, heading = poses[-1]
    forward, left = np.array([np.cos(heading), np.sin(heading)]), np.array([-np.sin(heading), np.cos(heading)])
    half = 0.5 * size[:2]
    shape = [(1.0, 0.55), (0.8, 1.0), (-1.0, 1.0), (-1.0, -1.0), (0.8, -1.0), (1.0, -0.55)]
    corners = np.array([[x, y] + a * half[0] * forward + b * half[1] * left for a, b in shape])
    draw.polygon(backdrop.pixels_of(corners), fill=colour, outline=(30, 30, 30))


def _paler(colour: Colour) -> Colour:
    red, green, blue = ((value + 2 * 210) // 3 for value in colour)
    return red, green, blue
