"""Clips: one scenario as two policies drove it, side by side."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_platform.policies.wheel import Drive
from sim.pictures import Panel, View, ground_picture, panel_frames, recording_of, save_gif
from sim.scenario.record import STEP_S, Scenario

_EVERY = 2
_PIXELS = 360
_MARGIN_M = 30.0
_NARROWEST_M = 70.0
_ID_CHARACTERS = 12


@dataclass(frozen=True)
class Side:
    """Who drove, and how."""

    policy_id: str
    drive: Drive


def clip_of(scenario: Scenario, sides: Sequence[Side]) -> bytes:
    """Give an endless GIF of one scenario: a picture for each side, in a view that holds all of their ways."""
    named = sides[0].drive.driven.scenario
    recording = recording_of(scenario, name=named.name, tags=named.tags)
    panels = [Panel(_caption(side), recording, np.asarray(side.drive.poses, np.float64)) for side in sides]
    view = _view([side.drive for side in sides])
    frames = panel_frames(panels, view=view, every=_EVERY, ground=ground_picture(scenario.ground, view))
    stream = io.BytesIO()
    save_gif(frames, stream, step_s=_EVERY * STEP_S)
    return stream.getvalue()


def _caption(side: Side) -> str:
    reason = side.drive.driven.reason
    return f"{side.policy_id[:_ID_CHARACTERS]}  {reason or 'nothing happened'}\n"


def _view(drives: Sequence[Drive]) -> View:
    ways = np.concatenate([drive.poses[:, :2] for drive in drives])
    low, high = ways.min(axis=0), ways.max(axis=0)
    x, y = (0.5 * (low + high)).tolist()
    return View((x, y), span_m=max(_NARROWEST_M, float((high - low).max()) + _MARGIN_M), pixels=_PIXELS)
