"""What stands or moves in a street, and its looks: the vocabulary of the virtual fleet."""

from dataclasses import dataclass

from al_platform.datasets.synthetic.light import Colour

LOOKS = 10


@dataclass(frozen=True)
class Thing:
    """One thing at one instant. `heading` in radians, 0 along the road, left positive.

    `look` holds `LOOKS` numbers in [0, 1) that decide size, colours and pose; `phase` is the walking or
    pedalling angle in radians.
    """

    kind: str
    s: float
    d: float
    heading: float
    look: tuple[float, ...]
    phase: float = 0.0


def choose(palette: tuple[Colour, ...], number: float) -> Colour:
    """Pick a colour by a number in [0, 1)."""
    return palette[int(number * len(palette))]


def between(low: float, high: float, number: float) -> float:
    """Give the value that lies at `number` in [0, 1) of the way from low to high."""
    return low + (high - low) * number
