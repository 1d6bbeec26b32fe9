"""Traffic in motion: ten steps a second, of which every second one is kept.

Axes: T kept steps, N movers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.generator.curves import Float64s
from sim.generator.following import Sight, wanted, zipped
from sim.generator.movers import PASSING_BY, Movers, poses
from sim.generator.paths import Bools
from sim.generator.right_of_way import Permits, Rules, must_stop, update_permits
from sim.generator.walking import walk

TICK_S = 0.1
TICKS_PER_STEP = 2

_JERK_DOWN = 14.0
_JERK_UP = 5.0

Event = Callable[[Movers, "Moment"], None]
"""What makes a hard situation happen: it may change movers at each tick."""


@dataclass(frozen=True)
class Moment:
    """What an event may look at."""

    time_s: float
    permits: Permits
    rules: Rules


@dataclass(frozen=True)
class Motion:
    """What everybody did."""

    pose: Float64s
    """[T, N, 3]"""
    speed: Float64s
    """[T, N]"""
    acceleration: Float64s
    """[T, N] over the tick that led here."""
    valid: Bools
    """[T, N]"""


def play(movers: Movers, rules: Rules, *, vehicles: int, steps: int, event: Event | None = None) -> Motion:
    """Let everybody move, the first `vehicles` rows as vehicles; `movers` is used up."""
    sight = Sight(rules.paths, vehicles)
    permits = Permits(np.zeros(vehicles, bool), np.zeros(vehicles))
    kept: list[tuple[Float64s, Float64s, Float64s, Bools]] = []
    for tick in range((steps - 1) * TICKS_PER_STEP + 1):
        pose = poses(movers, rules.paths)
        _enter(movers, rules, pose, vehicles=vehicles, time_s=tick * TICK_S)
        if tick % TICKS_PER_STEP == 0:
            kept.append((pose, movers.speed.copy(), movers.acceleration.copy(), movers.here.copy()))
        if event is not None:
            event(movers, Moment(tick * TICK_S, permits, rules))
        _drive(movers, rules, permits, sight, pose, tick=tick)
        walk(movers, rules, pose, vehicles=vehicles, tick=tick, tick_s=TICK_S)
        _leave(movers, rules, vehicles)
    pose_TN, speed_TN, acceleration_TN, valid_TN = zip(*kept, strict=True)
    return Motion(np.stack(pose_TN), np.stack(speed_TN), np.stack(acceleration_TN), np.stack(valid_TN))


def _drive(movers: Movers, rules: Rules, permits: Permits, sight: Sight, pose: Float64s, *, tick: int) -> None:
    vehicles = len(permits.granted)
    ahead = sight.look(movers, pose, count=len(rules.network.ways), tick=tick)
    if rules.network.merging:
        ahead = zipped(ahead, movers, rules.network, rules.paths)
    update_permits(permits, movers, rules, tick=tick, tick_s=TICK_S)
    path, speed = movers.path[:vehicles], movers.speed[:vehicles]
    limit = rules.paths.limit_at(path, movers.along[:vehicles] + 0.5 * speed)
    limit = np.where(movers.reckless[:vehicles], np.minimum(limit * 1.2, 12.5), limit)
    command = wanted(movers, ahead, limit, must_stop(permits, movers, rules))
    change = command - movers.acceleration[:vehicles]
    acceleration = movers.acceleration[:vehicles] + np.clip(change, -_JERK_DOWN * TICK_S, _JERK_UP * TICK_S)
    after = np.where(movers.here[:vehicles], np.maximum(speed + acceleration * TICK_S, 0.0), speed)
    movers.acceleration[:vehicles] = (after - speed) / TICK_S
    movers.along[:vehicles] += np.where(movers.here[:vehicles], 0.5 * (speed + after) * TICK_S, 0.0)
    movers.speed[:vehicles] = after


def _enter(movers: Movers, rules: Rules, pose: Float64s, *, vehicles: int, time_s: float) -> None:
    """Let in who is due, when there is room around the place."""
    due = np.flatnonzero(~movers.here & ~movers.gone & (movers.enters <= time_s))
    for row in due:
        if row < vehicles and time_s > 0.0:
            others = movers.here & (np.arange(len(movers)) != row)
            apart = np.hypot(*(pose[others, :2] - pose[row, :2]).T)
            if bool((apart < 18.0 + movers.speed[row]).any()) and not movers.reckless[row]:
                continue
        movers.here[row] = True


def _leave(movers: Movers, rules: Rules, vehicles: int) -> None:
    """Take out who has come to the end of its path; the ego and those who walk stay."""
    ends = rules.paths.length[movers.path] - movers.along < 0.5 * movers.length + 0.5
    ends[0] = False
    ends[vehicles:] &= movers.crossing[vehicles:] == PASSING_BY
    movers.gone |= ends & movers.here
    movers.here &= ~ends
