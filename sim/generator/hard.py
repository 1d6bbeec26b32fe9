"""Rare, hard situations: who is put where, and what happens when the ego comes near."""

from dataclasses import dataclass, field

import numpy as np

from sim.generator.casting import Closed, Still, vehicle
from sim.generator.curves import Float64s, beside, straight
from sim.generator.footways import Walk
from sim.generator.movers import NO_CROSSING, Movers, mover
from sim.generator.network import LANE_M, Network, Way
from sim.generator.paths import Paths, conflicts_of
from sim.generator.traffic import Moment
from sim.kinds import AgentKind, LightState

_NOBODY = Still(np.zeros((0, 3)), np.zeros((0, 3)))


@dataclass(frozen=True)
class Trouble:
    """What a hard situation adds to a scene."""

    rows: list[Movers] = field(default_factory=list)
    """Vehicles; they come directly behind the ego."""
    walk: Walk | None = None
    """A walker; it comes first among those who walk."""
    still: Still = _NOBODY
    closed: Closed = field(default_factory=Closed)
    keep: Float64s = field(default_factory=lambda: np.zeros((0, 2)))
    """[K, 2] places where nobody parks."""
    settings: dict[str, float] = field(default_factory=dict)
    """Distances that its event needs."""


def trouble_for(tag: str, generator: np.random.Generator, network: Network, *, ego: Movers, paths: Paths) -> Trouble:
    """Place what the situation needs. `paths` knows the ways but not yet who walks."""
    makers = {
        "cut-in": _cut_in,
        "jaywalker": _jaywalker,
        "red-light-runner": _runner,
        "stopped-car": _stopped_car,
        "oncoming-overtake": _overtake,
    }
    return makers[tag](generator, network, ego, paths)


def goes_straight(way: Way) -> bool:
    """Whether a way through four arms leads to the arm across."""
    return (way.to_arm - way.arm) % 4 == 2


def _cut_in(generator: np.random.Generator, network: Network, ego: Movers, paths: Paths) -> Trouble:
    """A slower vehicle on a neighbouring lane changes over just in front of the ego."""
    way = int(ego.path[0])
    lane = network.lane(network.ways[way].lane_ids[0])
    side = 1.0 if lane.left_neighbours and (not lane.right_neighbours or generator.random() < 0.5) else -1.0
    size = (float(generator.uniform(4.2, 4.8)), 1.85, 1.5)
    along = ego.along + generator.uniform(45.0, 70.0)
    wish = float(generator.uniform(0.6, 0.72))
    limit = paths.limit_at(ego.path, along)[0]
    row = vehicle(way, float(along[0]), wish * limit, size, wish=wish)
    row.asides[0] = (side * LANE_M, 0.0, 0.0)
    row.foresight[:] = 0.8
    return Trouble(
        rows=[row],
        closed=Closed((way, way - int(side)), (float(ego.along[0]), float(ego.along[0]) + 110.0)),
        settings={"gap": float(generator.uniform(11.0, 16.0))},
    )


def _jaywalker(generator: np.random.Generator, network: Network, ego: Movers, paths: Paths) -> Trouble:
    """Somebody runs onto the road from behind a parked van."""
    at = float(ego.along[0] + generator.uniform(60.0, 120.0))
    verge = network.verges[0]
    row = int(np.hypot(*(verge.line[:, :2] - paths.at(ego.path, np.array([at]))[0, :2]).T).argmin())
    van = beside(verge.line, -0.5 * verge.strip)[row]
    heading = van[2] + 0.5 * np.pi
    forward = np.array([np.cos(van[2]), np.sin(van[2])])
    kerb = beside(verge.line, -verge.strip - 0.4)[row, :2] + 4.0 * forward
    line = straight(np.array([kerb[0], kerb[1], heading]), 2 * LANE_M + 2 * verge.strip + 4.0)
    walker = mover(
        1, path=0, along=0.0, speed=0.0, length=0.6, width=0.6, height=1.75, kind=int(AgentKind.PEDESTRIAN),
        wish=float(generator.uniform(2.0, 3.0)), gate=0.4, crossing=NO_CROSSING, foresight=1.6,
    )  # fmt: skip
    still = Still(van[None], np.array([[5.8, 2.05, 2.5]]))
    return Trouble(walk=Walk(line, walker), still=still, keep=np.stack([van[:2], kerb]), settings={"at": at + 4.0})


def _runner(generator: np.random.Generator, network: Network, ego: Movers, paths: Paths) -> Trouble:
    """A vehicle on the crossing road runs its red light while the ego has green."""
    mine = network.ways[int(ego.path[0])]
    across = [row for row, way in enumerate(network.ways) if way.light != mine.light and goes_straight(way)]
    way = int(generator.choice(across))
    size = (float(generator.uniform(4.2, 4.8)), 1.85, 1.5)
    row = vehicle(way, 5.0, 11.0, size, enters=np.inf, foresight=2.6)
    row.reckless[:] = True
    beside_it = {other for other, plan in enumerate(network.ways) if plan.arm == network.ways[way].arm}
    meets = np.flatnonzero(np.isfinite(conflicts_of(network, paths).begin[way]))
    shut = tuple(sorted(beside_it | set(meets.tolist())))
    return Trouble(rows=[row], closed=Closed(shut), settings={"ahead_s": float(generator.uniform(3.8, 4.6))})


