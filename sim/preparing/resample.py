"""The agents of a recording at the simulator's rate, from the ego's first valid step on."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.preparing.point_index import Float64s
from sim.recording import Recording
from sim.scenario.record import STEP_S

_LONGEST_GAP_S = 1.0


@dataclass(frozen=True)
class Tracks:
    """Agents at steps of STEP_S, the ego as agent 0 and seen at every step.

    States [A, T, 6]: x, y, z, heading, vx, vy; NaN where not seen.
    """

    states: Float64s
    size: Float64s
    """[A, 3]"""
    kind: NDArray[np.int8]
    ids: tuple[str, ...]
    times_s: Float64s
    """[T] in the time of the source."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """[A, T]"""
        return np.isfinite(self.states[:, :, 0])


def resample(recording: Recording, *, steps: int) -> Tracks:
    """Bring a recording to the simulator's rate, at most so many steps of it.

    Steps that the source has are taken as they are; between two seen ones the state is interpolated. A scene
    begins where the ego is first seen and ends where it is missing for more than a second; shorter gaps of the ego
    are interpolated.

    Raises: ValueError where the ego is never seen or a seen state is not finite.
    """
    check(recording)
    agents = recording.agents
    order = [recording.ego, *(row for row in range(len(agents.ids)) if row != recording.ego)]
    states = np.concatenate([agents.position, agents.heading[:, :, None], agents.velocity], axis=2)[order]
    valid = agents.valid[order].copy()
    states[0], valid[0] = _without_short_gaps(states[0], valid[0], recording.step_s)
    first, last = _stretch(valid[0])
    times: Float64s = first * recording.step_s + STEP_S * np.arange(steps, dtype=np.float64)
    times = times[times <= last * recording.step_s + 1e-6]
    return Tracks(
        states=_at_times(states, valid, times / recording.step_s),
        size=agents.size[order],
        kind=agents.kind[order],
        ids=tuple(agents.ids[row] for row in order),
        times_s=times,
    )


def check(recording: Recording) -> None:
    """Refuse what cannot be repaired.

    Raises: ValueError that names the recording, the field and the value.
    """
    agents, name = recording.agents, recording.name
    if not 0 <= recording.ego < len(agents.ids):
        raise ValueError(f"{name}: ego {recording.ego} of {len(agents.ids)} agents: must be one of them")
    if not recording.step_s > 0:
        raise ValueError(f"{name}: {recording.step_s} s between steps: must be greater than 0")
    for field in ("position", "heading", "velocity"):
        values = getattr(agents, field)
        wrong = agents.valid & ~np.isfinite(values.reshape(*agents.valid.shape, -1)).all(axis=2)
        if wrong.any():
            row, step = np.argwhere(wrong)[0]
            raise ValueError(
                f"{name}: {field} of agent {agents.ids[row]} at step {step} is {values[row, step]}: must be finite "
                "where the agent is valid"
            )
    if not (np.isfinite(agents.size).all() and (agents.size > 0).all()):
        row = int(np.argmin(np.where(np.isfinite(agents.size), agents.size, -np.inf).min(axis=1)))
        raise ValueError(f"{name}: size of agent {agents.ids[row]} is {agents.size[row]}: must be greater than 0")
    if not agents.valid[recording.ego].any():
        raise ValueError(f"{name}: ego {agents.ids[recording.ego]} is valid at no step")


def _without_short_gaps(
    states: Float64s, valid: NDArray[np.bool_], step_s: float
) -> tuple[Float64s, NDArray[np.bool_]]:
    """Interpolate one agent where it is missing for less than a second between two seen steps."""
    seen = np.flatnonzero(valid)
    states, valid = states.copy(), valid.copy()
    for before, after in itertools.pairwise(seen):
        if 1 < after - before <= _LONGEST_GAP_S / step_s:
            inside = np.arange(before + 1, after)
            states[inside] = _between(states[before], states[after], ((inside - before) / (after - before))[:, None])
            valid[inside] = True
    return states, valid


def _stretch(valid: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last step of the first unbroken stretch."""
    first = int(valid.argmax())
    missing = np.flatnonzero(~valid[first:])
    return first, first + int(missing[0]) - 1 if len(missing) else len(valid) - 1


def _at_times(states: Float64s, valid: NDArray[np.bool_], steps: Float64s) -> Float64s:
    """States at fractional steps of the source; NaN where a step that is needed was not seen."""
    before = np.floor(steps + 1e-6).astype(int)
    share = np.clip(steps - before, 0.0, None)
    share[share < 1e-5] = 0.0
    after = np.minimum(before + (share > 0), valid.shape[1] - 1)
    result = _between(states[:, before], states[:, after], share[None, :, None])
    return np.where((valid[:, before] & valid[:, after])[:, :, None], result, np.nan)


def _between(before: Float64s, after: Float64s, share: Float64s) -> Float64s:
    """Interpolate states, headings by the shorter turn."""
    difference = after - before
    difference[..., 3] = (difference[..., 3] + np.pi) % (2 * np.pi) - np.pi
    with np.errstate(invalid="ignore"):
        return before + share * difference
