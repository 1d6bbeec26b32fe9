"""Argoverse 2 motion forecasting: tracks in Parquet, the map in JSON beside it, one scene a folder; no lights.

The self-driving car is the track named AV. Tracks have no size, so it is assumed by their type, and the scene's
report counts them as `assumed size`: length x width x height of 4.6 x 1.9 x 1.6 m for vehicles, 12 x 2.9 x 3.2 for
buses, 0.7 x 0.7 x 1.7 for pedestrians, 1.8 x 0.7 x 1.7 for cyclists, 2.2 x 0.9 x 1.7 for motorcyclists, 1.8 x 0.7 x
1.2 for riderless bicycles and 1 x 1 x 1 for everything else. Collisions of these scenes are as good as that. Neither
tracks nor centre lines have a height, so the whole scene is flat.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from al_platform.datasets.scenarios.agents import default_sizes
from al_platform.datasets.scenarios.av2_map import map_of
from al_platform.datasets.scenarios.base import RefusedScene, ScenarioFormat, SourceScene
from al_platform.datasets.scenarios.checks import mapping_of, refuse_huge, text_of
from al_platform.datasets.scenarios.files import LARGEST_FILE, files_below, read_whole
from al_platform.datasets.scenarios.scenes import USUAL_STEP_S, FoundScene, one_scene
from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind
from sim.recording import Agents

_EGO = "AV"
_KINDS = {
    "vehicle": AgentKind.VEHICLE,
    "bus": AgentKind.VEHICLE,
    "pedestrian": AgentKind.PEDESTRIAN,
    "cyclist": AgentKind.CYCLIST,
    "motorcyclist": AgentKind.CYCLIST,
}
_SIZES_M = {
    "bus": (12.0, 2.9, 3.2),
    "motorcyclist": (2.2, 0.9, 1.7),
    "riderless_bicycle": (1.8, 0.7, 1.2),
}
"""Of types that are larger or smaller than most of their kind."""
_PLACES = ("position_x", "position_y")
_VELOCITIES = ("velocity_x", "velocity_y")
_COLUMNS = (
    *("track_id", "object_type", "timestep", "heading", *_PLACES, *_VELOCITIES),
    *("scenario_id", "slice_id", "start_timestamp", "end_timestamp", "num_timestamps"),
)
_PER_S = 1e9


def _sources(path: Path) -> list[Path]:
    return files_below(path, lambda name: name.startswith("scenario_") and name.endswith(".parquet"))


def _maps(source: Path) -> list[Path]:
    return sorted(source.parent.glob("log_map_archive_*.json"))[:1]


def _read(path: Path) -> Iterator[SourceScene | RefusedScene]:
    return one_scene(path, _found)


def _found(path: Path) -> FoundScene:
    table = _table(path)
    steps = int(_first(table, "num_timestamps"))
    names = table["track_id"].combine_chunks().dictionary_encode()
    refuse_huge(agents=len(names.dictionary), steps=steps)
    maps = _maps(path)
    if not maps:
        raise BrokenRecording("no map", "no log_map_archive_*.json beside it")
    lanes, roads = map_of(_parsed(maps[0]))
    agents = _agents(table, names, steps)
    return FoundScene(
        name=text_of(_first(table, "scenario_id"), what="scenario_id"),
        dataset="av2",
        session=text_of(_first(table, "slice_id") or "", what="slice_id"),
        step_s=_step(table, steps),
        agents=agents,
        ego=agents.ids.index(_EGO) if _EGO in agents.ids else None,
        lanes=lanes,
        roads=roads,
        stops=(),
        sized=False,
    )


def _table(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(pa.BufferReader(read_whole(path))) as file:
            claimed = sum(file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups))
            if claimed > LARGEST_FILE:
                raise BrokenRecording("too large", f"{claimed} bytes for one scene")
            missing = sorted(set(_COLUMNS) - set(file.schema_arrow.names))
            if missing:
                raise BrokenRecording("wrong type", f"no column {', '.join(missing)}")
            table = file.read(columns=list(_COLUMNS), use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenRecording("not Parquet", str(error)[:200]) from error
    if table.num_rows == 0:
        raise BrokenRecording("no agents")
    return table


def _first(table: pa.Table, column: str) -> Any:
    value = table[column][0].as_py()
    if value is None:
        raise BrokenRecording("wrong type", f"{column}: empty")
    return value


def _step(table: pa.Table, steps: int) -> float:
    if steps < 2:
        return USUAL_STEP_S
    step_s = (_first(table, "end_timestamp") - _first(table, "start_timestamp")) / _PER_S / (steps - 1)
    if not 1e-3 <= step_s <= 10.0:
        raise BrokenRecording("times do not rise", f"{step_s} s from one step to the next")
    return float(step_s)


def _agents(table: pa.Table, names: pa.DictionaryArray, steps: int) -> Agents:
    rows = _numbers(names.indices, "track_id").astype(np.int64)
    at = _numbers(table["timestep"], "timestep")
    if not ((at >= 0) & (at < steps)).all():
        raise BrokenRecording("wrong type", f"timestep: outside of 0 to {steps - 1}")
    at = at.astype(np.int64)
    count = len(names.dictionary)
    position, velocity = np.zeros((count, steps, 3)), np.zeros((count, steps, 2))
    heading, valid = np.zeros((count, steps)), np.zeros((count, steps), np.bool_)
    for axis in range(2):
        position[rows, at, axis] = _numbers(table[_PLACES[axis]], _PLACES[axis])
        velocity[rows, at, axis] = _numbers(table[_VELOCITIES[axis]], _VELOCITIES[axis])
    heading[rows, at] = _numbers(table["heading"], "heading")
    valid[rows, at] = True
    first = np.unique(rows, return_index=True)[1]
    types = [str(name) for name in table["object_type"].take(pa.array(first)).to_pylist()]
    kinds = np.array([_KINDS.get(name, AgentKind.OTHER) for name in types], np.int8)
    size = default_sizes(kinds)
    for row in range(count):
        size[row] = _SIZES_M.get(types[row], tuple(size[row]))
    ids = tuple(text_of(name, what="track_id") for name in names.dictionary.to_pylist())
    return Agents(position, heading, velocity, size, kinds, valid, ids)


def _numbers(column: pa.ChunkedArray | pa.Array, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)) or column.null_count:
        raise BrokenRecording("wrong type", f"{name}: {column.type} with {column.null_count} empty, not numbers")
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    ).astype(np.float64)


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        return mapping_of(json.loads(read_whole(path)), what="the map")
    except (ValueError, RecursionError) as error:
        raise BrokenRecording("not JSON", f"{path.name}: {error}"[:200]) from error


AV2 = ScenarioFormat(sources=_sources, read=_read, companions=_maps)
