"""Pickles as ScenarioNet and MetaDrive keep scenes: one a file, with lights; the older layout of TrafficGen too."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from al_platform.datasets.scenarios.agents import box_sizes
from al_platform.datasets.scenarios.base import RefusedScene, ScenarioFormat, SourceScene
from al_platform.datasets.scenarios.checks import flags_of, mapping_at, mapping_of, numbers_of, refuse_huge, text_of
from al_platform.datasets.scenarios.files import files_below, read_whole
from al_platform.datasets.scenarios.scenarionet_map import lights_of, map_of
from al_platform.datasets.scenarios.scenes import FoundScene, one_scene, step_of
from al_platform.datasets.scenarios.unpickle import plain_pickle
from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind
from sim.recording import Agents, Float64s

_AGENT_KINDS = {
    "VEHICLE": AgentKind.VEHICLE,
    "PEDESTRIAN": AgentKind.PEDESTRIAN,
    "CYCLIST": AgentKind.CYCLIST,
}
_DATASETS = {"waymo": "womd"}
_INDEXES = frozenset({"dataset_summary.pkl", "dataset_mapping.pkl"})
"""What ScenarioNet writes beside the scenes."""


def _sources(path: Path) -> list[Path]:
    return files_below(path, lambda name: name.endswith((".pkl", ".pkl.bz2")) and name not in _INDEXES)


def _read(path: Path) -> Iterator[SourceScene | RefusedScene]:
    return one_scene(path, _found)


def _found(path: Path) -> FoundScene:
    scene = mapping_of(plain_pickle(read_whole(path)), what="the file")
    tracks = mapping_at(scene, "tracks")
    steps = scene.get("length")
    if type(steps) is not int or steps < 0:
        raise BrokenRecording("wrong type", f"length: {steps!r:.60}")
    refuse_huge(agents=len(tracks), steps=steps)
    metadata = mapping_of(scene.get("metadata", {}), what="metadata")
    name = text_of(scene.get("id", path.name.split(".")[0]), what="id")
    dataset = text_of(metadata.get("dataset", "scenarionet"), what="dataset").replace("/", "-") or "scenarionet"
    lanes, roads, signs = map_of(mapping_at(scene, "map_features"))
    return FoundScene(
        name=name,
        dataset=_DATASETS.get(dataset, dataset),
        session=text_of(metadata.get("scenario_id", name), what="scenario_id"),
        step_s=step_of(_times(scene, metadata, steps)),
        agents=_agents(tracks, steps),
        ego=_ego(metadata, list(tracks)),
        lanes=lanes,
        roads=roads,
        stops=signs + lights_of(mapping_of(scene.get("dynamic_map_states", {}), what="dynamic_map_states"), steps),
    )


def _times(scene: Mapping[str, Any], metadata: Mapping[str, Any], steps: int) -> Float64s:
    times = metadata.get("ts", metadata.get("timestep", scene.get("ts")))
    if times is None:
        raise BrokenRecording("wrong type", "ts: the times of the steps are not there")
    return numbers_of(times, (steps,), what="ts")


def _ego(metadata: Mapping[str, Any], names: Sequence[Any]) -> int | None:
    ego = metadata.get("sdc_id")
    if ego is None:
        return None
    known = [str(name) for name in names]
    if str(ego) not in known:
        raise BrokenRecording("no ego", f"agent {ego!r:.60} is named as the ego and is not there")
    return known.index(str(ego))


def _agents(tracks: Mapping[Any, Any], steps: int) -> Agents:
    count = len(tracks)
    position, velocity = np.zeros((count, steps, 3)), np.zeros((count, steps, 2))
    size, heading = np.zeros((count, steps, 3)), np.zeros((count, steps))
    valid = np.zeros((count, steps), np.bool_)
    kinds = np.full(count, AgentKind.OTHER, np.int8)
    for row, (name, track) in enumerate(tracks.items()):
        what = f"track {name}"
        kinds[row] = _AGENT_KINDS.get(str(mapping_of(track, what=what).get("type")), AgentKind.OTHER)
        state = mapping_at(track, "state")
        position[row, :, :] = _columns(state.get("position"), steps, what=f"{what} position")
        velocity[row] = numbers_of(state.get("velocity"), (steps, None), what=f"{what} velocity")[:, :2]
        heading[row] = numbers_of(state.get("heading"), (steps,), what=f"{what} heading")
        valid[row] = flags_of(state.get("valid"), steps, what=f"{what} valid")
        size[row] = _sizes(state, steps, what=f"{what} size")
    ids = tuple(text_of(name, what="a track's name") for name in tracks)
    return Agents(position, heading, velocity, box_sizes(size, valid), kinds, valid, ids)


def _sizes(state: Mapping[str, Any], steps: int, *, what: str) -> Float64s:
    """Three columns in the older layout, three arrays in the newer."""
    if "size" in state:
        return _columns(state["size"], steps, what=what)
    sides = [numbers_of(state.get(side), (None,), what=f"{what} {side}") for side in ("length", "width", "height")]
    if any(len(side) not in (1, steps) for side in sides):
        raise BrokenRecording("wrong type", f"{what}: not one for each of {steps} steps")
    return np.column_stack([np.broadcast_to(side, steps) for side in sides])


def _columns(value: Any, steps: int, *, what: str) -> Float64s:
    numbers = numbers_of(value, (steps, None), what=what)
    if numbers.shape[1] not in (2, 3):
        raise BrokenRecording("wrong type", f"{what}: {numbers.shape[1]} columns")
    return numbers if numbers.shape[1] == 3 else np.column_stack([numbers, np.zeros(steps)])


SCENARIONET = ScenarioFormat(sources=_sources, read=_read)
