"""Junctions: three or four arms with lights or stop signs, and a roundabout."""

from dataclasses import dataclass

import numpy as np

from sim.generator.curves import Float64s, backwards, beside, drawn, quintic, turn_between, wrapped
from sim.generator.network import LANE_M, TURN_M, Crossing, LanePlan, Network, Verge, Way
from sim.kinds import RoadKind

_SCENE_S = 31.0
_CORNER_M = (11.5, 14.5)
_BEHIND_LINE_M = 3.2


@dataclass(frozen=True)
class _Arm:
    """A road that leads away from the middle of the junction."""

    number: int
    middle: Float64s
    """[P, 3] outwards, from where the lanes of the junction begin."""
    lanes: int
    limit: float

    def inbound(self, row: int) -> Float64s:
        return backwards(beside(self.middle, (row + 0.5) * LANE_M))

    def outbound(self, row: int) -> Float64s:
        return beside(self.middle, -(row + 0.5) * LANE_M)


def crossing_lights(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Four arms, lights."""
    return _junction(generator, kind="crossing-lights", arms=4, lights=True)


def crossing_stops(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Four arms, a stop sign at each."""
    return _junction(generator, kind="crossing-stops", arms=4, lights=False)


def t_lights(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Three arms, lights."""
    return _junction(generator, kind="t-lights", arms=3, lights=True)


def t_stops(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Three arms, a stop sign at the one that ends here; the others have the right of way."""
    return _junction(generator, kind="t-stops", arms=3, lights=False)


def roundabout(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Three or four arms around a ring that is driven counter-clockwise; who is inside has the right of way."""
    count = int(generator.integers(3, 5))
    radius = float(generator.uniform(15.0, 19.0))
    arms = _arms(generator, count, lanes=1, reach=radius + 12.0, limit=float(generator.choice([8.33, 11.11])))
    joint = np.radians(generator.uniform(36.0, 40.0))
    lanes = [lane for arm in arms for lane in _arm_lanes(arm)]
    lanes += _ring(arms, radius, joint)
    ways = [_ring_way(arms, start, exits) for start in range(count) for exits in range(1, count)]
    return Network(
        kind="roundabout",
        lanes=_linked(lanes, ways),
        ways=tuple(ways),
        crossings=tuple(_crossing(arm, light=-1, offset=8.0) for arm in arms),
        verges=_verges(arms),
        paint=_paint(arms, stop_lines=False),
        circular=True,
        ego_ways=tuple(range(len(ways))),
        ego_start_m=(40.0, 80.0),
    )


def _junction(generator: np.random.Generator, *, kind: str, arms: int, lights: bool) -> Network:
    lanes_each = int(generator.integers(1, 3)) if lights else 1
    reach = (lanes_each - 0.5) * LANE_M + float(generator.uniform(*_CORNER_M))
    limit = float(generator.choice([8.33, 11.11, 13.89]))
    made = _arms(generator, arms, lanes=lanes_each, reach=reach, limit=limit)
    lanes = [lane for arm in made for lane in _arm_lanes(arm)]
    ways = []
    for origin in made:
        for row in range(lanes_each):
            for target, to_row in _moves(origin, row, made):
                name = f"turn{origin.number}.{row}-{target.number}.{to_row}"
                line = turn_between(origin.inbound(row)[-1], target.outbound(to_row)[0])
                lanes.append(LanePlan(name, line, limit, width=TURN_M))
                ids = (f"in{origin.number}.{row}", name, f"out{target.number}.{to_row}")
                ways.append(_way(ids, origin, target, lights=lights, count=arms))
    groups = 2 if lights else 0
    return Network(
        kind=kind,
        lanes=_linked(lanes, ways),
        ways=tuple(ways),
        crossings=tuple(_crossing(arm, light=_group(arm.number, arms) if lights else -1, offset=0.0) for arm in made),
        verges=_verges(made),
        paint=_paint(made, stop_lines=True),
        light_groups=groups,
        ego_ways=tuple(range(len(ways))),
        ego_start_m=(35.0, 100.0),
    )


def _way(ids: tuple[str, ...], origin: _Arm, target: _Arm, *, lights: bool, count: int) -> Way:
    turned = _turned(origin, target)
    left = turned > 0.6
    ends_here = count == 3 and origin.number == 1
    if lights:
        rank = 0 if left else 1
    elif count == 3:
        rank = 1 if ends_here else 2 if left else 3
    else:
        rank = 0
    return Way(
        ids,
        gate_after=1,
        stop_sign=not lights and (count == 4 or ends_here),
        light=_group(origin.number, count) if lights else -1,
        rank=rank,
        arm=origin.number,
        to_arm=target.number,
    )


def _group(arm: int, count: int) -> int:
    """Arms that face each other share a light; of three, the first and the last do."""
    return arm % 2 if count == 4 else int(arm == 1)


def _arms(generator: np.random.Generator, count: int, *, lanes: int, reach: float, limit: float) -> tuple[_Arm, ...]:
    """Arms counter-clockwise; of three, the second one meets the other two at right angles."""
    angles = np.radians([0.0, 90.0, 180.0, 270.0])[:count]
    made = []
    for number, angle in enumerate(angles + np.radians(generator.uniform(-6.0, 6.0, count))):
        start = np.array([reach * np.cos(angle), reach * np.sin(angle), angle])
        length = int(limit * _SCENE_S) + 30
        bend = np.zeros(length)
        stretch = int(generator.uniform(60, 120))
        profile = np.sin(np.linspace(0.0, np.pi, stretch)) * generator.uniform(-0.006, 0.006)
        bend[50 : 50 + stretch] = profile
        made.append(_Arm(number, drawn(start, bend), lanes, limit))
    return tuple(made)


def _arm_lanes(arm: _Arm) -> list[LanePlan]:
    lanes = []
    for name, line_of in (("in", arm.inbound), ("out", arm.outbound)):
        names = [f"{name}{arm.number}.{row}" for row in range(arm.lanes)]
        for row in range(arm.lanes):
            left = tuple(names[row - 1 : row]) if row else ()
            lanes.append(
                LanePlan(
                    names[row],
                    line_of(row),
                    arm.limit,
                    left_neighbours=left,
                    right_neighbours=tuple(names[row + 1 : row + 2]),
                )
            )
    return lanes


def _moves(origin: _Arm, row: int, arms: tuple[_Arm, ...]) -> list[tuple[_Arm, int]]:
    """Where a lane leads: with two abreast the left one goes left or on, the right one right or on."""
    moves = []
    for target in arms:
        if target.number == origin.number:
            continue
        turned = _turned(origin, target)
        to_row = 0 if turned > 0.6 else origin.lanes - 1 if turned < -0.6 else row
        if to_row == row:
            moves.append((target, to_row))
    return moves


def _turned(origin: _Arm, target: _Arm) -> float:
    """By how much one turns left, radians."""
    return float(wrapped(target.middle[0, 2] - origin.middle[0, 2] - np.pi))


def _linked(lanes: list[LanePlan], ways: list[Way]) -> tuple[LanePlan, ...]:
    exits: dict[str, dict[str, None]] = {}
    for way in ways:
        for before, after in zip(way.lane_ids, way.lane_ids[1:], strict=False):
            exits.setdefault(before, {})[after] = None
    return tuple(
        LanePlan(
            lane.lane_id,
            lane.line,
            lane.speed_limit_mps,
            width=lane.width,
            exits=tuple(exits.get(lane.lane_id, ())),
            left_neighbours=lane.left_neighbours,
            right_neighbours=lane.right_neighbours,
        )
        for lane in lanes
    )


def _ring(arms: tuple[_Arm, ...], radius: float, joint: float) -> list[LanePlan]:
    """Lanes of the ring between the places where arms leave and join it, and the lanes to and from it."""
    angles = [float(arm.middle[0, 2]) for arm in arms]
    lanes = []
    for row, arm in enumerate(arms):
        following = angles[(row + 1) % len(arms)] + (2.0 * np.pi if row + 1 == len(arms) else 0.0)
        joins, leaves = _on_ring(radius, angles[row] + joint), _on_ring(radius, angles[row] - joint)
        enter = quintic(arm.inbound(0)[-1], joins, end_curvature=1.0 / radius)
        leave = quintic(leaves, arm.outbound(0)[0], start_curvature=1.0 / radius)
        lanes += [
            LanePlan(f"enter{row}", enter, arm.limit, width=TURN_M),
            LanePlan(f"leave{row}", leave, arm.limit, width=TURN_M),
            LanePlan(f"past{row}", _arc(leaves, radius, 2.0 * joint), arm.limit, width=TURN_M),
            LanePlan(f"ring{row}", _arc(joins, radius, following - angles[row] - 2.0 * joint), arm.limit, width=TURN_M),
        ]
    return lanes


def _on_ring(radius: float, angle: float) -> Float64s:
    return np.array([radius * np.cos(angle), radius * np.sin(angle), angle + 0.5 * np.pi])


def _arc(start: Float64s, radius: float, angle: float) -> Float64s:
    steps = max(2, round(radius * angle))
    chord = 2.0 * radius * np.sin(0.5 * angle / steps)
    return drawn(start, np.full(steps, angle / steps / chord), step=chord)


def _ring_way(arms: tuple[_Arm, ...], start: int, exits: int) -> Way:
    ids = [f"in{start}.0", f"enter{start}"]
    for passed in range(exits):
        here = (start + passed) % len(arms)
        ids += [f"past{here}"] * bool(passed) + [f"ring{here}"]
    target = (start + exits) % len(arms)
    ids += [f"leave{target}", f"out{target}.0"]
    return Way(tuple(ids), gate_after=1, inside=len(ids) - 2, arm=start, to_arm=target)


def _crossing(arm: _Arm, *, light: int, offset: float) -> Crossing:
    """A crosswalk just behind the stop line, or `offset` metres before it."""
    pose = arm.middle[0] if offset == 0.0 else arm.middle[int(offset)]
    forward = np.array([np.cos(pose[2]), np.sin(pose[2])])
    normal = np.array([-forward[1], forward[0]])
    half = arm.lanes * LANE_M + (1.2 if offset == 0.0 else 0.0)
    at = pose[:2] - forward * (_BEHIND_LINE_M if offset == 0.0 else 0.0)
    return Crossing(np.stack([at - half * normal, at + half * normal]), light=light)


def _verges(arms: tuple[_Arm, ...]) -> tuple[Verge, ...]:
    """The right-hand borders of each arm, both ways, from 25 m before the junction outwards."""
    made = []
    for arm in arms:
        out = beside(arm.middle, -arm.lanes * LANE_M)[25:]
        into = backwards(beside(arm.middle, arm.lanes * LANE_M)[25:])
        parks = arm.number % 2 == 0
        made += [Verge(line, strip=2.4 * parks, parked=parks) for line in (out, into)]
    return tuple(made)


def _paint(arms: tuple[_Arm, ...], *, stop_lines: bool) -> tuple[tuple[RoadKind, Float64s], ...]:
    paint = []
    for arm in arms:
        paint.append((RoadKind.SOLID_LINE, arm.middle[:31, :2]))
        paint.append((RoadKind.BROKEN_LINE, arm.middle[30:, :2]))
        for row in range(1, arm.lanes):
            paint += [(RoadKind.BROKEN_LINE, beside(arm.middle, side * row * LANE_M)[:, :2]) for side in (-1, 1)]
        if stop_lines:
            across = beside(arm.middle[:1], arm.lanes * LANE_M)[0, :2]
            paint.append((RoadKind.SOLID_LINE, np.stack([arm.middle[0, :2], across])))
    return tuple(paint)
