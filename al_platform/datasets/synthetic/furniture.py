"""Trees, poles and the small things of a street, some of which look like persons or bicycles from afar."""

import math

from al_platform.datasets.synthetic.canvas import Canvas, board_at
from al_platform.datasets.synthetic.light import Colour
from al_platform.datasets.synthetic.things import Thing, between, choose

LEAVES: tuple[Colour, ...] = ((58, 92, 44), (74, 104, 50), (50, 80, 48), (96, 112, 56), (112, 100, 50))
METAL: Colour = (112, 116, 118)
LAMP_LIGHT: Colour = (255, 214, 150)


def draw_tree(canvas: Canvas, thing: Thing) -> None:
    """Paint a broad-leaved tree, or a conifer."""
    board = board_at(canvas, thing.s, thing.d)
    green = choose(LEAVES, thing.look[0])
    dark = (green[0] * 0.68, green[1] * 0.7, green[2] * 0.72)
    size = between(1.3, 2.4, thing.look[1])
    board.limb((0.0, 0.0), (0.1, 1.6 * size), (0.32, 0.2), (78, 64, 52))
    if thing.look[2] < 0.25:
        for level in range(3):
            foot = (0.9 + 0.9 * level) * size
            reach = (1.0 - 0.25 * level) * size
            board.polygon([(-reach, foot), (reach, foot), (0.0, foot + 1.5 * size)], dark if level == 0 else green)
        return
    for index in range(5):
        angle = 2.0 * math.pi * (index / 5 + thing.look[3])
        spot = (0.62 * size * math.cos(angle), (2.25 + 0.5 * math.sin(angle)) * size)
        board.disc(spot, (0.72 * size, 0.62 * size), dark if math.sin(angle) < 0 else green)
    board.disc(
        (-0.15 * size, 2.5 * size),
        (0.62 * size, 0.5 * size),
        (green[0] * 1.12, green[1] * 1.12, green[2] * 1.1),
    )


def draw_bush(canvas: Canvas, thing: Thing) -> None:
    """Paint a bush about as high as a person."""
    board = board_at(canvas, thing.s, thing.d)
    green = choose(LEAVES, thing.look[0])
    high = between(0.5, 1.5, thing.look[1])
    board.disc((0.0, 0.4 * high), (0.8 * high, 0.55 * high), (green[0] * 0.75, green[1] * 0.75, green[2] * 0.75))
    board.disc((0.2 * high, 0.6 * high), (0.5 * high, 0.4 * high), green)


def draw_lamp(canvas: Canvas, thing: Thing) -> None:
    """Paint a street lamp whose arm reaches over the road; it shines when lamps are on."""
    board = board_at(canvas, thing.s, thing.d)
    reach = 1.6 if thing.d > 0 else -1.6
    board.limb((0.0, 0.0), (0.0, 7.0), (0.16, 0.1), METAL)
    board.limb((0.0, 6.95), (reach, 7.2), (0.09, 0.07), METAL)
    board.rectangle(reach - 0.35, 7.08, reach + 0.35, 7.24, (150, 152, 150))
    if canvas.condition.lamps:
        board.shine((reach, 7.1), radius=0.55, colour=LAMP_LIGHT)


def draw_sign(canvas: Canvas, thing: Thing) -> None:
    """Paint a traffic sign: a disc, a triangle or a board on a post."""
    board = board_at(canvas, thing.s, thing.d)
    board.limb((0.0, 0.0), (0.0, 2.4), (0.07, 0.07), METAL)
    if thing.look[0] < 0.4:
        board.disc((0.0, 2.3), (0.32, 0.32), (190, 36, 34))
        board.disc((0.0, 2.3), (0.22, 0.22), (232, 232, 228))
    elif thing.look[0] < 0.7:
        board.polygon([(-0.42, 2.0), (0.42, 2.0), (0.0, 2.72)], (190, 36, 34))
        board.polygon([(-0.24, 2.1), (0.24, 2.1), (0.0, 2.52)], (232, 232, 228))
    else:
        board.rectangle(-0.34, 1.95, 0.34, 2.6, choose(((36, 82, 158), (226, 186, 50), (44, 110, 70)), thing.look[1]))


def draw_bollard(canvas: Canvas, thing: Thing) -> None:
    """Paint a bollard: upright, narrow, as high as a child."""
    board = board_at(canvas, thing.s, thing.d)
    high = between(0.8, 1.25, thing.look[0])
    paint = choose(((52, 54, 56), (122, 60, 50), (150, 150, 146)), thing.look[1])
    board.limb((0.0, 0.0), (0.0, high), (0.2, 0.17), paint)
    board.rectangle(-0.1, high * 0.74, 0.1, high * 0.84, (226, 226, 222))
    board.disc((0.0, high), (0.11, 0.08), paint)


def draw_mailbox(canvas: Canvas, thing: Thing) -> None:
    """Paint a box on a post, as high as a person's chest."""
    board = board_at(canvas, thing.s, thing.d)
    paint = choose(((206, 168, 40), (172, 38, 36), (38, 76, 140)), thing.look[0])
    board.limb((0.0, 0.0), (0.0, 0.8), (0.12, 0.12), (66, 66, 66))
    board.rectangle(-0.27, 0.7, 0.27, 1.45, paint)
    board.disc((0.0, 1.45), (0.27, 0.14), paint)
    board.rectangle(-0.18, 1.2, 0.18, 1.26, (30, 30, 30))


def draw_bin(canvas: Canvas, thing: Thing) -> None:
    """Paint a wheeled bin at the kerb."""
    board = board_at(canvas, thing.s, thing.d)
    paint = choose(((48, 66, 52), (40, 44, 48), (60, 72, 110), (118, 86, 50)), thing.look[0])
    board.polygon([(-0.26, 0.05), (0.26, 0.05), (0.32, 1.02), (-0.32, 1.02)], paint)
    board.rectangle(-0.35, 1.0, 0.35, 1.1, (paint[0] * 0.7, paint[1] * 0.7, paint[2] * 0.7))


def draw_rack(canvas: Canvas, thing: Thing) -> None:
    """Paint an empty rack of hoops: from afar like the wheels of bicycles."""
    board = board_at(canvas, thing.s, thing.d)
    for along in (-0.7, 0.0, 0.7):
        board.ring((along, 0.4), (0.3, 0.38), METAL, width=0.05)


def draw_post(canvas: Canvas, thing: Thing) -> None:
    """Paint a reflector post of a country road."""
    board = board_at(canvas, thing.s, thing.d)
    board.limb((0.0, 0.0), (0.0, 1.0), (0.13, 0.11), (226, 226, 222))
    board.rectangle(-0.06, 0.68, 0.06, 0.84, (40, 40, 42))


def draw_gantry(canvas: Canvas, thing: Thing) -> None:
    """Paint a large direction sign beside a motorway."""
    board = board_at(canvas, thing.s, thing.d)
    for across in (-1.5, 1.5):
        board.limb((across, 0.0), (across, 4.2), (0.2, 0.18), METAL)
    board.rectangle(-2.2, 2.4, 2.2, 5.0, (30, 76, 150) if thing.look[0] < 0.6 else (32, 104, 66))
    for level in range(3):
        board.rectangle(
            -1.8,
            2.8 + 0.7 * level,
            between(0.2, 1.7, thing.look[level + 1]),
            3.05 + 0.7 * level,
            (228, 230, 230),
        )
