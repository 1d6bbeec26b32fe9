"""Where the dots of a map lie in a picture, and which colour each has."""

from collections import Counter
from dataclasses import dataclass

from al_platform.domain.data import Frame
from al_platform.experiments.report.palette import LOOKS
from al_platform.platform.explore import EmbeddingMap

WIDTH, HEIGHT, EDGE = 640, 420, 12
OTHER = "other"
_SHOWN = len(LOOKS) - 1


@dataclass(frozen=True)
class Dot:
    """A frame in the picture, in its pixels; `look` names the colour."""

    frame: Frame
    x: float
    y: float
    look: str
    value: str


@dataclass(frozen=True)
class DrawnMap:
    """Dots, and what their colours mean: (value, colour, frames)."""

    dots: tuple[Dot, ...]
    legend: tuple[tuple[str, str, int], ...]


def coloured(found: EmbeddingMap | None, colour: str) -> DrawnMap:
    """Give the dots of a map, coloured by a tag or by `dataset`; the rarest values share one colour."""
    points = found.points if found else ()
    counted = Counter(_value(point.frame, colour) for point in points)
    common = [value for value, _ in counted.most_common(_SHOWN)]
    looks = {value: look.key for value, look in zip(common, LOOKS, strict=False)}
    dots = tuple(
        Dot(
            frame=point.frame,
            x=round(EDGE + (point.x + 1) / 2 * (WIDTH - 2 * EDGE), 1),
            y=round(EDGE + (1 - point.y) / 2 * (HEIGHT - 2 * EDGE), 1),
            look=looks.get(_value(point.frame, colour), LOOKS[-1].key),
            value=_value(point.frame, colour),
        )
        for point in points
    )
    rest = sum(count for value, count in counted.items() if value not in looks)
    legend = [(value, looks[value], counted[value]) for value in common]
    return DrawnMap(dots, (*legend, *([(OTHER, LOOKS[-1].key, rest)] if rest else [])))


def _value(frame: Frame, colour: str) -> str:
    return frame.dataset if colour == "dataset" else str(frame.tags.get(colour, "none"))
