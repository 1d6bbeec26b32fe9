"""Everybody who moves: columns of numbers, one row each. Vehicles first (row 0 is the ego), then walkers."""

from dataclasses import dataclass, fields

import numpy as np

from sim.generator.curves import Float64s
from sim.generator.paths import Bools, Int64s, Paths
from sim.kinds import AgentKind

NO_CROSSING = -1
PASSING_BY = -2

_AXLE_SHARE = 0.3
"""How far behind the middle of a car its rear axle is, as a share of the length: that axle follows the path."""


@dataclass
class Movers:
    """The state that traffic changes step by step, and the manners that it does not."""

    path: Int64s
    """[N]"""
    along: Float64s
    """[N] metres along the path."""
    speed: Float64s
    acceleration: Float64s
    length: Float64s
    width: Float64s
    height: Float64s
    kind: Int64s
    """AgentKind"""
    wish: Float64s
    """Vehicles: factor on the speed limit. Walkers: speed, m/s."""
    headway: Float64s
    """Seconds to whoever drives in front."""
    enters: Float64s
    """Seconds; infinite until some event lets them in."""
    here: Bools
    """Whether it has entered and not left."""
    gone: Bools
    gate: Float64s
    """Walkers: metres along the path where they wait for the road to be free; infinite for vehicles."""
    crossing: Int64s
    """Walkers: number of the crosswalk; NO_CROSSING to wait for an event, PASSING_BY to never cross."""
    foresight: Float64s
    """Seconds of movement sideways that others foresee."""
    sight: Float64s
    """Metres from which others see it."""
    reckless: Bools
    """Whether it heeds nothing but its speed."""
    asides: Float64s
    """[N, 3] metres to the left of the path: at first, then, and in the end."""
    marks: Float64s
    """[N, 4] metres along the path: from where to where it changes over, twice."""

    def __len__(self) -> int:
        return len(self.path)


def together(parts: list[Movers]) -> Movers:
    """One below the other."""
    return Movers(
        **{item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Movers)}
    )


def mover(count: int, **columns: object) -> Movers:
    """Rows with harmless defaults; columns may be single values."""
    defaults: dict[str, object] = {
        "acceleration": 0.0, "wish": 1.0, "headway": 1.3, "enters": 0.0, "here": False, "gone": False,
        "gate": np.inf, "crossing": -1, "foresight": 0.0, "sight": np.inf, "reckless": False,
        "asides": np.zeros(3), "marks": np.full(4, np.inf),
    }  # fmt: skip
    shapes = {"asides": (3,), "marks": (4,)}
    values = {**defaults, **columns}
    return Movers(
        **{
            item.name: np.array(np.broadcast_to(np.asarray(values[item.name]), (count, *shapes.get(item.name, ()))))
            for item in fields(Movers)
        }
    )


def poses(movers: Movers, paths: Paths) -> Float64s:
    """[N, 3] x, y of the middle of each box, and its heading."""
    back = np.where(movers.kind == AgentKind.VEHICLE, _AXLE_SHARE * movers.length, 0.0)
    rear = movers.along - back
    aside, slope = _aside(movers, rear)
    pose = paths.at(movers.path, rear)
    cosine, sine = np.cos(pose[:, 2]), np.sin(pose[:, 2])
    heading = pose[:, 2] + np.arctan(slope)
    x = pose[:, 0] - aside * sine + back * np.cos(heading)
    y = pose[:, 1] + aside * cosine + back * np.sin(heading)
    return np.stack([x, y, heading], axis=1)


def _aside(movers: Movers, along: Float64s) -> tuple[Float64s, Float64s]:
    """[N] metres left of the path, and how fast they grow per metre along it."""
    value, slope = movers.asides[:, 0].copy(), np.zeros(len(movers))
    for step in range(2):
        begin, end = movers.marks[:, 2 * step], movers.marks[:, 2 * step + 1]
        changes = np.isfinite(begin)
        begin, end = np.where(changes, begin, 0.0), np.where(changes, end, 1.0)
        span = end - begin
        share = np.where(changes, np.clip((along - begin) / span, 0.0, 1.0), 0.0)
        height = movers.asides[:, step + 1] - movers.asides[:, step]
        value += height * share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        slope += height * 30.0 * share**2 * (1.0 - share) ** 2 / span
    return value, slope
