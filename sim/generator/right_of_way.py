"""Who may enter the junction: lights, stop signs, and room in the streams that go first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.generator.curves import Float64s
from sim.generator.movers import Movers
from sim.generator.network import Network
from sim.generator.paths import Bools, Conflicts, Paths
from sim.kinds import LightState

_MARGIN_S = 1.6
_HARDEST_MPS2 = 3.0
_STOPPED_MPS = 0.25
_AT_LINE_M = 3.0
_STAND_S = 0.8


@dataclass
class Permits:
    """Which vehicles may enter, and how long they have stood at their line."""

    granted: Bools
    """[V]"""
    stood: Float64s
    """[V] seconds."""


@dataclass(frozen=True)
class Rules:
    """What does not change while traffic moves."""

    network: Network
    paths: Paths
    conflicts: Conflicts
    states: NDArray[np.int8]
    """[ticks, groups] of LightState."""


def update_permits(permits: Permits, movers: Movers, rules: Rules, *, tick: int, tick_s: float) -> None:
    """Take back what the light forbids and give what the streams allow, longest waiting first."""
    count = len(permits.granted)
    gate = rules.paths.gate[movers.path[:count]]
    before = gate - movers.along[:count] - 0.5 * movers.length[:count]
    waits = movers.here[:count] & (before > -0.2) & np.isfinite(gate)
    standing = waits & (before < _AT_LINE_M) & (movers.speed[:count] < _STOPPED_MPS)
    permits.stood[:] = np.where(standing, permits.stood + tick_s, np.where(waits, permits.stood, 0.0))
    speed = movers.speed[:count]
    can_stop = before > speed**2 / (2.0 * _HARDEST_MPS2) + 0.3
    go = _shown(movers, rules, count, tick)
    permits.granted &= ~(waits & can_stop & ((go != LightState.GO) | rules.network.circular))
    near = waits & ~permits.granted & (before < speed**2 / 3.6 + 14.0) & (go == LightState.GO)
    near &= ~movers.reckless[:count]
    signed = np.array([way.stop_sign for way in rules.network.ways])[movers.path[:count]]
    near &= ~signed | (permits.stood >= _STAND_S)
    rank = np.array([way.rank for way in rules.network.ways])[movers.path[:count]]
    for row in sorted(np.flatnonzero(near), key=lambda row: (-rank[row], -permits.stood[row], before[row], row)):
        permits.granted[row] = _is_free(int(row), permits, movers, rules, go)


def must_stop(permits: Permits, movers: Movers, rules: Rules) -> Float64s:
    """[V] metres to the line at which to stop; infinite for those who may go."""
    count = len(permits.granted)
    before = rules.paths.gate[movers.path[:count]] - movers.along[:count] - 0.5 * movers.length[:count]
    held = ~permits.granted & (before > -0.2) & ~movers.reckless[:count]
    return np.where(held, before, np.inf)


def _shown(movers: Movers, rules: Rules, count: int, tick: int) -> NDArray[np.int8]:
    group = np.array([way.light for way in rules.network.ways])[movers.path[:count]]
    if not rules.states.shape[1]:
        return np.full(count, LightState.GO, np.int8)
    return np.where(group < 0, np.int8(LightState.GO), rules.states[tick][group])


def _is_free(row: int, permits: Permits, movers: Movers, rules: Rules, shown: NDArray[np.int8]) -> bool:
    """Whether nobody inside is in the way and nobody who goes first comes too soon."""
    count, path = len(permits.granted), movers.path[row]
    conflicts, others = rules.conflicts, movers.path[:count]
    touches = movers.here[:count] & np.isfinite(conflicts.begin[path, others])
    touches[row] = False
    along, half = movers.along[:count], 0.5 * movers.length[:count]
    leaves = conflicts.end[others, path] if conflicts.exclusive else conflicts.begin[others, path] + 5.0
    passed = along - half > leaves
    touches &= ~passed
    entered = permits.granted | (along + half > rules.paths.gate[others] + 0.2) | movers.reckless[:count]
    if conflicts.exclusive and bool((touches & entered).any()):
        return False
    first = touches & conflicts.gives_way[path, others]
    first &= entered if not conflicts.exclusive else (shown == LightState.GO)
    arrives = (conflicts.begin[others, path] - along - half) / np.maximum(movers.speed[:count] + 1.5, 5.0)
    reach = conflicts.end[path, others] if conflicts.exclusive else conflicts.begin[path, others] + 8.0
    mine = _time_to(reach - movers.along[row] + movers.length[row] * 0.5, float(movers.speed[row]))
    return not bool((first & (arrives < mine + _MARGIN_S)).any())


def _time_to(distance: Float64s, speed: float, *, acceleration: float = 1.3, most: float = 7.0) -> Float64s:
    """Seconds to drive a distance while speeding up to `most` m/s."""
    most = max(most, speed)
    distance = np.where(np.isfinite(distance), np.maximum(distance, 0.0), 0.0)
    ramp = (most**2 - speed**2) / (2.0 * acceleration)
    short = (np.sqrt(speed**2 + 2.0 * acceleration * distance) - speed) / acceleration
    long = (most - speed) / acceleration + (distance - ramp) / most
    return np.where(distance < ramp, short, long)
