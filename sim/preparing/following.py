"""Which lanes the recorded ego followed, and how they go on."""

from sim.preparing.lanes import LaneGraph, LanePoints, candidates
from sim.preparing.point_index import Float64s
from sim.preparing.polylines import headings, turn

OFF_LANES = -1
"""In place of a lane's number: no lane of the map fits here."""

_WITHIN_M = 3.5
_COST_OFF_LANES = 14.0
_COST_OF_EXIT = 0.3
_COST_OF_CHANGE = 3.0
_COST_OF_LEAVING = 8.0
_COST_OF_JUMP = 25.0
_LOOK_M = 15


def followed_lanes(graph: LaneGraph, points: LanePoints | None, path: Float64s) -> list[int]:
    """[Q] the lane that was driven at each point of a path [Q, 2], OFF_LANES where none fits.

    The cheapest row of lanes (Viterbi): being beside a lane's centre or across its direction costs, and so does
    going to a lane that the graph does not connect.
    """
    if points is None:
        return [OFF_LANES] * len(path)
    found = candidates(points, path, headings(path), within=_WITHIN_M)
    costs: dict[int, float] = {**found[0], OFF_LANES: _COST_OFF_LANES}
    origins: list[dict[int, int]] = []
    for here in found[1:]:
        origin: dict[int, int] = {}
        following: dict[int, float] = {}
        for lane, cost in {**here, OFF_LANES: _COST_OFF_LANES}.items():
            before = min(costs, key=lambda other: (costs[other] + _transition(graph, other, lane), other))
            origin[lane] = before
            following[lane] = costs[before] + _transition(graph, before, lane) + cost
        origins.append(origin)
        costs = following
    lanes = [min(costs, key=lambda lane: (costs[lane], lane))]
    for origin in reversed(origins):
        lanes.append(origin[lanes[-1]])
    return lanes[::-1]


def chain_of(lanes: list[int]) -> list[int]:
    """Give the lanes one after the other, each stretch once, without the gaps."""
    chain: list[int] = []
    for lane in lanes:
        if lane != OFF_LANES and (not chain or chain[-1] != lane):
            chain.append(lane)
    return chain


def onwards(graph: LaneGraph, lane: int, *, metres: float, backwards: bool = False) -> list[int]:
    """Give the lanes that go on straightest from the end (or the beginning) of a lane, until the metres are full."""
    rows = graph.entries if backwards else graph.exits
    chain, length, seen = [], 0.0, {lane}
    while length < metres:
        choices = [other for other in rows[lane] if other not in seen and graph.lanes[other].drivable]
        if not choices:
            break
        bends = {other: _bend(graph, lane, other, backwards=backwards) for other in choices}
        lane = min(choices, key=lambda other: (bends[other], other))
        seen.add(lane)
        chain.append(lane)
        length += len(graph.lanes[lane].points)
    return chain


def _transition(graph: LaneGraph, before: int, after: int) -> float:
    if before == after:
        return 0.0
    if OFF_LANES in (before, after):
        return _COST_OF_LEAVING
    if after in graph.exits[before]:
        return _COST_OF_EXIT
    if after in graph.neighbours[before]:
        return _COST_OF_CHANGE
    return _COST_OF_JUMP


def _bend(graph: LaneGraph, here: int, there: int, *, backwards: bool) -> float:
    """How much one turns over the first metres of the next lane."""
    this, other = graph.lanes[here], graph.lanes[there]
    far = min(_LOOK_M, len(other.points) - 1)
    if backwards:
        return float(abs(turn(other.heading[-1 - far : len(other.heading) - far], this.heading[0])[0]))
    return float(abs(turn(other.heading[far : far + 1], this.heading[-1])[0]))
