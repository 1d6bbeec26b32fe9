"""Learning curves of policies as figures for pages: failures, progress and loss over what was driven."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from al_platform.domain.policies import CurvePoint, PolicyVersion
from al_platform.experiments.report.figures import Line, Panel, curve_panel
from al_platform.experiments.report.palette import BLUE, GREY, Look
from al_platform.platform.home import Platform
from al_platform.platform.policies import curve_of

_THIS, _PARENT = "this policy", "its parent"
_LOOKS: Mapping[str, Look] = MappingProxyType({_THIS: BLUE, _PARENT: GREY})
_SHARES = (("failure", "Failures", "share of held-out drives, %"), ("progress_ratio", "Progress", "of the recorded, %"))
_THOUSAND = 1000


def policy_panels(platform: Platform, policy: PolicyVersion) -> tuple[Panel, ...]:
    """Give the learning curve of a policy, in each figure beside that of the policy that it went on from.

    Raises: NotFound and CorruptBlob where a curve is gone or damaged.
    """
    curves = {_THIS: curve_of(platform, policy.policy_id).points}
    if policy.parent_id is not None:
        curves[_PARENT] = curve_of(platform, policy.parent_id).points
    shares = [
        _panel({who: _of(points, measure) for who, points in curves.items()}, caption=caption, y_title=y_title)
        for measure, caption, y_title in _SHARES
    ]
    loss = _panel({_THIS: _losses(curves[_THIS])}, caption="Loss", y_title="since the last point")
    return tuple(panel for panel in (*shares, loss) if panel is not None)


def last_measured(points: Sequence[CurvePoint]) -> CurvePoint | None:
    """Give the last point that was measured on held-out scenarios."""
    return next((point for point in reversed(points) if point.measures), None)


def _panel(lines: Mapping[str, Sequence[tuple[float, float]]], *, caption: str, y_title: str) -> Panel | None:
    return curve_panel(
        [_line(who, points) for who, points in lines.items() if points],
        _LOOKS,
        name=caption.lower(),
        caption=caption,
        x_title="steps driven, thousands",
        y_title=y_title,
    )


def _of(points: Sequence[CurvePoint], measure: str) -> list[tuple[float, float]]:
    known = [point for point in points if measure in point.measures]
    return [(round(point.agent_steps / _THOUSAND, 1), 100.0 * point.measures[measure]) for point in known]


def _losses(points: Sequence[CurvePoint]) -> list[tuple[float, float]]:
    return [(round(point.agent_steps / _THOUSAND, 1), point.terms["loss"]) for point in points if "loss" in point.terms]


def _line(who: str, points: Sequence[tuple[float, float]]) -> Line:
    nothing = (None,) * len(points)
    x, y = zip(*points, strict=True)
    return Line(who, x, y, nothing, nothing)
