"""Who walks or rides off the lanes: over crosswalks, along pavements, on strips for bicycles."""

from dataclasses import dataclass

import numpy as np

from sim.generator.curves import Float64s, beside, straight
from sim.generator.movers import PASSING_BY, Movers, mover
from sim.generator.network import Network
from sim.kinds import AgentKind

_BEFORE_KERB_M = 0.7
_PAVEMENT_M = 1.8


@dataclass(frozen=True)
class Walk:
    """A line that somebody walks, and the row of whoever does; its path is a number behind the ways."""

    line: Float64s
    row: Movers


def walks_of(generator: np.random.Generator, network: Network, *, count: int, cross: bool) -> list[Walk]:
    """Draw so many walkers; where any may cross the road, two thirds of them are at crosswalks."""
    walks: list[Walk] = []
    while len(walks) < count:
        if cross and network.crossings and generator.random() < 0.65:
            walks.append(_over_crosswalk(generator, network))
        elif network.verges:
            walks.append(_along_verge(generator, network))
        else:
            break
    return walks


def _over_crosswalk(generator: np.random.Generator, network: Network) -> Walk:
    number = int(generator.integers(len(network.crossings)))
    crossing = network.crossings[number]
    here, there = crossing.ends[:: int(generator.choice([-1, 1]))]
    way = there - here
    heading = float(np.arctan2(way[1], way[0]))
    before, after = generator.uniform(3.0, 8.0), generator.uniform(4.0, 9.0)
    aside = generator.uniform(-0.35, 0.35) * crossing.width * np.array([-np.sin(heading), np.cos(heading)])
    start = here + aside - before * np.array([np.cos(heading), np.sin(heading)])
    line = straight(np.array([start[0], start[1], heading]), before + float(np.hypot(*way)) + after)
    cycles = bool(generator.random() < 0.25)
    row = _walker(
        generator, cycles=cycles, speed=generator.uniform(2.4, 3.6) if cycles else generator.uniform(1.0, 1.7)
    )
    row.gate[:], row.crossing[:], row.foresight[:] = before - _BEFORE_KERB_M, number, 2.2
    row.along[:] = generator.uniform(0.0, before - _BEFORE_KERB_M - 1.0)
    row.enters[:] = 0.0 if generator.random() < 0.5 else generator.uniform(0.0, 20.0)
    return Walk(line, row)


def _along_verge(generator: np.random.Generator, network: Network) -> Walk:
    verge = network.verges[int(generator.integers(len(network.verges)))]
    rides = verge.ridden and bool(generator.random() < 0.5)
    line = beside(verge.line, -0.5 * verge.strip if rides else -verge.strip - _PAVEMENT_M)
    if not rides and generator.random() < 0.5:
        line = line[::-1] + np.array([0.0, 0.0, np.pi])
    begin = int(generator.uniform(0, min(250, max(len(line) - 60, 1))))
    speed = generator.uniform(3.5, 6.0) if rides else generator.uniform(0.9, 1.6)
    row = _walker(generator, cycles=rides, speed=speed)
    row.crossing[:] = PASSING_BY
    row.speed[:] = speed
    return Walk(line[begin : begin + 220], row)


def _walker(generator: np.random.Generator, *, cycles: bool, speed: float) -> Movers:
    kind = AgentKind.CYCLIST if cycles else AgentKind.PEDESTRIAN
    size = (
        (1.8, 0.65, 1.75) if cycles else (0.6, float(generator.uniform(0.55, 0.7)), float(generator.uniform(1.5, 1.9)))
    )
    return mover(
        1, path=0, along=0.0, speed=0.0, length=size[0], width=size[1], height=size[2], kind=int(kind), wish=speed,
    )  # fmt: skip
