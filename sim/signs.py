"""Signs of a bad recording: a few numbers about the log of a scene that any recorder's mistakes show in.

None of them says that a recording is bad, and none asks how hard the scene is to drive: people judge, and a model
learns from what they rejected how much each sign counts.

Axes: T steps, A agents, S signs.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from sim.kinds import AgentKind
from sim.scenario.record import NOWHERE, PLACE_M, SPEED_MPS, STEP_S, Log

FORMULA = "signs-1"
"""Names how signs are computed: a new one is due when `signs_of` gives other numbers for the same log."""

SIGNS = (
    "jump",
    "jumps",
    "ego jump",
    "ego jerk",
    "ego still",
    "holes",
    "brief",
    "misfits",
    "fast walker",
    "fastest",
    "sideways",
    "agents",
)
"""The signs in their order; `signs_of` tells what each is."""

_JUMP_M = 1.0
_BRIEF_STEPS = 5
_STILL_MPS = 0.1
_MOVING_MPS = 2.0
_LENGTHS_M = {AgentKind.VEHICLE: (2.0, 40.0), AgentKind.PEDESTRIAN: (0.1, 2.0), AgentKind.CYCLIST: (0.8, 3.5)}
"""Kind to the lengths of its boxes; others are misfits."""

Numbers = NDArray[np.float64]


def signs_of(log: Log) -> Float[Numbers, "S"]:
    """Give the signs of one scene, float64 [S], all finite and at least 0; what has no upper bound as log(1 + it).

    An agent jumps where it is elsewhere than its two velocities say: the farthest in metres, of others and of the ego,
    and how often by more than a metre. Ego jerk is the greatest change of its speed, m/s^2, ego still the share of
    steps that it stands. Holes are how often tracks end and begin again, brief the share of agents that are seen for
    less than a second. Misfits have a box that their kind has not; fast walker is the greatest speed of a pedestrian,
    fastest that of anyone, m/s. Sideways is the share of moving vehicles' steps away from where they head.
    """
    steps = int(log.steps)
    there = np.asarray(log.sizes)[:, 0] > 0.0
    states_T6A = np.asarray(log.states)[:steps, :, there].astype(np.float64)
    lengths_m, kinds = np.asarray(log.sizes)[there, 0].astype(np.float64), np.asarray(log.kinds)[there]
    seen_TA = states_T6A[:, 0] != NOWHERE
    speeds_TA = np.where(seen_TA, SPEED_MPS * np.hypot(states_T6A[:, 4], states_T6A[:, 5]), 0.0)
    jumps = _jumps_m(states_T6A, seen_TA)
    ego_mps = np.asarray(log.ego)[:steps, 3].astype(np.float64)
    walking = kinds == AgentKind.PEDESTRIAN
    begins = (seen_TA & ~np.concatenate([np.zeros((1, seen_TA.shape[1]), bool), seen_TA[:-1]])).sum(axis=0)
    found = (
        np.log1p(jumps[:, 1:].max(initial=0.0)),
        np.log1p((jumps > _JUMP_M).sum()),
        np.log1p(jumps[:, 0].max(initial=0.0)),
        np.log1p(np.abs(np.diff(ego_mps)).max(initial=0.0) / STEP_S),
        (np.abs(ego_mps) < _STILL_MPS).mean(),
        np.log1p(np.maximum(begins - 1, 0).sum()),
        (seen_TA.sum(axis=0) < _BRIEF_STEPS).mean(),
        np.log1p(_misfits(lengths_m, kinds)),
        np.log1p(speeds_TA[:, walking].max(initial=0.0)),
        np.log1p(speeds_TA.max(initial=0.0)),
        _sideways(states_T6A, speeds_TA, kinds),
        np.log1p(len(kinds)),
    )
    return np.array(found, np.float64)


def _jumps_m(states_T6A: Numbers, seen_TA: NDArray[np.bool_]) -> Numbers:
    """How far each agent is from where its velocities before and after would have brought it, [T - 1, A]; else 0."""
    moved = PLACE_M * np.diff(states_T6A[:, :2], axis=0)
    velocities = SPEED_MPS * states_T6A[:, 4:]
    expected = 0.5 * STEP_S * (velocities[1:] + velocities[:-1])
    away = np.hypot(*np.moveaxis(moved - expected, 1, 0))
    return np.where(seen_TA[1:] & seen_TA[:-1], away, 0.0)


def _misfits(lengths_m: Numbers, kinds: NDArray[np.int8]) -> int:
    bounds = [_LENGTHS_M.get(AgentKind(int(kind)), (0.0, np.inf)) for kind in kinds]
    return sum(not low <= length <= high for length, (low, high) in zip(lengths_m, bounds, strict=True))


def _sideways(states_T6A: Numbers, speeds_TA: Numbers, kinds: NDArray[np.int8]) -> float:
    """Share of the steps of vehicles that move in which they move more than 45 degrees off their axis."""
    moving = (speeds_TA > _MOVING_MPS) & (kinds == AgentKind.VEHICLE)
    if not moving.any():
        return 0.0
    cos, sin, vx, vy = (states_T6A[:, field] for field in (2, 3, 4, 5))
    along, across = np.abs(vx * cos + vy * sin), np.abs(vy * cos - vx * sin)
    return float((across > along)[moving].mean())
