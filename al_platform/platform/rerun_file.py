"""A scene as a recording for the Rerun viewer (https://rerun.io): lanes, lines, boxes, lights and the ego's trail.

Needs the extra `rerun`.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import MissingExtra
from sim.kinds import AgentKind, LightState, RoadKind
from sim.recording import Recording, Road

_COLOURS: dict[AgentKind, tuple[int, int, int]] = {
    AgentKind.OTHER: (120, 120, 120),
    AgentKind.VEHICLE: (52, 96, 160),
    AgentKind.PEDESTRIAN: (222, 128, 24),
    AgentKind.CYCLIST: (30, 140, 84),
}
_EGO = (214, 60, 46)
_ROUTE = (110, 160, 220)
_ROAD = (150, 150, 150)
_LIGHTS: dict[LightState, tuple[int, int, int]] = {
    LightState.STOP: (220, 30, 30),
    LightState.CAUTION: (240, 180, 20),
    LightState.GO: (30, 170, 60),
}


def write_rerun(recording: Recording, path: Path) -> None:
    """Write a scene for the viewer, times in seconds on the timeline `time`.

    Raises: MissingExtra where the extra `rerun` is not installed.
    """
    if importlib.util.find_spec("rerun") is None:
        raise MissingExtra("rerun: is not installed; pip install 'al-platform[rerun]'")
    rerun: Any = importlib.import_module("rerun")
    with rerun.RecordingStream("al-platform", recording_id=recording.name) as stream:
        stream.save(path)
        _write_map(rerun, stream, recording)
        for step in range(recording.agents.valid.shape[1]):
            stream.set_time("time", duration=step * recording.step_s)
            _write_step(rerun, stream, recording, step)
        stream.flush()


def _write_map(rerun: Any, stream: Any, recording: Recording) -> None:
    kinds = {road.kind for road in recording.map.roads}
    for kind in sorted(kinds):
        lines = [_closed(road) for road in recording.map.roads if road.kind == kind]
        name = RoadKind(kind).name.lower()
        stream.log(f"world/map/{name}", rerun.LineStrips3D(lines, colors=_ROAD), static=True)
    borders = [side for lane in recording.map.lanes for side in (lane.left, lane.right) if side is not None]
    flat = [np.column_stack([side, np.zeros(len(side))]) for side in borders]
    stream.log("world/map/route", rerun.LineStrips3D(flat, colors=_ROUTE), static=True)
    stream.log("scene", rerun.TextDocument("\n".join((recording.name, *recording.tags))), static=True)


def _closed(road: Road) -> NDArray[np.float64]:
    """The points of a line, or once around an area."""
    is_area = road.kind == RoadKind.CROSSWALK and len(road.points) > 2
    return np.concatenate([road.points, road.points[:1]]) if is_area else road.points


def _write_step(rerun: Any, stream: Any, recording: Recording, step: int) -> None:
    agents, ego = recording.agents, recording.ego
    rows = np.flatnonzero(agents.valid[:, step])
    turns = [rerun.RotationAxisAngle([0.0, 0.0, 1.0], radians=angle) for angle in agents.heading[rows, step].tolist()]
    boxes = rerun.Boxes3D(
        centers=agents.position[rows, step],
        half_sizes=0.5 * agents.size[rows],
        rotation_axis_angles=turns,
        colors=[_EGO if row == ego else _COLOURS[AgentKind(int(agents.kind[row]))] for row in rows],
    )
    stream.log("world/agents", boxes)
    trail = agents.position[ego, : step + 1][agents.valid[ego, : step + 1]]
    stream.log("world/trail", rerun.LineStrips3D([trail], colors=_EGO))
    lights = [stop for stop in recording.map.stops if stop.states is not None]
    shown = [_LIGHTS.get(LightState(int(stop.states[step])), _ROAD) for stop in lights if stop.states is not None]
    stream.log("world/lights", rerun.Points3D([stop.position for stop in lights], colors=shown, radii=0.8))
