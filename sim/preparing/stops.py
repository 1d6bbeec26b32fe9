"""Stop signs and lights as places along the reference line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kinds import LightState, StopKind
from sim.preparing.lanes import LaneGraph, LanePoints
from sim.preparing.line import Line
from sim.preparing.point_index import Float64s
from sim.preparing.polylines import project
from sim.recording import Map, StopPoint
from sim.scenario.record import Sizes

_SIGN_WITHIN_M = 8.0
_LINE_WITHIN_M = 12.0
_SAME_LINE_M = 3.0


@dataclass(frozen=True)
class Stops:
    """Padded stop lines in the order in which the route meets them."""

    at: NDArray[np.float32]
    """[S] metres; infinite for padding."""
    kinds: NDArray[np.int8]
    lights: NDArray[np.int8]
    """[T, S]"""
    dropped: int


def stops_along(
    map_: Map, line: Line, graph: LaneGraph, points: LanePoints | None, *, steps: NDArray[np.int64], sizes: Sizes
) -> Stops:
    """Find the signs and lights that control a lane of the route.

    `steps` [T'] are the source's steps at which the scene is sampled. A sign that names no lane belongs to the
    lane that runs nearest on its left. Several of one kind within 3 m are one line.
    """
    found = [
        (along, stop)
        for stop in map_.stops
        if set(_controlled(stop, graph, points)) & set(line.chain) and (along := _place(stop, line)) is not None
    ]
    found.sort(key=lambda pair: (pair[0], pair[1].kind))
    kept: list[tuple[float, StopPoint]] = []
    for along, stop in found:
        if not any(other.kind == stop.kind and along - place < _SAME_LINE_M for place, other in kept):
            kept.append((along, stop))
    at = np.full(sizes.stops, np.inf, np.float32)
    kinds = np.zeros(sizes.stops, np.int8)
    lights = np.full((sizes.steps, sizes.stops), LightState.UNKNOWN, np.int8)
    for number, (along, stop) in enumerate(kept[: sizes.stops]):
        at[number], kinds[number] = along, stop.kind
        if stop.kind == StopKind.LIGHT and stop.states is not None:
            lights[: len(steps), number] = stop.states[np.minimum(steps, len(stop.states) - 1)]
    return Stops(at, kinds, lights, max(0, len(kept) - sizes.stops))


def _controlled(stop: StopPoint, graph: LaneGraph, points: LanePoints | None) -> tuple[int, ...]:
    named = graph.numbers(stop.lane_ids)
    if named or points is None or stop.lane_ids:
        return named
    near = np.array(points.index.within(stop.position[None], _SIGN_WITHIN_M)[0], np.int64)
    if not len(near):
        return ()
    offset = stop.position[:2] - points.points[near, :2]
    heading = points.heading[near]
    beside = np.cos(heading) * offset[:, 1] - np.sin(heading) * offset[:, 0]
    on_its_right = near[(beside < -0.5)]
    if not len(on_its_right):
        return ()
    distance = np.hypot(*(stop.position[:2] - points.points[on_its_right, :2]).T)
    return (int(points.lane[on_its_right[int(distance.argmin())]]),)


def _place(stop: StopPoint, line: Line) -> float | None:
    on_line = project(line.points, stop.position[None, :2])
    return float(on_line.along[0]) if abs(on_line.beside[0]) < _LINE_WITHIN_M else None


def runs_red(stops: Stops, ego_along: Float64s, *, front_m: float) -> bool:
    """Whether the recorded ego's front crosses a line whose light shows stop."""
    front = ego_along + front_m
    before, after = front[:-1, None], front[1:, None]
    red = stops.lights[1 : len(front)] == LightState.STOP
    return bool(((before < stops.at) & (after >= stops.at) & red).any())
