"""Conditions of a drive: how much light there is, and how it falls on what is drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Colour = tuple[float, float, float]
"""Red, green and blue, each 0 to 255."""


@dataclass(frozen=True)
class Condition:
    """One kind of light and weather. Shares are in [0, 1] or slightly above."""

    time_of_day: str
    weather: str
    ambient: Colour
    """Share of each colour that surfaces reflect without any lamp."""
    sky_top: Colour
    sky_bottom: Colour
    haze: Colour
    haze_m: float
    """Distance at which haze has taken 63 % of the contrast."""
    headlights: float = 0.0
    lamps: bool = False
    wet: bool = False
    clouds: float = 0.0
    noise: float = 2.0
    """Standard deviation of the sensor noise, in grey values."""

    def shade(self, colour: Colour, ahead: float, lateral: float) -> tuple[int, int, int]:
        """Give the colour of a surface `ahead` and `lateral` metres from the camera, lit and hazed."""
        beam = self.headlights * headlight_share(ahead, lateral) if self.headlights else 0.0
        clear = math.exp(-ahead / self.haze_m)
        hazed = 1.0 - clear
        ambient, haze = self.ambient, self.haze
        return (
            int(min(255.0, colour[0] * (ambient[0] + beam)) * clear + haze[0] * hazed),
            int(min(255.0, colour[1] * (ambient[1] + beam)) * clear + haze[1] * hazed),
            int(min(255.0, colour[2] * (ambient[2] + beam)) * clear + haze[2] * hazed),
        )

    def glow(self, colour: Colour, ahead: float) -> tuple[int, int, int]:
        """Give the colour of something that shines by itself."""
        clear = math.exp(-ahead / (2.0 * self.haze_m))
        red, green, blue = (value * clear + haze * (1.0 - clear) for value, haze in zip(colour, self.haze, strict=True))
        return int(red), int(green), int(blue)


def headlight_share(ahead: float, lateral: float) -> float:
    """Give how much of the headlights reaches a place, in [0, 1]."""
    width = 2.2 + 0.13 * ahead
    return math.exp(-ahead / 26.0 - (lateral / width) ** 2)


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "day": Condition(
            "day", "clear", (1.0, 1.0, 0.98), (92, 140, 205), (200, 216, 232), (196, 212, 228), 420.0,
            clouds=0.5,
        ),
        "overcast": Condition(
            "day", "overcast", (0.8, 0.81, 0.83), (158, 165, 172), (208, 211, 213), (200, 203, 206), 230.0,
            clouds=0.9, noise=2.5,
        ),
        "dusk": Condition(
            "dusk", "clear", (0.47, 0.42, 0.45), (62, 72, 118), (232, 164, 112), (150, 118, 112), 240.0,
            headlights=0.22, lamps=True, clouds=0.6, noise=4.0,
        ),
        "night": Condition(
            "night", "clear", (0.2, 0.19, 0.21), (9, 10, 20), (30, 29, 38), (24, 24, 32), 150.0,
            headlights=1.0, lamps=True, noise=6.0,
        ),
        "rain": Condition(
            "day", "rain", (0.55, 0.57, 0.6), (118, 124, 132), (162, 167, 172), (158, 163, 168), 85.0,
            headlights=0.08, lamps=True, wet=True, clouds=0.8, noise=3.5,
        ),
    }
)  # fmt: skip
