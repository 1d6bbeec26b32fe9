"""One colour and one marker per strategy, for light and dark pages, apart for colour-blind eyes too."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from al_platform.experiments.statistics import strategy_of


@dataclass(frozen=True)
class Look:
    """How an arm is drawn. `key` names its colour in the style sheet; `light` stands for it in a figure."""

    key: str
    light: str
    dark: str
    marker: str
    dashed: bool = False


BLUE = Look("blue", "#0067a5", "#62b5f0", "o")
ORANGE = Look("orange", "#b86e00", "#f0a530", "s")
GREEN = Look("green", "#00805a", "#35c497", "^")
RED = Look("red", "#c4440c", "#ff8552", "D")
PURPLE = Look("purple", "#9b4f8e", "#e094cf", "v")
CYAN = Look("cyan", "#2089b5", "#8fd8f2", "P")
BROWN = Look("brown", "#73562c", "#cfb07a", "X")
OLIVE = Look("olive", "#6f7d12", "#c6d45c", "<")
GREY = Look("grey", "#6a6f76", "#a3a9b2", "o", dashed=True)

LOOKS = (BLUE, ORANGE, GREEN, RED, PURPLE, CYAN, BROWN, OLIVE, GREY)

USUAL = {
    "mixdist": BLUE,
    "random": GREY,
    "manual": ORANGE,
    "entropy": RED,
    "core-set": GREEN,
    "stratified": PURPLE,
    "mi": CYAN,
    "mass": BROWN,
    "epidist": OLIVE,
}

INK, FAINT = "#14181d", "#d5d9df"
"""Stand for the page's text and line colours in a figure."""

INKS = {INK: "--ink", FAINT: "--line"}


def looks_of(arms: Sequence[str]) -> dict[str, Look]:
    """The usual look of each known strategy; the rest share out what is left, in order, then begin again."""
    usual: dict[str, Look] = {}
    for arm in arms:
        look = USUAL.get(strategy_of(arm))
        if look is not None and look not in usual.values():
            usual[arm] = look
    free = cycle([look for look in LOOKS if look not in usual.values() and not look.dashed] or LOOKS[:-1])
    return {arm: usual[arm] if arm in usual else next(free) for arm in dict.fromkeys(arms)}


def colour_variables(*, dark: bool) -> dict[str, str]:
    """Custom properties of the style sheet, by name."""
    return {f"--{look.key}": look.dark if dark else look.light for look in LOOKS}
