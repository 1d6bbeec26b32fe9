"""Pedestrians and cyclists at crosswalks: they wait for the road to be free, and then go."""

import numpy as np

from sim.generator.curves import Float64s
from sim.generator.movers import Movers
from sim.generator.paths import Bools
from sim.generator.right_of_way import Rules
from sim.kinds import LightState

_KIND_BRAKING_MPS2 = 1.8
_NEAR_M = 4.0
_ROOM_M = 0.35
_ACCELERATION_MPS2 = 1.5


def walk(movers: Movers, rules: Rules, pose: Float64s, *, vehicles: int, tick: int, tick_s: float) -> None:
    """Move the rows behind the vehicles one tick on."""
    rows = np.arange(vehicles, len(movers))
    before = movers.gate[rows] - movers.along[rows]
    asks = np.flatnonzero((before > 0.0) & (before < 0.3 + movers.speed[rows] * 0.5) & (movers.crossing[rows] >= 0))
    free = np.zeros(len(rows), bool)
    for index in asks:
        free[index] = _may_cross(movers, rules, int(rows[index]), vehicles=vehicles, tick=tick, tick_s=tick_s)
    movers.gate[rows[free]] = -np.inf
    stop = np.minimum(movers.gate[rows], rules.paths.length[movers.path[rows]]) - movers.along[rows]
    stop = np.where(movers.gate[rows] == -np.inf, rules.paths.length[movers.path[rows]] - movers.along[rows], stop)
    stop = np.where(_walled(movers, pose, vehicles), 0.0, stop)
    speed = np.minimum(movers.wish[rows], np.sqrt(2.0 * _ACCELERATION_MPS2 * np.maximum(stop - 0.1, 0.0)))
    change = np.clip(speed - movers.speed[rows], -6.0 * tick_s, _ACCELERATION_MPS2 * tick_s)
    movers.speed[rows] = np.where(movers.here[rows], np.maximum(movers.speed[rows] + change, 0.0), 0.0)
    movers.along[rows] += movers.speed[rows] * tick_s


def _walled(movers: Movers, pose: Float64s, vehicles: int) -> Bools:
    """[W] whether a vehicle is where a walker would be in a moment."""
    me, them = pose[vehicles:], pose[:vehicles]
    reach = 0.7 + 0.5 * movers.speed[vehicles:]
    x = (me[:, 0] + reach * np.cos(me[:, 2]))[:, None] - them[:, 0]
    y = (me[:, 1] + reach * np.sin(me[:, 2]))[:, None] - them[:, 1]
    cosine, sine = np.cos(them[:, 2]), np.sin(them[:, 2])
    ahead, left = np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)
    inside = (ahead < 0.5 * movers.length[:vehicles] + _ROOM_M) & (left < 0.5 * movers.width[:vehicles] + _ROOM_M)
    return np.asarray((inside & movers.here[:vehicles]).any(axis=1))


def _may_cross(movers: Movers, rules: Rules, row: int, *, vehicles: int, tick: int, tick_s: float) -> bool:
    """Whether the light lets one go and every vehicle has passed or can stop gently."""
    crossing = movers.crossing[row]
    plan = rules.network.crossings[crossing]
    if plan.light >= 0 and not _red_long_enough(movers, rules, row, tick=tick, tick_s=tick_s):
        return False
    there = rules.paths.crossing[movers.path[:vehicles], crossing]
    away = there - movers.along[:vehicles] - 0.5 * movers.length[:vehicles] - 0.5 * plan.width
    speed = movers.speed[:vehicles]
    passed = away < -(movers.length[:vehicles] + plan.width + 0.5)
    waits = (speed < 0.3) & (away > 0.3)
    stops = away > _stopping(speed) + _NEAR_M
    return bool((passed | waits | stops | ~movers.here[:vehicles]).all())


def _red_long_enough(movers: Movers, rules: Rules, row: int, *, tick: int, tick_s: float) -> bool:
    plan = rules.network.crossings[movers.crossing[row]]
    needed = float(np.hypot(*(plan.ends[1] - plan.ends[0]))) / float(movers.wish[row])
    last = min(tick + int(needed / tick_s) + 1, len(rules.states) - 1)
    return bool((rules.states[tick : last + 1, plan.light] == LightState.STOP).all())


def _stopping(speed: Float64s) -> Float64s:
    return np.asarray(speed**2 / (2.0 * _KIND_BRAKING_MPS2) + 0.5 * speed)
