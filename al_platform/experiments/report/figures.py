"""The figures of a report, drawn from its summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from al_platform.experiments.report.palette import FAINT, INK, Look
from al_platform.experiments.report.svg import blank_figure, inline_svg

WIDTH, HEIGHT = 284.0, 214.0
AXES = (0.165, 0.165, 0.575, 0.80)
"""Left, bottom, width and height within the figure; the rest is for the names of the curves."""

LABEL_CHARACTERS, TICKS = 13, 8

MOST_BANDS = 4
"""With more arms than this only the first one and the dashed ones keep their bands, or nothing could be told apart."""


@dataclass(frozen=True)
class Line:
    """A curve and, where it has one, its band."""

    arm: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class Panel:
    """A figure with its caption."""

    caption: str
    svg: Markup


def curve_panel(
    lines: Sequence[Line],
    looks: Mapping[str, Look],
    *,
    name: str,
    caption: str,
    x_title: str,
    y_title: str,
    logarithmic: bool = False,
    zero: bool = False,
) -> Panel | None:
    """Draw one line per arm with its 95 % band, named at its end; None where nothing can be drawn."""
    drawn = [line for line in (_positive(line) if logarithmic else line for line in lines) if line.x]
    if not drawn:
        return None
    figure = blank_figure(WIDTH, HEIGHT)
    axes = figure.add_axes(AXES)
    style(axes, x_title=x_title, y_title=y_title)
    if zero:
        axes.axhline(0.0, color=INK, linewidth=0.8)
    # the first arm last, so that it lies on top
    for line in reversed(drawn):
        strong, look = line is drawn[0], looks[line.arm]
        _draw(axes, line, look, strong=strong, banded=strong or look.dashed or len(drawn) <= MOST_BANDS)
    if logarithmic:
        _logarithmic(axes)
    elif len({line.x for line in drawn}) == 1:
        axes.set_xticks(drawn[0].x[:: 1 + (len(drawn[0].x) - 1) // TICKS])
    _name_ends(axes, drawn, looks)
    description = f"{caption}: {y_title} over {x_title} for {', '.join(line.arm for line in drawn)}"
    return Panel(caption, inline_svg(figure, name=name, description=description))


def _positive(line: Line) -> Line:
    """The part of a line that a logarithmic axis can show."""
    rows = [row for row in zip(line.x, line.y, line.low, line.high, strict=True) if row[0] > 0]
    x, y, low, high = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Line(line.arm, x, y, low, high)


def style(axes: Axes, *, x_title: str, y_title: str) -> None:
    """Quiet axes in the page's colours, with titles."""
    axes.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(color=FAINT, labelcolor=INK, labelsize=8, length=2.5, width=0.6, pad=2.5)
    axes.set_xlabel(x_title, color=INK, fontsize=8.5, labelpad=3, parse_math=False)
    axes.set_ylabel(y_title, color=INK, fontsize=8.5, labelpad=4, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _draw(axes: Axes, line: Line, look: Look, *, strong: bool, banded: bool) -> None:
    band = [row for row in zip(line.x, line.low, line.high, strict=True) if row[1] is not None]
    if banded and len(band) > 1:
        x, low, high = zip(*band, strict=True)
        axes.fill_between(x, low, high, color=look.light, alpha=0.13, linewidth=0)
    axes.plot(
        line.x,
        line.y,
        color=look.light,
        linewidth=2.0 if strong else 1.3,
        linestyle=(0, (4, 2)) if look.dashed else "-",
        marker=look.marker,
        markersize=4.2 if strong else 3.6,
        markeredgewidth=0,
    )


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _name_ends(axes: Axes, lines: Sequence[Line], looks: Mapping[str, Look]) -> None:
    """Each arm's name right of the axes, moved apart where curves end close together, tied by a thin line."""
    low, high = axes.get_ylim()
    ends = [(line.y[-1] - low) / (high - low) for line in lines]
    transform = axes.get_yaxis_transform()
    for line, end, place in zip(lines, ends, spread(ends, gap=0.064), strict=True):
        colour = looks[line.arm].light
        reach = axes.transAxes.inverted().transform(axes.transData.transform((line.x[-1], line.y[-1])))[0]
        axes.plot(
            [reach + 0.015, 1.0, 1.035],
            [line.y[-1], low + end * (high - low), low + place * (high - low)],
            transform=transform,
            color=colour,
            linewidth=0.6,
            linestyle="-" if reach > 0.9 else (0, (1, 2)),
            alpha=0.6,
            clip_on=False,
        )
        axes.text(
            1.045,
            place,
            shortened(line.arm),
            transform=axes.transAxes,
            color=colour,
            fontsize=8.5,
            fontweight="bold" if line is lines[0] else "normal",
            va="center",
            parse_math=False,
        )
    axes.set_ylim(low, high)


def spread(places: Sequence[float], *, gap: float) -> list[float]:
    """Move places in [0, 1] at least `gap` apart, in their order, as little as a few sweeps allow."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [places[index] for index in order]
    for _ in range(200):
        for index in range(len(moved) - 1):
            lack = gap - (moved[index + 1] - moved[index])
            if lack > 1e-6:
                moved[index] -= lack / 2
                moved[index + 1] += lack / 2
        moved = [min(max(place, 0.0), 1.0) for place in moved]
    found = [0.0] * len(places)
    for index, place in zip(order, moved, strict=True):
        found[index] = place
    return found


def shortened(name: str) -> str:
    """A name that fits beside a figure."""
    return name if len(name) <= LABEL_CHARACTERS else name[: LABEL_CHARACTERS - 1] + "…"
