"""Learning curves as pictures: failures and progress over what was driven, the loss where nothing was measured."""

import io
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from al_platform.domain.policies import CurvePoint
from al_platform.errors import InvalidInput
from al_platform.policies.curve import Curve

FORMATS = ("png", "svg")

_SIZE_INCHES = (8.0, 3.4)
_PANELS = (("failure", "failures [%]"), ("progress_ratio", "progress of the recorded drive [%]"))
_LOSS = "loss"

_Line: TypeAlias = tuple[list[float], list[float]]
"""Millions of steps, and the values there."""


def draw_curves(curves: Mapping[str, Curve], *, kind: str) -> bytes:
    """Give a picture of learning curves by name; equal curves give equal bytes.

    Curves that were measured on no scenario tell the loss alone.

    Raises: InvalidInput for another format, or curves of a training that did not take a step.
    """
    if kind not in FORMATS:
        raise InvalidInput(f"picture format {kind!r}: must be one of {', '.join(FORMATS)}")
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    lines = _lines(curves)
    panels = figure.subplots(1, len(lines), squeeze=False)[0]
    for axes, (title, drawn) in zip(panels, lines.items(), strict=True):
        _panel(axes, drawn, title=title)
    panels[0].legend(frameon=False)
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "curve", "svg.fonttype": "none"}):
        figure.savefig(content, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _lines(curves: Mapping[str, Curve]) -> dict[str, dict[str, _Line]]:
    """What each panel shows, by its title: a line of each curve, by its name."""
    shares = {title: {name: _shares(curve, measure) for name, curve in curves.items()} for measure, title in _PANELS}
    if any(steps for drawn in shares.values() for steps, _ in drawn.values()):
        return shares
    losses = {name: _losses(curve) for name, curve in curves.items()}
    if not any(steps for steps, _ in losses.values()):
        raise InvalidInput("learning curve: nothing was measured and no step taken; train first")
    return {_LOSS: losses}


def _shares(curve: Curve, measure: str) -> _Line:
    return _line((point, 100.0 * point.measures[measure]) for point in curve.points if measure in point.measures)


def _losses(curve: Curve) -> _Line:
    return _line((point, point.terms[_LOSS]) for point in curve.points if _LOSS in point.terms)


def _line(values: Iterable[tuple[CurvePoint, float]]) -> _Line:
    known = list(values)
    return [point.agent_steps / 1e6 for point, _ in known], [value for _, value in known]


def _panel(axes: Axes, drawn: Mapping[str, _Line], *, title: str) -> None:
    for name, (steps, values) in drawn.items():
        axes.plot(steps, values, marker=".", label=name)
    axes.set_xlabel("steps driven [millions]")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if title != _LOSS:  # which may be negative
        axes.set_ylim(bottom=0.0)
