"""Clips: one scenario as policies drove it, side by side, with the moments marked in which something happened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from al_platform.domain.judging import FAILURES
from al_platform.policies.wheel import Drive
from sim.dynamics import Motion
from sim.pictures import Mark, Panel, View, ground_picture, panel_frames, recording_of, save_gif
from sim.reacting import traffic_along
from sim.scenario.record import STEP_S, Scenario

_BEFORE_S, _AFTER_S = 6.0, 3.0
"""How much is shown around the moment when something happened."""
_APART_S = 1.0
"""Rings nearer in time than this would lie on each other."""
EVERY = 2
"""Steps from one picture to the next."""
_PIXELS = 400
_MARGIN_M = 30.0
_SPAN_M = (60.0, 130.0)
"""Least and most side of what is seen."""
_ID_CHARACTERS = 12


@dataclass(frozen=True)
class Side:
    """Who drove, and how."""

    name: str
    """Of the policy, or who it is in words."""
    drive: Drive
    event: str = ""
    """The one that is asked about, and alone shown; empty for all."""
    reactive: bool = False
    """Agents braked for the ego: they are drawn where that brought them."""


def clip_of(scenario: Scenario, sides: Sequence[Side], *, recorded: bool = False) -> bytes:
    """Give an endless GIF of the moment in which something first happened to one of the sides, as `clip_frames`."""
    frames = clip_frames(scenario, sides, recorded=recorded)
    stream = BytesIO()
    save_gif(frames, stream, step_s=EVERY * STEP_S)
    return stream.getvalue()


def clip_frames(scenario: Scenario, sides: Sequence[Side], *, recorded: bool = False) -> list[Image.Image]:
    """Give the pictures of a clip: every side's drive in its own panel, with the traffic around it and its events.

    With `recorded`, what the recorded ego did stands before them.
    """
    named = sides[0].drive.driven.scenario
    drawn = partial(recording_of, name=named.name, tags=named.tags)
    panels = [
        Panel(_caption(side), drawn(_around(scenario, side)), np.asarray(side.drive.poses, np.float64), marks_of(side))
        for side in sides
    ]
    panels = [Panel("recorded\n", drawn(scenario)), *panels] if recorded else panels
    steps, moment = moment_of(sides, int(scenario.log.steps))
    view = _view(sides, steps, moment)
    return panel_frames(panels, steps, view=view, ground=ground_picture(scenario.ground, view))


def marks_of(side: Side) -> tuple[Mark, ...]:
    """Give a ring for what happened within a second: where the failure was, if one is among it, else the first."""
    groups: list[list[tuple[str, float]]] = []
    for event, second in _happened(side):
        if not groups or second >= groups[-1][0][1] + _APART_S:
            groups.append([])
        groups[-1].append((event, second))
    marks = []
    for group in groups:
        _, second = next((each for each in group if each[0] in FAILURES), group[0])
        marks.append(Mark(round(second / STEP_S), ", ".join(event.replace("_", " ") for event, _ in group)))
    return tuple(marks)


def moment_of(sides: Sequence[Side], steps: int) -> tuple[range, int]:
    """Give the steps around the first failure of any side, and its own; else around the first event of any.

    The whole scene, of so many steps, where nothing happened.
    """
    happened = [each for side in sides for each in _happened(side)]
    if not happened:
        return range(0, steps, EVERY), steps // 2
    failures = [second for event, second in happened if event in FAILURES]
    at = round(min(failures or [second for _, second in happened]) / STEP_S)
    first, last = at - round(_BEFORE_S / STEP_S), at + round(_AFTER_S / STEP_S)
    return range(max(first, 0), min(last, steps - 1) + 1, EVERY), min(at, steps - 1)


def _around(scenario: Scenario, side: Side) -> Scenario:
    """The scenario with its agents where they were while this side drove.

    They mind where the ego is and how fast, and both are in its poses: so nobody has to keep where they went.
    """
    if not side.reactive:
        return scenario
    poses = np.asarray(side.drive.poses, np.float32)
    steps = len(poses)
    poses = np.pad(poses, [(0, scenario.log.states.shape[0] - steps), (0, 0)], mode="edge")
    x, y, heading = (jnp.asarray(poses[:, column]) for column in range(3))
    speed = jnp.hypot(jnp.diff(x, append=x[-1:]), jnp.diff(y, append=y[-1:])) / STEP_S
    unknown = jnp.zeros_like(speed)
    motion = Motion(
        x=x,
        y=y,
        heading=heading,
        speed=speed,
        steering=unknown,
        acceleration=unknown,
        yaw_rate=unknown,
    )
    states = np.array(scenario.log.states)
    states[:steps] = np.asarray(_reacting(scenario.log, motion))[:steps]
    return replace(scenario, log=replace(scenario.log, states=states))


_reacting = jax.jit(traffic_along)


def _happened(side: Side) -> list[tuple[str, float]]:
    """What is to be seen of a side and when, in seconds: the event that is asked about, else all, earliest first."""
    events = side.drive.driven.events
    shown = {side.event: events[side.event]} if side.event in events else events
    return sorted(shown.items(), key=lambda item: item[1])


def _caption(side: Side) -> str:
    first = next((f"{event.replace('_', ' ')} at {second:.1f} s" for event, second in _happened(side)), "")
    return f"{side.name[:_ID_CHARACTERS]}: {first or 'nothing happens'}\n"


def _view(sides: Sequence[Side], steps: range, moment: int) -> View:
    """All ways that are shown where they are near each other, else the place of the event."""
    ways = np.concatenate([side.drive.poses[steps.start : steps.stop, :2] for side in sides])
    low, high = ways.min(axis=0), ways.max(axis=0)
    span = float((high - low).max()) + _MARGIN_M
    x, y = (0.5 * (low + high) if span <= _SPAN_M[1] else sides[-1].drive.poses[moment, :2]).tolist()
    return View((x, y), span_m=float(np.clip(span, *_SPAN_M)), pixels=_PIXELS)
