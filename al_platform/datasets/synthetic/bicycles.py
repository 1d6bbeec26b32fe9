"""Bicycles, with a rider or leaning somewhere, seen from any side."""

import math

from al_platform.datasets.synthetic.canvas import BICYCLE, Board, Canvas, Point, board_at
from al_platform.datasets.synthetic.light import Colour
from al_platform.datasets.synthetic.people import CLOTHES, HAIRS, SKINS, TROUSERS, darker, paint_head
from al_platform.datasets.synthetic.things import Thing, choose

HELMETS: tuple[Colour, ...] = ((230, 230, 228), (40, 42, 46), (190, 40, 36), (60, 110, 170))
REAR_HUB, PEDALS, SADDLE, STEM, FRONT_HUB = (
    (-0.52, 0.34),
    (0.0, 0.32),
    (-0.14, 0.84),
    (0.4, 0.78),
    (0.52, 0.34),
)
TUBES = (
    (REAR_HUB, PEDALS),
    (PEDALS, STEM),
    (SADDLE, STEM),
    (SADDLE, PEDALS),
    (SADDLE, REAR_HUB),
    (FRONT_HUB, (0.38, 0.98)),
)
"""The frame from the side, in metres along and up."""


def draw_bicycle(canvas: Canvas, thing: Thing) -> None:
    """Paint a bicycle; with its rider unless it leans somewhere. Rider and bicycle are one object."""
    board = board_at(canvas, thing.s, thing.d, label=BICYCLE)
    aside = max(abs(math.sin(thing.heading)), 0.14)
    turn = -1.0 if math.sin(thing.heading) > 0 else 1.0
    paint = choose(CLOTHES, thing.look[6])

    def at(along: float, up: float) -> tuple[float, float]:
        return along * aside * turn, up

    for along in (-0.52, 0.52):
        board.ring(at(along, 0.34), (0.34 * aside, 0.34), (28, 28, 30), width=0.055)
    for start, end in TUBES:
        board.limb(at(*start), at(*end), (0.045, 0.045), paint)
    middle, grip = at(0.38, 0.98)[0], 0.34 * (1 - aside)
    board.limb((middle - grip, 1.02), (middle + grip, 1.02), (0.04, 0.04), (40, 40, 42))
    if thing.kind == "bicycle":
        _rider(board, thing, aside=aside, turn=turn)
    if aside < 0.5:
        _near_wheel(board, thing, at(-0.5 * math.copysign(1.0, math.cos(thing.heading)), 0.0)[0])
    if canvas.condition.lamps and aside < 0.6:
        colour = (235.0, 60.0, 50.0) if math.cos(thing.heading) > 0 else (250.0, 246.0, 226.0)
        board.shine((0.0, 0.72), radius=0.12, colour=colour)


def _near_wheel(board: Board, thing: Thing, along: float) -> None:
    """Paint the wheel that is nearer, edge on, with its mudguard and perhaps two bags."""
    if thing.look[9] < 0.35:
        for left in (along - 0.3, along + 0.1):
            board.rectangle(left, 0.35, left + 0.2, 0.72, choose(CLOTHES, thing.look[5]))
    board.disc((along, 0.35), (0.055, 0.35), (26, 26, 28))
    board.limb((along, 0.66), (along, 0.92), (0.09, 0.16), (36, 36, 38))
    board.rectangle(along - 0.05, 0.6, along + 0.05, 0.68, (170, 30, 30))


def _rider(board: Board, thing: Thing, *, aside: float, turn: float) -> None:
    top = choose(CLOTHES, thing.look[2])
    half = 0.2 - 0.06 * aside
    hip, neck = (-0.14 * aside * turn, 1.02), (0.16 * aside * turn, 1.5)
    _legs(board, thing, hip, aside=aside, turn=turn)
    board.polygon(
        [
            (hip[0] - 0.8 * half, hip[1] - 0.04),
            (hip[0] + 0.8 * half, hip[1] - 0.04),
            (neck[0] + half, neck[1] - 0.06),
            (neck[0], neck[1] + 0.04),
            (neck[0] - half, neck[1] - 0.06),
        ],
        top,
    )
    for side in (-1.0, 1.0):
        shoulder = (neck[0] + 0.17 * side * (1 - aside), neck[1] - 0.08)
        hand = (0.38 * aside * turn + 0.3 * side * (1 - aside), 1.04)
        board.limb(shoulder, hand, (0.1, 0.07), darker(top, 0.82))
    cover = choose(HELMETS, thing.look[7]) if thing.look[8] < 0.6 else choose(HAIRS, thing.look[7])
    flesh, away = choose(SKINS, thing.look[1]), math.cos(thing.heading) > 0.4
    place = (neck[0] + 0.08 * aside * turn, neck[1] + 0.17)
    paint_head(board, place, 0.118, flesh=flesh, hair=cover, away=away)


def _legs(board: Board, thing: Thing, hip: Point, *, aside: float, turn: float) -> None:
    trousers = choose(TROUSERS, thing.look[3])
    for side, angle in ((-1.0, thing.phase), (1.0, thing.phase + math.pi)):
        out = side * (1 - aside)
        pedal = (0.17 * math.cos(angle) * aside * turn + 0.1 * out, 0.34 + 0.17 * math.sin(angle))
        bend = 0.18 * aside * turn + 0.1 * out
        knee = ((hip[0] + pedal[0]) / 2 + bend, (hip[1] + pedal[1]) / 2 + 0.06)
        board.limb(hip, knee, (0.17, 0.13), trousers)
        board.limb(knee, pedal, (0.13, 0.09), trousers)
