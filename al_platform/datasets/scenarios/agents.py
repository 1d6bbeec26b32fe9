"""Agents of a recording, mended: what cannot be a pose is struck out, what cannot be a box gets its kind's default."""

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind
from sim.recording import Agents, Float64s

FASTEST_MPS = 60.0
"""What moves faster from one pose to the next did not move: its track jumped."""
FARTHEST_M = 1e7
"""No map projection reaches farther."""
LARGEST_BOX_M = 60.0

DEFAULT_SIZES_M = {
    AgentKind.VEHICLE: (4.6, 1.9, 1.6),
    AgentKind.PEDESTRIAN: (0.7, 0.7, 1.7),
    AgentKind.CYCLIST: (1.8, 0.7, 1.7),
    AgentKind.OTHER: (1.0, 1.0, 1.0),
}
"""Length, width and height of an agent whose source gives no usable box."""


def default_sizes(kinds: NDArray[np.int8]) -> Float64s:
    """Give length, width and height [A, 3] of each kind, metres."""
    table = np.array([DEFAULT_SIZES_M[kind] for kind in sorted(AgentKind)])
    return table[kinds]


def box_sizes(size: Float64s, valid: NDArray[np.bool_]) -> Float64s:
    """Give one size [A, 3] for sizes measured at each step [A, T, 3]: their median while the agent was seen."""
    seen = np.where(valid[..., None] & np.isfinite(size), size, np.nan)
    empty = ~np.isfinite(seen).any(axis=1)
    return np.asarray(np.nanmedian(np.where(empty[:, None, :], 0.0, seen), axis=1))


def mended(agents: Agents, *, step_s: float, ego: int | None) -> tuple[Agents, int, dict[str, int]]:
    """Give the agents that can be used, the row of the ego among them, and what was mended.

    - A pose that is not finite, or more than 10,000 km out, is struck out: not valid.
    - A track that jumps (over 60 m/s between poses) keeps its longest run without a jump, the first of equals.
    - A velocity that is not finite or over 60 m/s is taken from the neighbouring poses.
    - A side of a box that is not finite, not above 0 or beyond 60 m gets the default of its kind.
    - Agents that are never valid are left out; a name that comes twice gets a number behind it.

    Where `ego` is None, it is `driving_farthest`.

    Raises: BrokenRecording where the ego is never valid, or nothing could be the ego.
    """
    repairs: Counter[str] = Counter()
    agents = _without_wild_poses(agents, repairs)
    agents = _without_jumps(agents, step_s, repairs)
    agents = _with_velocities(agents, step_s, repairs)
    agents = _with_boxes(agents, repairs)
    agents = _with_names(agents, repairs)
    if ego is None:
        ego = driving_farthest(agents)
    if not 0 <= ego < len(agents.ids):
        raise BrokenRecording("no ego", f"agent {ego} of {len(agents.ids)} is named as the ego")
    if not agents.valid[ego].any():
        raise BrokenRecording("no ego", f"agent {agents.ids[ego]} is the ego and never valid")
    kept = np.flatnonzero(agents.valid.any(axis=1))
    repairs["agents never valid"] += len(agents.ids) - len(kept)
    chosen = Agents(
        position=agents.position[kept],
        heading=agents.heading[kept],
        velocity=agents.velocity[kept],
        size=agents.size[kept],
        kind=agents.kind[kept],
        valid=agents.valid[kept],
        ids=tuple(agents.ids[row] for row in kept),
    )
    return chosen, int(np.searchsorted(kept, ego)), {reason: count for reason, count in repairs.items() if count}


def driving_farthest(agents: Agents) -> int:
    """Give the row of the agent that stands for the ego where the source names none.

    The vehicle that is valid at all steps and drives farthest, the first id of equals; where none is valid at all
    steps, the same among those that are valid longest.

    Raises: BrokenRecording where there is no vehicle.
    """
    steps = np.where(agents.kind == AgentKind.VEHICLE, agents.valid.sum(axis=1), 0)
    if steps.max(initial=0) == 0:
        raise BrokenRecording("no ego", "no self-driving car is named and there is no vehicle")
    both = agents.valid[:, 1:] & agents.valid[:, :-1]
    moves_m = np.linalg.norm(np.diff(agents.position[..., :2], axis=1), axis=-1)
    driven_m = np.where(both, moves_m, 0.0).sum(axis=1)
    longest = np.flatnonzero(steps == steps.max())
    return int(min(longest, key=lambda row: (-driven_m[row], agents.ids[row])))


def _without_wild_poses(agents: Agents, repairs: Counter[str]) -> Agents:
    posed = np.concatenate([agents.position, agents.heading[..., None]], axis=-1)
    sane = np.isfinite(posed).all(axis=-1) & (np.abs(np.nan_to_num(posed)) <= FARTHEST_M).all(axis=-1)
    repairs["poses not finite or out of range"] += int((agents.valid & ~sane).sum())
    valid = agents.valid & sane
    return replace(
        agents,
        position=np.where(valid[..., None], agents.position, 0.0),
        heading=np.where(valid, agents.heading, 0.0),
        velocity=np.where(valid[..., None], agents.velocity, 0.0),
        valid=valid,
    )


def _without_jumps(agents: Agents, step_s: float, repairs: Counter[str]) -> Agents:
    valid = agents.valid.copy()
    for row in range(len(valid)):
        seen = np.flatnonzero(valid[row])
        moved_m = np.linalg.norm(np.diff(agents.position[row, seen, :2], axis=0), axis=-1)
        jumps = np.flatnonzero(moved_m > FASTEST_MPS * step_s * np.diff(seen)) + 1
        if len(jumps) == 0:
            continue
        runs = np.split(seen, jumps)
        keep = max(runs, key=len)
        valid[row] = False
        valid[row, keep] = True
        repairs["tracks that jump"] += 1
        repairs["poses beyond a jump"] += len(seen) - len(keep)
    return replace(agents, valid=valid)


def _with_velocities(agents: Agents, step_s: float, repairs: Counter[str]) -> Agents:
    speed = np.linalg.norm(agents.velocity, axis=-1)
    wrong = agents.valid & ~(speed <= FASTEST_MPS)
    repairs["velocities not finite or above 60 m/s"] += int(wrong.sum())
    velocity = agents.velocity.copy()
    for row in np.flatnonzero(wrong.any(axis=1)):
        seen = np.flatnonzero(agents.valid[row])
        if len(seen) > 1:
            places = agents.position[row, seen, :2]
            moving = np.gradient(places, seen * step_s, axis=0)
        else:
            moving = np.zeros((1, 2))
        at = np.searchsorted(seen, np.flatnonzero(wrong[row]))
        velocity[row, wrong[row]] = moving[at]
    return replace(agents, velocity=velocity)


def _with_boxes(agents: Agents, repairs: Counter[str]) -> Agents:
    sane = (agents.size > 0.0) & (agents.size <= LARGEST_BOX_M)
    seen = agents.valid.any(axis=1)
    repairs["boxes without a size"] += int((seen & ~sane.all(axis=1)).sum())
    return replace(agents, size=np.where(sane, agents.size, default_sizes(agents.kind)))


def _with_names(agents: Agents, repairs: Counter[str]) -> Agents:
    used: Counter[str] = Counter()
    names = []
    for name in agents.ids:
        used[name] += 1
        names.append(name if used[name] == 1 else f"{name}#{used[name]}")
    repairs["names that come twice"] += sum(count - 1 for count in used.values())
    return replace(agents, ids=tuple(names))