def _stopped_car(generator: np.random.Generator, network: Network, ego: Movers, paths: Paths) -> Trouble:
    """A vehicle stands on the lane of the ego, out of sight behind a bend."""
    way = int(ego.path[0])
    turned = np.abs(np.gradient(paths.line[way, :, 2]))
    begin = int(ego.along[0]) + 70
    bent = np.flatnonzero(turned[begin : begin + 90] > 0.008)
    at = begin + int(bent[int(0.7 * len(bent))]) if len(bent) else begin + 60
    size = (float(generator.uniform(4.2, 4.8)), 1.85, 1.5)
    row = vehicle(way, float(at), 0.0, size, wish=0.0, sight=float(generator.uniform(38.0, 48.0)))
    return Trouble(rows=[row], closed=Closed((way,)), settings={"stands_s": float(generator.uniform(3.0, 7.0))})


def _overtake(generator: np.random.Generator, network: Network, ego: Movers, paths: Paths) -> Trouble:
    """Oncoming traffic swerves into the lane of the ego around a van that blocks its own."""
    van_at = float(ego.along[0] + generator.uniform(130.0, 170.0))
    place = paths.at(ego.path, np.array([van_at]))[0, :2]
    theirs = float(np.hypot(*(paths.line[1, :, :2] - place).T).argmin())
    van = vehicle(1, theirs, 0.0, (5.8, 2.02, 2.4), wish=0.0)
    size = (float(generator.uniform(4.2, 4.8)), 1.85, 1.5)
    row = vehicle(1, theirs - 62.0, 11.0, size, enters=np.inf, foresight=1.0)
    row.reckless[:] = True
    row.asides[0] = (0.0, 3.1, 0.0)
    row.marks[0] = (theirs - 34.0, theirs - 8.0, theirs + 7.0, theirs + 34.0)
    return Trouble(
        rows=[row, van], closed=Closed((0, 1)), settings={"meet": van_at, "spare": float(generator.uniform(0.0, 12.0))}
    )


class Happening:
    """Makes the situation happen: called at every tick, it acts when the ego is near enough."""

    def __init__(self, tag: str, trouble: Trouble, *, ego_conflict: float, vehicles: int) -> None:
        """`ego_conflict` is where on its way the ego meets a vehicle from the side (runner only)."""
        self._tag, self._settings = tag, trouble.settings
        self._conflict, self._vehicles = ego_conflict, vehicles
        self._done, self._stood = False, 0.0
        self.began_s = np.inf

    def __call__(self, movers: Movers, moment: Moment) -> None:
        """Act once."""
        actions = {
            "cut-in": self._change_lane,
            "jaywalker": self._run_out,
            "red-light-runner": self._run_light,
            "stopped-car": self._drive_off,
            "oncoming-overtake": self._come,
        }
        if not self._done and actions[self._tag](movers, moment):
            self._done = True
            self.began_s = moment.time_s

    def _change_lane(self, movers: Movers, moment: Moment) -> bool:
        gap = movers.along[1] - movers.along[0] - 0.5 * (movers.length[0] + movers.length[1])
        if gap > self._settings["gap"] + 0.15 * movers.speed[0] or moment.time_s < 2.0:
            return False
        movers.marks[1, :2] = movers.along[1] - 2.0, movers.along[1] - 2.0 + 2.6 * max(movers.speed[1], 5.0)
        return True

    def _run_out(self, movers: Movers, moment: Moment) -> bool:
        speed = movers.speed[0]
        away = self._settings["at"] - movers.along[0] - 0.5 * movers.length[0]
        if away > 0.8 * speed + speed**2 / (2.0 * 2.6) + 3.0:
            return False
        movers.gate[self._vehicles] = -np.inf
        return True

    def _run_light(self, movers: Movers, moment: Moment) -> bool:
        rules, path = moment.rules, movers.path[:2]
        shown = rules.states[
            min(len(rules.states) - 1, int(moment.time_s * 10) + 30), rules.network.ways[path[0]].light
        ]
        arrives = (self._conflict - movers.along[0] - 0.5 * movers.length[0]) / max(float(movers.speed[0]), 2.0)
        if shown != LightState.GO or movers.speed[0] < 4.0 or not 0.0 < arrives < self._settings["ahead_s"]:
            return False
        meets = rules.conflicts.begin[path[1], path[0]]
        movers.along[1] = meets - movers.speed[1] * (arrives - 0.3)
        movers.enters[1] = moment.time_s
        return True

    def _drive_off(self, movers: Movers, moment: Moment) -> bool:
        near = movers.along[1] - movers.along[0] < 25.0 and movers.speed[0] < 0.5
        self._stood += 0.1 * near
        if self._stood < self._settings["stands_s"]:
            return False
        movers.wish[1], movers.sight[1] = 0.9, np.inf
        return True

    def _come(self, movers: Movers, moment: Moment) -> bool:
        done_s = (62.0 + 34.0) / 11.0
        away = self._settings["meet"] - movers.along[0]
        if away > (done_s * 0.75) * movers.speed[0] + 34.0 + self._settings["spare"]:
            return False
        movers.enters[1] = moment.time_s
        return True
