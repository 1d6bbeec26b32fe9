"""Kinds of street: how wide they are, and how much of what stands and moves in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LANE_M = 3.4


@dataclass(frozen=True)
class Stream:
    """Things of one kind that share a speed, at random places along the road.

    `per_100m` is their mean number; `side` is their distance from the middle of the road, in metres to the
    left, of which each takes one with up to `spread` more or less. `speed` in m/s along the road; for streams
    that follow the recording car it is relative to it. `heading` is that of `Thing`; None for any.
    `crossing` is the speed in m/s at which they go to and fro between the two sides.
    `every_m`, if not 0, puts them in a row at this distance instead.
    """

    kind: str
    per_100m: float
    side: tuple[float, ...]
    spread: float = 0.0
    speed: float = 0.0
    heading: float | None = 0.0
    crossing: float = 0.0
    every_m: float = 0.0
    follows: bool = False
    group: float = 1.0
    """Mean number of things in a group, at least 1."""


@dataclass(frozen=True)
class Street:
    """A cross-section and its traffic. Lengths in metres, `speed` of the recording car in m/s."""

    name: str
    road_type: str
    lanes_left: int
    lanes_right: int
    kerb: float
    """Width of parking lane or hard shoulder."""
    sidewalk: float
    setback: float
    """From the back of the sidewalk to the houses."""
    speed: float
    sharpest_curve: float
    """Largest curvature in 1/m."""
    house: tuple[float, float] | None
    """Lowest and highest house in metres; None for open country."""
    house_gap: float
    shops: bool
    streams: tuple[Stream, ...]

    @property
    def half_left(self) -> float:
        """Distance from the middle line to the left edge of the road."""
        return self.lanes_left * LANE_M + self.kerb

    @property
    def half_right(self) -> float:
        """Distance from the middle line to the right edge of the road."""
        return self.lanes_right * LANE_M + self.kerb


BACKWARDS = 3.14159
SIDEWAYS = 1.5708


def _people(per_100m: float, walk: float, *, group: float = 1.4) -> tuple[Stream, ...]:
    """Walkers both ways and people who stand, on both sidewalks at `walk` metres from the middle."""
    sides, third = (walk, -walk), per_100m / (3.0 * group)
    return (
        Stream("person", third, sides, 0.7, speed=1.3, heading=0.0, group=group),
        Stream("person", third, sides, 0.7, speed=-1.3, heading=BACKWARDS, group=group),
        Stream("person", third, sides, 0.8, heading=None, group=group),
    )


def _cyclists(per_100m: float, lane: float) -> tuple[Stream, ...]:
    return (
        Stream("bicycle", 0.6 * per_100m, (-lane,), 0.3, speed=4.0, heading=0.0),
        Stream("bicycle", 0.4 * per_100m, (lane,), 0.3, speed=-4.0, heading=BACKWARDS),
    )


def _furniture(edge: float, *, clutter: float) -> tuple[Stream, ...]:
    """What stands at the kerb, and looks like something else from afar."""
    sides = (edge, -edge)
    kinds = {"sign": 1.0, "bollard": 1.6, "mailbox": 0.6, "bin": 0.8, "poster": 0.5, "rack": 0.4}
    return tuple(Stream(kind, share * clutter, sides, 0.2) for kind, share in kinds.items())


def _cars(*, ahead: float, oncoming: float, speed: float, lane: float = LANE_M / 2) -> tuple[Stream, ...]:
    return (
        Stream("car", ahead, (-lane,), 0.2, follows=True),
        Stream("car", oncoming, (lane,), 0.2, speed=-speed, heading=BACKWARDS),
    )


MOTORWAY = Street(
    "motorway", "motorway", 2, 2, 2.6, 0.0, 0.0, 27.0, 1 / 1500, None, 0.0, False,
    (
        Stream("car", 1.4, (-1.5 * LANE_M, -0.5 * LANE_M), 0.2, follows=True),
        Stream("car", 0.9, (0.5 * LANE_M,), 0.2, speed=3.0, follows=True),
        Stream("car", 0.9, (1.5 * LANE_M,), 0.2, speed=-2.0, follows=True),
        Stream("post", 0.0, (8.9, -8.9), every_m=25.0),
        Stream("tree", 5.0, (16.0, -16.0), 4.0),
        Stream("bush", 6.0, (12.0, -12.0), 1.5),
        Stream("gantry", 0.6, (-11.0,), 0.5),
    ),
)  # fmt: skip
COUNTRY = Street(
    "country", "country", 1, 1, 0.4, 0.0, 12.0, 18.0, 1 / 240, (4.0, 7.0), 90.0, False,
    (
        *_cars(ahead=0.5, oncoming=0.8, speed=18.0),
        Stream("post", 0.0, (4.6, -4.6), every_m=25.0),
        Stream("tree", 6.0, (9.0, -9.0), 3.0),
        Stream("bush", 5.0, (6.5, -6.5), 1.2),
        Stream("sign", 0.7, (-5.0, 5.0), 0.2),
        Stream("person", 0.012, (-4.6, 4.6), 0.3, speed=1.3),
        Stream("bicycle", 0.02, (-3.1,), 0.2, speed=4.5),
    ),
)  # fmt: skip
RESIDENTIAL = Street(
    "residential", "residential", 1, 1, 2.1, 2.2, 4.0, 9.0, 1 / 170, (5.0, 10.0), 9.0, False,
    (
        *_cars(ahead=0.25, oncoming=0.5, speed=9.0),
        Stream("parked_car", 3.2, (4.45,), 0.1, heading=BACKWARDS),
        Stream("parked_car", 3.2, (-4.45,), 0.1),
        Stream("tree", 3.5, (9.4, -9.4), 1.0),
        Stream("bush", 4.0, (9.0, -9.0), 0.8),
        Stream("lamp", 0.0, (6.0, -6.0), every_m=36.0),
        *_furniture(6.1, clutter=0.9),
        *_people(0.4, 7.0, group=1.3),
        *_cyclists(0.08, 2.7),
    ),
)  # fmt: skip
CITY = Street(
    "city", "city", 1, 1, 2.2, 3.2, 0.4, 10.0, 1 / 300, (11.0, 24.0), 3.0, True,
    (
        *_cars(ahead=1.0, oncoming=1.3, speed=10.0),
        Stream("parked_car", 4.4, (4.55,), 0.1, heading=BACKWARDS),
        Stream("parked_car", 4.4, (-4.55,), 0.1),
        Stream("tree", 0.0, (6.3, -6.3), every_m=28.0),
        Stream("lamp", 0.0, (6.1, -6.1), every_m=32.0),
        *_furniture(6.2, clutter=1.3),
        Stream("mannequin", 0.7, (9.0, -9.0), 0.0),
        *_people(1.7, 7.2),
        *_cyclists(0.18, 2.9),
        Stream("bicycle", 0.06, (0.0,), 6.0, heading=SIDEWAYS, crossing=3.0),
        Stream("parked_bicycle", 0.12, (6.6, -6.6), 0.2, heading=None),
    ),
)  # fmt: skip
SCHOOL = Street(
    "school", "residential", 1, 1, 2.1, 3.0, 5.0, 6.0, 1 / 260, (5.0, 12.0), 14.0, False,
    (
        *_cars(ahead=0.3, oncoming=0.6, speed=6.0),
        Stream("parked_car", 1.8, (4.45,), 0.1, heading=BACKWARDS),
        Stream("tree", 2.5, (10.5, -10.5), 0.8),
        Stream("lamp", 0.0, (6.0, -6.0), every_m=36.0),
        *_furniture(6.1, clutter=1.2),
        *_people(15.0, 7.0, group=2.2),
        Stream("person", 4.0, (0.0,), 6.5, heading=SIDEWAYS, crossing=1.2),
        *_cyclists(1.7, 2.8),
        Stream("bicycle", 0.9, (0.0,), 6.0, heading=SIDEWAYS, crossing=3.0),
        Stream("parked_bicycle", 1.2, (6.6, -6.6), 0.2, heading=None, group=2.5),
    ),
)  # fmt: skip
MARKET = Street(
    "market", "city", 1, 1, 2.2, 4.0, 0.4, 5.0, 1 / 400, (9.0, 18.0), 2.0, True,
    (
        *_cars(ahead=0.6, oncoming=0.8, speed=5.0),
        Stream("parked_car", 2.2, (-4.55,), 0.1),
        Stream("lamp", 0.0, (6.1, -6.1), every_m=32.0),
        *_furniture(6.2, clutter=1.6),
        Stream("mannequin", 1.2, (9.7, -9.7), 0.0),
        *_people(26.0, 7.4, group=1.8),
        Stream("person", 3.0, (0.0,), 6.5, heading=SIDEWAYS, crossing=1.2),
        *_cyclists(1.0, 2.9),
        Stream("bicycle", 0.6, (0.0,), 6.0, heading=SIDEWAYS, crossing=3.0),
        Stream("parked_bicycle", 0.7, (6.6, -6.6), 0.2, heading=None, group=2.0),
    ),
)  # fmt: skip

STREETS: Mapping[str, Street] = MappingProxyType(
    {street.name: street for street in (MOTORWAY, COUNTRY, RESIDENTIAL, CITY, SCHOOL, MARKET)}
)
