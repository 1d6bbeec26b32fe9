"""Learning curves as pictures: failures and progress over what was driven."""

import io
from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from al_platform.domain.policies import CurvePoint
from al_platform.errors import InvalidInput
from al_platform.policies.curve import Curve

FORMATS = ("png", "svg")

_SIZE_INCHES = (8.0, 3.4)
_PANELS = (("failure", "failures [%]"), ("progress_ratio", "progress of the recorded drive [%]"))


def draw_curves(curves: Mapping[str, Curve], *, kind: str) -> bytes:
    """Give a picture of learning curves by name; equal curves give equal bytes.

    Raises: InvalidInput for another format, or curves that were measured on no scenario.
    """
    if kind not in FORMATS:
        raise InvalidInput(f"picture format {kind!r}: must be one of {', '.join(FORMATS)}")
    measured = {name: _measured(curve) for name, curve in curves.items()}
    if not any(measured.values()):
        raise InvalidInput("learning curve: nothing was measured; train with held-out scenarios to have one")
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    panels = figure.subplots(1, len(_PANELS))
    for axes, (measure, title) in zip(panels, _PANELS, strict=True):
        _panel(axes, measured, measure=measure, title=title)
    panels[0].legend(frameon=False)
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "curve", "svg.fonttype": "none"}):
        figure.savefig(content, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _measured(curve: Curve) -> list[CurvePoint]:
    return [point for point in curve.points if point.measures]


def _panel(axes: Axes, curves: Mapping[str, list[CurvePoint]], *, measure: str, title: str) -> None:
    for name, points in curves.items():
        known = [point for point in points if measure in point.measures]
        steps = [point.agent_steps / 1e6 for point in known]
        axes.plot(steps, [100.0 * point.measures[measure] for point in known], marker=".", label=name)
    axes.set_xlabel("steps driven [millions]")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.set_ylim(bottom=0.0)
