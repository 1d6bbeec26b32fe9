"""What to generate."""

from dataclasses import dataclass

KINDS = (
    "curved-road",
    "multi-lane",
    "crossing-lights",
    "crossing-stops",
    "t-lights",
    "t-stops",
    "merge",
    "roundabout",
)
"""Kinds of road; each scene carries its kind as a tag."""

TAGS = ("cut-in", "jaywalker", "red-light-runner", "stopped-car", "oncoming-overtake")
"""Rare, hard situations."""

HARD_KINDS = {
    "cut-in": ("multi-lane",),
    "jaywalker": ("curved-road",),
    "red-light-runner": ("crossing-lights",),
    "stopped-car": ("curved-road",),
    "oncoming-overtake": ("curved-road",),
}
"""On which roads each hard situation can happen."""


@dataclass(frozen=True)
class GeneratorSpec:
    """How the scenes are drawn. Equal specs and seeds give equal bytes."""

    kinds: tuple[str, ...] = KINDS
    hard_share: float = 0.15
    """Share of scenes with a hard situation, in [0, 1]."""
    tags: tuple[str, ...] = TAGS
    """Hard situations to draw from."""
    steps: int = 151
    """Recorded steps, 0.2 s apart."""
    vehicles: tuple[int, int] = (10, 26)
    """Fewest and most moving vehicles beside the ego."""
    walkers: tuple[int, int] = (4, 14)
    """Fewest and most pedestrians and cyclists off the lanes."""
    most_redraws: int = 20
    """How often a scene may be drawn anew before it is given up."""
