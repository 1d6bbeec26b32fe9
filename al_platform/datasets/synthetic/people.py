"""Persons on foot as jointed figures, and what only looks like them."""

import math

from al_platform.datasets.synthetic.canvas import BACKGROUND, PERSON, Board, Canvas, board_at
from al_platform.datasets.synthetic.light import Colour
from al_platform.datasets.synthetic.things import Thing, between, choose

CLOTHES: tuple[Colour, ...] = (
    (38, 40, 48), (58, 60, 66), (46, 56, 86), (88, 92, 100), (120, 46, 42), (64, 84, 66), (140, 128, 104),
    (176, 172, 164), (204, 202, 196), (178, 60, 52), (206, 162, 58), (70, 108, 150), (102, 66, 92),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (36, 38, 46), (48, 58, 84), (62, 74, 104), (30, 30, 32), (92, 84, 72), (124, 116, 100), (54, 54, 58),
)  # fmt: skip
SKINS: tuple[Colour, ...] = ((224, 184, 156), (196, 148, 116), (150, 104, 76), (98, 66, 48))
HAIRS: tuple[Colour, ...] = ((32, 26, 24), (66, 46, 32), (118, 86, 54), (150, 146, 140), (188, 160, 110))


def draw_person(canvas: Canvas, thing: Thing) -> None:
    """Paint a walking or standing person, with an umbrella in some of the rain."""
    board = board_at(canvas, thing.s, thing.d, label=PERSON)
    aside = abs(math.sin(thing.heading))
    height = _height(thing)
    walk_figure(board, thing, height=height, aside=aside)
    if canvas.condition.wet and thing.look[8] < 0.45:
        cover = choose(CLOTHES, thing.look[9])
        board.limb((0.12, 0.6 * height), (0.05, height + 0.2), (0.02, 0.02), (60, 60, 60))
        board.polygon([(0.05 + 0.52 * math.cos(a), height + 0.02 + 0.34 * math.sin(a)) for a in _half_turn()], cover)


def draw_mannequin(canvas: Canvas, thing: Thing) -> None:
    """Paint a shop window with a pale figure on a plinth: looks like a person and is none."""
    board = board_at(canvas, thing.s, thing.d, label=BACKGROUND)
    board.rectangle(-0.75, 0.1, 0.75, 2.5, (84, 80, 74))
    board.rectangle(-0.66, 0.2, 0.66, 2.4, (40, 46, 52))
    board.rectangle(-0.35, 0.2, 0.35, 0.42, (120, 116, 110))
    dummy = Thing(thing.kind, thing.s, thing.d, 0.0, (0.5, *thing.look[1:]), phase=0.6)
    raised = Board(canvas, board.column, board.row - 0.4 * board.scale, board.scale, board.ahead, board.lateral, 0)
    walk_figure(raised, dummy, height=1.74, aside=0.3, skin=(206, 200, 192))


def draw_poster(canvas: Canvas, thing: Thing) -> None:
    """Paint an advertisement that shows a person: a picture of one, not one."""
    board = board_at(canvas, thing.s, thing.d, label=BACKGROUND)
    board.limb((0.0, 0.0), (0.0, 0.7), (0.18, 0.18), (70, 72, 74))
    board.rectangle(-0.68, 0.6, 0.68, 2.6, (58, 60, 62))
    board.rectangle(-0.6, 0.68, 0.6, 2.52, choose(((216, 206, 180), (150, 186, 206), (228, 224, 218)), thing.look[2]))
    raised = Board(canvas, board.column, board.row - 0.72 * board.scale, board.scale, board.ahead, board.lateral, 0)
    walk_figure(raised, thing, height=1.62, aside=between(0.2, 1.0, thing.look[3]))
    board.rectangle(-0.5, 2.3, 0.5, 2.46, (190, 44, 40))


def walk_figure(board: Board, thing: Thing, *, height: float, aside: float, skin: Colour | None = None) -> None:
    """Paint legs, arms, torso and head. `aside` is 0 seen from front or back and 1 seen from the side."""
    look = thing.look
    top, trousers = (skin, skin) if skin else (choose(CLOTHES, look[2]), choose(TROUSERS, look[3]))
    turn = -aside if math.sin(thing.heading) > 0 else aside
    half = 0.5 * between(0.2, 0.27, look[4]) * height * (1.0 - 0.38 * aside)
    shoulder, hand = 0.82 * height, 0.47 * height
    reach = 0.15 * height * math.sin(thing.phase) * aside
    sleeve = darker(top, 0.82)
    board.limb((0.0, shoulder - 0.02), (-reach - half, hand), (0.1, 0.08), sleeve)
    _legs(board, trousers, height=height, phase=thing.phase, aside=aside, turn=turn)
    _torso(board, top, height=height, half=half, coat=look[5] < 0.25)
    if look[6] < 0.3:
        bag = -0.1 - 0.14 * turn
        board.rectangle(bag, 0.58 * height, bag + 0.2, 0.82 * height, (52, 56, 60))
    board.limb((0.84 * half, shoulder), (reach + 1.04 * half, hand), (0.1, 0.08), sleeve)
    flesh, hair = skin or choose(SKINS, look[1]), skin or choose(HAIRS, look[7])
    away = math.cos(thing.heading) > 0.4
    paint_head(board, (0.02 * turn, 0.93 * height), 0.068 * height, flesh=flesh, hair=hair, away=away)


def _legs(board: Board, trousers: Colour, *, height: float, phase: float, aside: float, turn: float) -> None:
    swing = math.sin(phase)
    stride, spread = 0.24 * height * swing * aside, 0.055 * height * (1.0 - 0.6 * aside)
    lift = 0.05 * height * (1.0 - aside)
    for side, foot, raised in (
        (-spread, -stride, lift * max(swing, 0)),
        (spread, stride, lift * max(-swing, 0)),
    ):
        knee = (side + foot * 0.4 + 0.04 * turn, 0.27 * height)
        heel = 0.03 * height + raised
        board.limb((side, 0.5 * height), knee, (0.105 * height, 0.085 * height), trousers)
        board.limb(knee, (side + foot, heel), (0.085 * height, 0.055 * height), trousers)
        board.disc((side + foot + 0.04 * turn, heel), (0.055 * height, 0.025 * height), (30, 28, 28))


def _torso(board: Board, colour: Colour, *, height: float, half: float, coat: bool) -> None:
    hem, shoulder, neck = (0.34 if coat else 0.48) * height, 0.82 * height, 0.855 * height
    board.polygon(
        [
            (-0.84 * half, hem),
            (0.84 * half, hem),
            (half, shoulder),
            (0.6 * half, neck),
            (-0.6 * half, neck),
            (-half, shoulder),
        ],
        colour,
    )


def paint_head(
    board: Board, centre: tuple[float, float], radius: float, *, flesh: Colour, hair: Colour, away: bool
) -> None:
    """Paint a head; seen from behind it is all hair, or helmet."""
    board.disc((centre[0], centre[1] + 0.25 * radius), (radius, radius * 1.05), hair)
    board.disc((centre[0], centre[1] - 0.12 * radius), (radius * 0.8, radius), hair if away else flesh)


def _height(thing: Thing) -> float:
    return between(1.05, 1.4, thing.look[4]) if thing.look[0] < 0.2 else between(1.55, 1.92, thing.look[4])


def darker(colour: Colour, share: float) -> Colour:
    """Give a colour with a share of its light."""
    return colour[0] * share, colour[1] * share, colour[2] * share


def _half_turn() -> list[float]:
    return [math.pi * step / 8 for step in range(9)]
