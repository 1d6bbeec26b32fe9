"""What must hold of a generated scene: nobody overlaps, the expert keeps its lanes, lights and stop signs."""

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.generator.curves import Float64s
from sim.kinds import LightState, StopKind
from sim.recording import Agents, Lane, Recording

_STOPPED_MPS = 0.5
_BORDER_M = 0.05


def corners(position: Float64s, heading: Float64s, size: Float64s) -> Float64s:
    """[..., 4, 2] corners of boxes, counter-clockwise from the front left."""
    half_length, half_width = 0.5 * size[..., 0], 0.5 * size[..., 1]
    ahead = np.stack([half_length, -half_length, -half_length, half_length], axis=-1)
    left = np.stack([half_width, half_width, -half_width, -half_width], axis=-1)
    cosine, sine = np.cos(heading)[..., None], np.sin(heading)[..., None]
    x = position[..., 0, None] + ahead * cosine - left * sine
    y = position[..., 1, None] + ahead * sine + left * cosine
    return np.stack([x, y], axis=-1)


def overlapping(first: Float64s, second: Float64s) -> NDArray[np.bool_]:
    """[N] whether boxes overlap, by corners [N, 4, 2], exactly: no side of either separates them."""
    apart = np.zeros(len(first), bool)
    for box in (first, second):
        for side in (0, 1):
            axis = box[:, side] - box[:, side + 1]
            mine, theirs = np.einsum("nkd,nd->nk", first, axis), np.einsum("nkd,nd->nk", second, axis)
            apart |= (mine.max(axis=1) < theirs.min(axis=1)) | (theirs.max(axis=1) < mine.min(axis=1))
    return ~apart


def overlaps(agents: Agents) -> list[tuple[int, int, int]]:
    """Pairs of agents whose boxes overlap, as (step, row, row); two who are both on foot do not count."""
    found: list[tuple[int, int, int]] = []
    reach = 0.5 * np.hypot(agents.size[:, 0], agents.size[:, 1])
    on_wheels = agents.size[:, 0] > 2.5
    rows, others = np.triu_indices(len(reach), 1)
    useful = on_wheels[rows] | on_wheels[others]
    rows, others = rows[useful], others[useful]
    places = agents.position[:, :, :2]
    with np.errstate(invalid="ignore"):
        apart = ((places[rows] - places[others]) ** 2).sum(axis=2)
        near = apart < ((reach[rows] + reach[others]) ** 2)[:, None]
    near &= agents.valid[rows] & agents.valid[others]
    pair, step = np.nonzero(near)
    if len(pair):
        boxes = [_boxes_at(agents, side[pair], step) for side in (rows, others)]
        hit = overlapping(*boxes)
        found = [(int(s), int(rows[p]), int(others[p])) for s, p in zip(step[hit], pair[hit], strict=True)]
    return found


def faults(recording: Recording) -> list[str]:
    """What the expert did wrong, in words; nothing for a good scene. Overlaps of others are told too."""
    wrong = [f"overlap of {row} and {other} at step {step}" for step, row, other in overlaps(recording.agents)[:3]]
    wrong += [f"outside its lanes at step {step}" for step in _outside(recording)[:1]]
    wrong += [f"ran {stop} at step {step}" for stop, step in _ran(recording)[:1]]
    return wrong


def _outside(recording: Recording) -> list[int]:
    lanes = {lane.lane_id: lane for lane in recording.map.lanes}
    areas = [lane_area(lanes[name]) for name in recording.route or ()]
    union = shapely.union_all(shapely.make_valid(np.array(areas))).buffer(_BORDER_M)
    ego, agents = recording.ego, recording.agents
    boxes = corners(agents.position[ego], agents.heading[ego], agents.size[ego][None])
    shapely.prepare(union)
    return list(np.flatnonzero(~shapely.contains(union, shapely.polygons(boxes))))


def lane_area(lane: Lane) -> shapely.Polygon:
    """The area between the borders of a lane that has both."""
    assert lane.left is not None and lane.right is not None
    return shapely.Polygon(np.concatenate([lane.left, lane.right[::-1]]))


def _ran(recording: Recording) -> list[tuple[str, int]]:
    """Stop points of the route that the front of the ego crossed at red, or without having stopped at a sign."""
    ego, agents = recording.ego, recording.agents
    heading = agents.heading[ego]
    front = agents.position[ego, :, :2] + 0.5 * agents.size[ego, 0] * np.stack([np.cos(heading), np.sin(heading)], 1)
    speed = np.hypot(*agents.velocity[ego].T)
    lanes = {lane.lane_id: lane for lane in recording.map.lanes}
    found = []
    for stop in recording.map.stops:
        if not set(stop.lane_ids) & set(recording.route or ()):
            continue
        end = lanes[stop.lane_ids[0]].centre[-2:, :2]
        beyond = (front - end[1]) @ (end[1] - end[0]) > 0.0
        crossed = np.flatnonzero(beyond[1:] & ~beyond[:-1]) + 1
        for step in crossed[:1]:
            if stop.states is not None and LightState.STOP in stop.states[step - 1 : step + 1]:
                found.append(("a red light", int(step)))
            if stop.kind == StopKind.STOP_SIGN and speed[max(0, step - 15) : step].min() > _STOPPED_MPS:
                found.append(("a stop sign", int(step)))
    return found


def _boxes_at(agents: Agents, rows: NDArray[np.int64], steps: NDArray[np.int64]) -> Float64s:
    return corners(agents.position[rows, steps], agents.heading[rows, steps], agents.size[rows])
