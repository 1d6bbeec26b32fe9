"""Who drives: the ego, the vehicles around it, and what stands parked."""

from dataclasses import dataclass

import numpy as np

from sim.generator.curves import Float64s, beside, wrapped
from sim.generator.movers import Movers, mover, together
from sim.generator.network import LANE_M, Network
from sim.generator.paths import Paths
from sim.kinds import AgentKind

_AROUND_M = 200.0
_KEEP_FROM_CROSSING_M = 11.0


@dataclass(frozen=True)
class Still:
    """Parked vehicles."""

    pose: Float64s
    """[S, 3]"""
    size: Float64s
    """[S, 3]"""


@dataclass(frozen=True)
class Closed:
    """Where nobody else may begin."""

    ways: tuple[int, ...] = ()
    span: tuple[float, float] = (-np.inf, np.inf)
    """Metres along those ways."""

    def holds(self, way: int, along: float) -> bool:
        """Whether this place is closed."""
        return way in self.ways and self.span[0] <= along <= self.span[1]


def ego_of(generator: np.random.Generator, network: Network, paths: Paths, *, choices: tuple[int, ...]) -> Movers:
    """One row: where the ego begins on one of these ways, at a speed that fits the place."""
    chosen = int(generator.choice(choices))
    ahead = generator.uniform(*network.ego_start_m)
    gate = paths.gate[chosen]
    along = float(gate - ahead) if np.isfinite(gate) else float(ahead)
    length, width = generator.uniform(4.5, 4.9), generator.uniform(1.84, 1.96)
    speed = _speed_there(paths, chosen, along, length) * generator.uniform(0.75, 0.95)
    return vehicle(chosen, along, speed, (length, width, 1.6), wish=0.97, headway=1.5)


def vehicles_of(
    generator: np.random.Generator, network: Network, paths: Paths, *, count: int, taken: Movers, closed: Closed
) -> list[Movers]:
    """Rows around the vehicles that are there already; nobody begins where it is closed.

    A third of them come in later.
    """
    made = [taken]
    for _ in range(count * 5):
        if len(made) > count:
            break
        later = bool(generator.random() < 0.3)
        way = int(generator.integers(len(network.ways)))
        row = _candidate(generator, network, paths, way=way, later=later)
        if closed.holds(way, float(row.along[0])):
            continue
        if later or _fits(row, together(made), paths):
            made.append(row)
    return made[1:]


def parked_of(generator: np.random.Generator, network: Network, paths: Paths, *, ego: Movers, keep: Float64s) -> Still:
    """Vehicles parked on strips near the way of the ego, away from crosswalks and from the places `keep` [K, 2]."""
    ends = [crossing.ends.mean(axis=0) for crossing in network.crossings]
    avoid = np.concatenate([np.array(ends).reshape(-1, 2), keep.reshape(-1, 2)])
    near = paths.at(ego.path, ego.along + 60.0)[0, :2]
    poses: list[Float64s] = []
    sizes: list[tuple[float, float, float]] = []
    for verge in network.verges:
        if not verge.parked:
            continue
        spots = beside(verge.line, -0.5 * verge.strip)
        at = int(generator.uniform(8, 16))
        while at < len(spots) - 8:
            size = _size(generator, trucks=False)
            spot = spots[at]
            clear = np.hypot(*(avoid - spot[:2]).T).min(initial=np.inf) > _KEEP_FROM_CROSSING_M
            if clear and np.hypot(*(spot[:2] - near)) < _AROUND_M and generator.random() < 0.6 and len(poses) < 24:
                poses.append(spot)
                sizes.append((size[0], min(size[1], 2.05), size[2]))
            at += int(np.ceil(size[0] + generator.uniform(1.5, 5.0)))
    return Still(np.array(poses).reshape(-1, 3), np.array(sizes).reshape(-1, 3))


def _candidate(generator: np.random.Generator, network: Network, paths: Paths, *, way: int, later: bool) -> Movers:
    gate, clear, length = paths.gate[way], paths.clear[way], paths.length[way]
    size = _size(generator, trucks=not np.isfinite(gate))
    if later:
        along = max(3.0, gate - 150.0) if np.isfinite(gate) else 6.0
        speed = 0.85 * _speed_there(paths, way, along, size[0])
        return _drawn_manners(generator, way, along, speed, size, enters=float(generator.uniform(0.5, 26.0)))
    if not np.isfinite(gate):
        along = float(generator.uniform(6.0, min(length - 30.0, 330.0)))
    elif generator.random() < 0.7:
        along = float(gate - generator.uniform(12.0, min(150.0, gate - 5.0)))
    else:
        along = float(clear + generator.uniform(8.0, 120.0))
    speed = _speed_there(paths, way, along, size[0]) * generator.uniform(0.75, 0.95)
    return _drawn_manners(generator, way, along, speed, size, enters=0.0)


def _drawn_manners(
    generator: np.random.Generator,
    way: int,
    along: float,
    speed: float,
    size: tuple[float, float, float],
    *,
    enters: float,
) -> Movers:
    wish, headway = generator.uniform(0.8, 1.0), generator.uniform(1.0, 1.8)
    return vehicle(way, along, speed, size, wish=wish, headway=headway, enters=enters)


def vehicle(way: int, along: float, speed: float, size: tuple[float, float, float], **manners: float) -> Movers:
    """One row for a vehicle of this length, width and height."""
    length, width, height = size
    return mover(
        1, path=way, along=along, speed=speed, length=length, width=width, height=height,
        kind=int(AgentKind.VEHICLE), **manners,
    )  # fmt: skip


def _speed_there(paths: Paths, way: int, along: float, length: float) -> float:
    """The speed that the road allows and from which one can stop gently at the line."""
    limit = float(paths.limit_at(np.array([way]), np.array([along]))[0])
    before = paths.gate[way] - along - 0.5 * length - 2.0
    return min(limit, float(np.sqrt(2.0 * 1.4 * before))) if 0.0 < before < np.inf else limit


def _fits(row: Movers, others: Movers, paths: Paths) -> bool:
    mine, theirs = paths.at(row.path, row.along)[0], paths.at(others.path, others.along)
    away = np.hypot(*(theirs[:, :2] - mine[:2]).T)
    same_way = np.abs(wrapped(theirs[:, 2] - mine[2])) < 0.9
    forward = (theirs[:, :2] - mine[:2]) @ np.array([np.cos(mine[2]), np.sin(mine[2])])
    beside_me = np.abs((theirs[:, :2] - mine[:2]) @ np.array([-np.sin(mine[2]), np.cos(mine[2])])) > 0.8 * LANE_M
    speed = np.where(forward > 0, row.speed[0], others.speed)
    closing = np.maximum(0.0, np.where(forward > 0, row.speed[0] - others.speed, others.speed - row.speed[0]))
    needed = np.where(same_way & ~beside_me, 9.0 + 1.2 * speed + closing**2 / 3.0, 3.0)
    return bool(((away > needed) | (others.enters > 0)).all()) and bool((away < 330.0)[0])


def _size(generator: np.random.Generator, *, trucks: bool) -> tuple[float, float, float]:
    """Length, width, height of a car, a van, or a truck."""
    drawn = generator.random()
    if trucks and drawn < 0.1:
        return float(generator.uniform(7.5, 10.0)), 2.45, float(generator.uniform(3.0, 3.6))
    if drawn < 0.22:
        return float(generator.uniform(5.2, 5.8)), 2.02, float(generator.uniform(2.0, 2.5))
    return float(generator.uniform(3.9, 4.9)), float(generator.uniform(1.72, 1.92)), float(generator.uniform(1.4, 1.7))
