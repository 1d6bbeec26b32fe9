"""One frame of a drive: backdrop, houses, things from far to near, lens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.synthetic.bicycles import draw_bicycle
from al_platform.datasets.synthetic.camera import CANVAS_HEIGHT, OVERSAMPLING, View
from al_platform.datasets.synthetic.canvas import Canvas, new_canvas
from al_platform.datasets.synthetic.furniture import (
    draw_bin,
    draw_bollard,
    draw_bush,
    draw_gantry,
    draw_lamp,
    draw_mailbox,
    draw_post,
    draw_rack,
    draw_sign,
    draw_tree,
)
from al_platform.datasets.synthetic.ground import backdrop
from al_platform.datasets.synthetic.houses import draw_houses
from al_platform.datasets.synthetic.lens import expose
from al_platform.datasets.synthetic.people import draw_mannequin, draw_person, draw_poster
from al_platform.datasets.synthetic.population import things_in_view
from al_platform.datasets.synthetic.sessions import FRAME_INTERVAL_S, Drive
from al_platform.datasets.synthetic.things import Thing
from al_platform.datasets.synthetic.vehicles import draw_car

DRAW: Mapping[str, Callable[[Canvas, Thing], None]] = MappingProxyType(
    {
        "car": draw_car,
        "parked_car": draw_car,
        "person": draw_person,
        "bicycle": draw_bicycle,
        "parked_bicycle": draw_bicycle,
        "mannequin": draw_mannequin,
        "poster": draw_poster,
        "tree": draw_tree,
        "bush": draw_bush,
        "lamp": draw_lamp,
        "sign": draw_sign,
        "bollard": draw_bollard,
        "mailbox": draw_mailbox,
        "bin": draw_bin,
        "rack": draw_rack,
        "post": draw_post,
        "gantry": draw_gantry,
    }
)


@dataclass(frozen=True)
class Rendered:
    """A picture [H, W, 3] and its mask [H, W]: 0 background, 1 car, 2 person, 3 bicycle."""

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def render_frame(drive: Drive, number: int) -> Rendered:
    """Render frame `number` of a drive; it does not depend on the frames before it."""
    time_s = number * FRAME_INTERVAL_S
    view = view_at(drive, time_s)
    scene = backdrop(drive, view)
    canvas = new_canvas(scene, view=view, condition=drive.condition)
    draw_houses(canvas, drive)
    for thing in things_in_view(drive, view, time_s=time_s):
        DRAW[thing.kind](canvas, thing)
    return Rendered(expose(scene, canvas, drive, number=number), canvas.marks())


def view_at(drive: Drive, time_s: float) -> View:
    """Give the camera of a drive at a time; it sways within the lane and nods a little."""
    s = drive.travelled(time_s)
    sway = 0.15 * float(np.sin(0.21 * s + drive.number))
    nod = 1.2 * float(np.sin(2.9 * time_s + drive.number))
    horizon = OVERSAMPLING * round((drive.horizon_share * CANVAS_HEIGHT + nod) / OVERSAMPLING)
    return View(s, drive.lane_d + sway, drive.curvature(s), horizon)
