"""Where the time of a round goes: one stacked bar per arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from al_platform.experiments.report.figures import WIDTH, Panel, shortened, style
from al_platform.experiments.report.palette import INK
from al_platform.experiments.report.svg import blank_figure, inline_svg

BAR, MARGIN = 21.0, 36.0
"""Points per bar, and below the bars."""


@dataclass(frozen=True)
class Step:
    """A step of a round and how dark its part of the bars is, in (0, 1]."""

    name: str
    shade: float


def steps_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps in the order in which they run, from dark to light."""
    names = list(dict.fromkeys(step for row in rows for step in row["seconds"]))
    return tuple(Step(name, 0.80 * 0.66**number) for number, name in enumerate(names))


def time_panel(rows: Sequence[Mapping[str, Any]], *, name: str) -> Panel | None:
    """Seconds per round, step by step, from the rows of `selections`; None where no time was kept."""
    timed = [row for row in rows if row["seconds"]]
    if not timed:
        return None
    tall = MARGIN + BAR * len(timed)
    figure = blank_figure(1.5 * WIDTH, tall)
    axes = figure.add_axes((0.17, MARGIN / tall, 0.74, BAR * len(timed) / tall))
    style(axes, x_title="seconds per round (mean over seeds)", y_title="")
    axes.grid(visible=False)
    axes.margins(x=0.12)
    for place, row in enumerate(timed):
        _bar(axes, place, row["seconds"], steps_of(timed))
    axes.set_yticks(range(len(timed)), [shortened(row["arm"]) for row in timed], parse_math=False)
    axes.set_ylim(len(timed) - 0.5, -0.5)
    description = "Seconds per round, by step, for " + ", ".join(row["arm"] for row in timed)
    return Panel("Time per round", inline_svg(figure, name=name, description=description))


def _bar(axes: Axes, place: int, seconds: Mapping[str, float], steps: Sequence[Step]) -> None:
    end = 0.0
    for step in steps:
        length = seconds.get(step.name, 0.0)
        axes.barh(place, length, left=end, height=0.62, color=INK, alpha=step.shade, linewidth=0)
        end += length
    axes.annotate(f"{end:.1f} s", (end, place), (3, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
