"""Clips: one scenario as two policies drove it, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from al_platform.policies.wheel import Drive
from sim.pictures import Panel, View, ground_picture, panel_frames, recording_of, save_gif
from sim.scenario.record import STEP_S, Scenario

_BEFORE_S, _AFTER_S = 6.0, 3.0
"""How much is shown around the moment when something happened."""
_EVERY = 2
_PIXELS = 400
_MARGIN_M = 30.0
_SPAN_M = (60.0, 130.0)
"""Least and most side of what is seen."""
_ID_CHARACTERS = 12


@dataclass(frozen=True)
class Side:
    """Who drove, and how."""

    policy_id: str
    drive: Drive


def clip_of(scenario: Scenario, sides: Sequence[Side]) -> bytes:
    """Give an endless GIF of the moment in which something first happened to one of the sides, a picture for each."""
    named = sides[0].drive.driven.scenario
    recording = recording_of(scenario, name=named.name, tags=named.tags)
    panels = [Panel(_caption(side), recording, np.asarray(side.drive.poses, np.float64)) for side in sides]
    steps, moment = _moment(sides, int(scenario.log.steps))
    view = _view(sides, steps, moment)
    frames = panel_frames(panels, steps, view=view, ground=ground_picture(scenario.ground, view))
    stream = BytesIO()
    save_gif(frames, stream, step_s=_EVERY * STEP_S)
    return stream.getvalue()


def _caption(side: Side) -> str:
    first = side.drive.driven.reason.partition(",")[0] or "nothing happens"
    return f"{side.policy_id[:_ID_CHARACTERS]}: {first}\n"


def _moment(sides: Sequence[Side], steps: int) -> tuple[range, int]:
    """The steps around the first event of any side, and its own; the whole scene where nothing happened."""
    seconds = [second for side in sides for second in side.drive.driven.events.values()]
    if not seconds:
        return range(0, steps, _EVERY), steps // 2
    at = round(min(seconds) / STEP_S)
    first, last = at - round(_BEFORE_S / STEP_S), at + round(_AFTER_S / STEP_S)
    return range(max(first, 0), min(last, steps - 1) + 1, _EVERY), min(at, steps - 1)


def _view(sides: Sequence[Side], steps: range, moment: int) -> View:
    """All ways that are shown where they are near each other, else the place of the event."""
    ways = np.concatenate([side.drive.poses[steps.start : steps.stop, :2] for side in sides])
    low, high = ways.min(axis=0), ways.max(axis=0)
    span = float((high - low).max()) + _MARGIN_M
    x, y = (0.5 * (low + high) if span <= _SPAN_M[1] else sides[-1].drive.poses[moment, :2]).tolist()
    return View((x, y), span_m=float(np.clip(span, *_SPAN_M)), pixels=_PIXELS)
