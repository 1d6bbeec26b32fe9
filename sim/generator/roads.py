"""Roads without a junction: a curved road, several lanes abreast, a ramp that merges."""

import numpy as np

from sim.generator.curves import Float64s, backwards, beside, drawn, wrapped
from sim.generator.network import LANE_M, Crossing, LanePlan, Network, Verge, Way
from sim.kinds import LaneKind, RoadKind

_SCENE_S = 32.0


def curved_road(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """One lane each way with bends, parking or a strip for bicycles, and a crosswalk."""
    limit = float(generator.choice([8.33, 11.11, 13.89]))
    bend = (0.02, 0.03) if tag == "stopped-car" else (0.002, 0.012)
    middle = drawn(np.zeros(3), _bends(generator, 60.0 + limit * _SCENE_S, bend))
    there = LanePlan("there", beside(middle, -0.5 * LANE_M), limit)
    back = LanePlan("back", backwards(beside(middle, 0.5 * LANE_M)), limit)
    parks = tag == "jaywalker" or (tag is None and bool(generator.random() < 0.6))
    strip = 2.4 if parks else 1.6
    verges = tuple(
        Verge(beside(lane.line, -0.5 * LANE_M), strip=strip, parked=parks, ridden=not parks) for lane in (there, back)
    )
    at = middle[int(generator.uniform(0.35, 0.6) * len(middle))]
    crossing = Crossing(_across(at, LANE_M + strip, LANE_M + strip))
    broken = tag == "oncoming-overtake" or bool(generator.random() < 0.5)
    paint = [(RoadKind.BROKEN_LINE if broken else RoadKind.SOLID_LINE, middle[:, :2])]
    paint += [(RoadKind.SOLID_LINE, verge.line[:, :2]) for verge in verges]
    return Network(
        kind="curved-road",
        lanes=(there, back),
        ways=(Way(("there",)), Way(("back",), arm=1)),
        crossings=(crossing,) if tag is None else (),
        verges=verges,
        paint=tuple(paint),
        ego_ways=(0,),
    )


def multi_lane(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Two or three lanes each way with a median strip between them."""
    count = int(generator.integers(2, 4))
    limit = float(generator.choice([16.67, 19.44, 22.22]))
    middle = drawn(np.zeros(3), _bends(generator, 80.0 + limit * _SCENE_S, (0.0005, 0.003)))
    median = float(generator.choice([1.0, 3.0]))
    there = _abreast("there", middle, count, first=-0.5 * median, limit=limit)
    back = _abreast("back", backwards(middle), count, first=-0.5 * median, limit=limit)
    ways = tuple(Way((lane.lane_id,), arm=row // count) for row, lane in enumerate((*there, *back)))
    verges = tuple(Verge(beside(lanes[-1].line, -0.5 * LANE_M), strip=1.0) for lanes in (there, back))
    return Network(
        kind="multi-lane",
        lanes=(*there, *back),
        ways=ways,
        verges=verges,
        paint=(*_paint_abreast(there), *_paint_abreast(back)),
        ego_ways=tuple(range(count)),
    )


def merge(generator: np.random.Generator, *, tag: str | None = None) -> Network:
    """Two lanes one way, and a ramp whose lane runs beside them and then ends into the right one."""
    limit = float(generator.choice([16.67, 19.44]))
    length = 80.0 + limit * _SCENE_S
    middle = drawn(np.zeros(3), _bends(generator, length, (0.0003, 0.0015)))
    main = _abreast("main", middle, 2, first=0.0, limit=limit)
    right = main[1].line
    open_m, close_m = int(generator.uniform(130, 170)), int(generator.uniform(290, 320))
    parts = [right[: open_m + 1], right[open_m : close_m + 1], right[close_m:]]
    shares = np.clip((np.arange(open_m, close_m + 1) - (close_m - 80)) / 80.0, 0.0, 1.0)
    beside_it = _headed(beside(right[open_m : close_m + 1], -LANE_M * (1.0 - _smooth(shares))))
    ramp = _ramp_to(beside_it[0], generator)
    lanes = (
        LanePlan("left", main[0].line, limit, kind=LaneKind.FREEWAY, right_neighbours=("right0", "right1", "right2")),
        LanePlan("right0", parts[0], limit, kind=LaneKind.FREEWAY, exits=("right1",), left_neighbours=("left",)),
        LanePlan("right1", parts[1], limit, kind=LaneKind.FREEWAY, exits=("right2",), left_neighbours=("left",)),
        LanePlan("right2", parts[2], limit, kind=LaneKind.FREEWAY, left_neighbours=("left",)),
        LanePlan("ramp", ramp, 13.89, exits=("joining",)),
        LanePlan("joining", beside_it, limit, kind=LaneKind.FREEWAY, exits=("right2",)),
    )
    side = parts[1][: close_m - open_m - 80]
    paint = [
        (RoadKind.BROKEN_LINE, beside(main[0].line, -0.5 * LANE_M)[:, :2]),
        (RoadKind.SOLID_LINE, beside(main[0].line, 0.5 * LANE_M)[:, :2]),
        (RoadKind.BROKEN_LINE, beside(side, -0.5 * LANE_M)[:, :2]),
        (RoadKind.SOLID_LINE, beside(parts[2], -0.5 * LANE_M)[:, :2]),
    ]
    ways = (Way(("left",)), Way(("right0", "right1", "right2")), Way(("ramp", "joining", "right2"), arm=1))
    return Network(
        kind="merge",
        lanes=lanes,
        ways=ways,
        paint=tuple(paint),
        merging=((1, 2),),
        ego_ways=(1, 2, 2),
        ego_start_m=(15.0, 60.0),
    )


def _abreast(name: str, middle: Float64s, count: int, *, first: float, limit: float) -> tuple[LanePlan, ...]:
    """Lanes from left to right, the first one's left border `first` metres left of the middle."""
    names = [f"{name}{row}" for row in range(count)]
    return tuple(
        LanePlan(
            names[row],
            beside(middle, first - (row + 0.5) * LANE_M),
            limit,
            kind=LaneKind.FREEWAY,
            left_neighbours=tuple(names[row - 1 : row] if row else ()),
            right_neighbours=tuple(names[row + 1 : row + 2]),
        )
        for row in range(count)
    )


def _paint_abreast(lanes: tuple[LanePlan, ...]) -> list[tuple[RoadKind, Float64s]]:
    solid = [lanes[0].left, lanes[-1].right]
    broken = [lane.right for lane in lanes[:-1]]
    return [(RoadKind.SOLID_LINE, line) for line in solid] + [(RoadKind.BROKEN_LINE, line) for line in broken]


def _bends(generator: np.random.Generator, length: float, sharpest: tuple[float, float]) -> Float64s:
    """[P] curvature with bends to either side, each beginning and ending gently and turning at most 60 degrees."""
    curvature = np.zeros(int(length))
    at, side = int(generator.uniform(50, 90)), int(generator.choice([-1, 1]))
    while at < len(curvature) - 40:
        peak = generator.uniform(*sharpest)
        steps = int(np.clip(generator.uniform(0.5, 1.05) / peak / 0.6, 30, 220))
        profile = peak * np.minimum(1.0, np.minimum(np.arange(steps), np.arange(steps)[::-1]) / (0.4 * steps))
        piece = curvature[at : at + steps]
        piece[:] = side * profile[: len(piece)]
        at += steps + int(generator.uniform(20, 80))
        side = -side
    return curvature


def _ramp_to(pose: Float64s, generator: np.random.Generator) -> Float64s:
    """A ramp that ends in this pose, drawn backwards from there."""
    steps = int(generator.uniform(110, 150))
    bend = np.sin(np.linspace(0.0, np.pi, steps - 20)) * generator.uniform(0.008, 0.013)
    away = drawn(np.array([pose[0], pose[1], pose[2] + np.pi]), np.concatenate([np.zeros(20), bend]))
    return np.asarray(backwards(away) - np.array([0.0, 0.0, 2.0 * np.pi]))


def _smooth(share: Float64s) -> Float64s:
    return np.asarray(share**3 * (10.0 - 15.0 * share + 6.0 * share**2))


def _headed(line: Float64s) -> Float64s:
    """Give a shifted line the heading of its own course."""
    heading = np.unwrap(np.arctan2(np.gradient(line[:, 1]), np.gradient(line[:, 0])))
    heading += line[0, 2] - heading[0] + wrapped(heading[0] - line[0, 2])
    return np.concatenate([line[:, :2], heading[:, None]], axis=1)


def _across(pose: Float64s, left: float, right: float) -> Float64s:
    normal = np.array([-np.sin(pose[2]), np.cos(pose[2])])
    return np.stack([pose[:2] - right * normal, pose[:2] + left * normal])
