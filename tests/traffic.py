"""One small scene of traffic, written as each format of recordings keeps it.

A road along x with a lane each way: the ego drives at 10 m/s along y = -1.75 for two seconds, a car is parked beside
it, a person walks, a cyclist is there for a few steps only. A stop sign, and where the format has them a light.
"""

import json
import math
import pickle
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from al_platform.datasets.scenarios.tfrecord import masked_crc

STEPS = 21
STEP_S = 0.1
EGO = "7"
SIZES = {"vehicle": (4.5, 2.0, 1.5), "pedestrian": (0.6, 0.6, 1.8), "cyclist": (1.8, 0.6, 1.7)}
KINDS = ("vehicle", "vehicle", "pedestrian", "cyclist")
IDS = ("3", EGO, "11", "12")
LANES: Mapping[str, Sequence[tuple[float, float]]] = {
    "101": [(x, -1.75) for x in range(-20, 61, 2)],
    "102": [(x, -1.75) for x in range(60, 141, 2)],
    "103": [(x, 1.75) for x in range(140, -21, -2)],
}
EXITS = {"101": ("102",), "102": (), "103": ()}
LEFT_EDGE = [(140.0, 3.5), (60.0, 3.5), (-20.0, 3.5)]
RIGHT_EDGE = [(-20.0, -7.0), (60.0, -7.0), (140.0, -7.0)]
MIDDLE = [(-20.0, 0.0), (140.0, 0.0)]
CROSSWALK = [(40.0, -7.0), (43.0, -7.0), (43.0, 3.5), (40.0, 3.5)]
SIGN = (38.0, -7.5)
LIGHT = (60.0, -1.75)
LIGHT_STATES = [4] * 10 + [6] * 11
"""As Waymo numbers them: red for a second, then green."""


def states() -> list[list[tuple[float, float, float, float, float]] | None]:
    """The states x, y, heading, vx, vy of each agent at each step; None where it is not seen."""
    times_s = [STEP_S * step for step in range(STEPS)]
    return [
        [(15.0, -5.5, 0.0, 0.0, 0.0) for _ in times_s],
        [(10.0 * t, -1.75, 0.0, 10.0, 0.0) for t in times_s],
        [(45.0, -6.0 + 1.5 * t, math.pi / 2, 0.0, 1.5) for t in times_s],
        [(30.0 - 4.0 * t, 2.5, math.pi, -4.0, 0.0) if 0.5 < t < 1.2 else None for t in times_s],  # type: ignore[misc]
    ]


def womd_json(*, degrees: bool = False, ego: bool = True) -> dict[str, Any]:
    """The scene as GPUDrive's JSON; the older form names no ego and holds degrees."""
    objects = []
    unit = 180.0 / math.pi if degrees else 1.0
    for kind, name, track in zip(KINDS, IDS, states(), strict=True):
        length, width, height = SIZES[kind]
        gone = (-10000.0, -10000.0, -10000.0 / unit, -10000.0, -10000.0)
        rows = [state if state is not None else gone for state in track or ()]
        objects.append(
            {
                "id": int(name),
                "type": kind,
                "length": length,
                "width": width,
                "height": height,
                "position": [{"x": row[0], "y": row[1], "z": 0.0} for row in rows],
                "heading": [row[2] * unit for row in rows],
                "velocity": [{"x": row[3], "y": row[4]} for row in rows],
                "valid": [state is not None for state in track or ()],
            }
        )
    roads = [_json_road("lane", line, int(name), element=2) for name, line in LANES.items()]
    roads += [_json_road("road_edge", line, 200 + row, element=15) for row, line in enumerate((LEFT_EDGE, RIGHT_EDGE))]
    roads += [
        _json_road("road_line", MIDDLE, 210, element=11),
        _json_road("crosswalk", CROSSWALK, 211, element=18),
        _json_road("stop_sign", [SIGN], 212, element=17),
    ]
    scene: dict[str, Any] = {"name": "scene.json", "objects": objects, "roads": roads, "tl_states": {}}
    if ego:
        scene |= {"scenario_id": "abc", "metadata": {"sdc_track_index": 1}}
    return scene


def _json_road(kind: str, line: Sequence[tuple[float, float]], name: int, *, element: int) -> dict[str, Any]:
    points = [{"x": x, "y": y, "z": 0.0} for x, y in line]
    return {"type": kind, "id": name, "map_element_id": element, "geometry": points}


def varint(value: int) -> bytes:
    """A whole number as Protocol Buffers write it."""
    value %= 2**64
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def whole(number: int, value: int) -> bytes:
    """A field that is a whole number."""
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    """A field of 64 bits."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """A field of 32 bits."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def message(number: int, content: bytes) -> bytes:
    """A field that is a message, a text, or packed."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def tfrecord(records: Sequence[bytes]) -> bytes:
    """Records as TFRecord keeps them."""
    out = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        out += length + struct.pack("<I", masked_crc(length)) + record + struct.pack("<I", masked_crc(record))
    return out


def _point(x: float, y: float) -> bytes:
    return double(1, x) + double(2, y) + double(3, 0.0)


def _polyline(number: int, line: Sequence[tuple[float, float]]) -> bytes:
    return b"".join(message(number, _point(x, y)) for x, y in line)


def womd_proto() -> bytes:
    """The scene as a Scenario message."""
    out = b"".join(double(1, STEP_S * step) for step in range(STEPS)) + message(5, b"abc") + whole(6, 1)
    numbers = {"vehicle": 1, "pedestrian": 2, "cyclist": 3}
    for kind, name, track in zip(KINDS, IDS, states(), strict=True):
        seen = b""
        for state in track or ():
            if state is None:
                seen += message(3, whole(11, 0))
                continue
            x, y, heading, vx, vy = state
            sides = b"".join(single(5 + row, side) for row, side in enumerate(SIZES[kind]))
            motion = single(8, heading) + single(9, vx) + single(10, vy)
            seen += message(3, double(2, x) + double(3, y) + double(4, 0.0) + sides + motion + whole(11, 1))
        out += message(2, whole(1, int(name)) + whole(2, numbers[kind]) + seen)
    for shown in LIGHT_STATES:
        out += message(7, message(1, whole(1, 101) + whole(2, shown) + message(3, _point(*LIGHT))))
    return out + b"".join(message(8, feature) for feature in _proto_features())


def _proto_features() -> list[bytes]:
    features = []
    for name, line in LANES.items():
        last = len(line) - 1
        lane = double(1, 25.0) + whole(2, 2) + _polyline(8, line)
        lane += message(10, b"".join(varint(int(other)) for other in EXITS[name]))
        lane += message(13, whole(1, 0) + whole(2, last) + whole(3, 210))
        features.append(whole(1, int(name)) + message(3, lane))
    features.append(whole(1, 210) + message(4, whole(1, 6) + _polyline(2, MIDDLE)))
    for row, line in enumerate((LEFT_EDGE, RIGHT_EDGE)):
        features.append(whole(1, 200 + row) + message(5, whole(1, 1) + _polyline(2, line)))
    features.append(whole(1, 211) + message(8, _polyline(1, CROSSWALK)))
    features.append(whole(1, 212) + message(7, whole(1, 101) + message(2, _point(*SIGN))))
    return features


def scenarionet(*, older: bool = False) -> dict[str, Any]:
    """The scene as ScenarioNet's dictionary; the older layout has sizes in columns and lights told at each step."""
    tracks = {}
    for kind, name, track in zip(KINDS, IDS, states(), strict=True):
        rows = np.array([state if state is not None else (0.0,) * 5 for state in track or ()], np.float32)
        sides = np.tile(np.array(SIZES[kind], np.float32), (STEPS, 1))
        size: dict[str, Any] = {"length": sides[:, 0], "width": sides[:, 1], "height": sides[:, 2]}
        state = {
            "position": np.column_stack([rows[:, :2], np.zeros(STEPS, np.float32)]),
            "heading": rows[:, 2],
            "velocity": rows[:, 3:],
            "valid": np.array([each is not None for each in track or ()]),
            **({"size": sides} if older else size),
        }
        tracks[name] = {"type": kind.upper(), "state": state, "metadata": {}}
    times_s = STEP_S * np.arange(STEPS, dtype=np.float32)
    return {
        "id": "abc",
        "version": "1",
        "length": STEPS,
        "tracks": tracks,
        "map_features": _net_features(older=older),
        "dynamic_map_states": {"101": _net_light(older=older)},
        "metadata": {"ts": times_s, "sdc_id": EGO, "dataset": "waymo", "scenario_id": "abc"},
    }


def _net_features(*, older: bool) -> dict[str, Any]:
    features: dict[str, Any] = {}
    for name, line in LANES.items():
        part = {"lane_start_index": "0", "lane_end_index": str(len(line) - 1), "boundary_feature_id": "210"}
        features[name] = {
            "type": "LANE_SURFACE_STREET",
            "polyline": _flat(line),
            "speed_limit_mph": 25.0,
            "entry_lanes": [],
            "exit_lanes": [int(other) for other in EXITS[name]],
            "left_boundaries": [part],
            "right_boundaries": [],
            "left_neighbor": [],
            "right_neighbor": [],
        }
    for row, line in enumerate((LEFT_EDGE, RIGHT_EDGE)):
        features[str(200 + row)] = {"type": "ROAD_EDGE_BOUNDARY", "polyline": _flat(line)}
    features["210"] = {"type": "ROAD_LINE_SOLID_SINGLE_YELLOW", "polyline": _flat(MIDDLE)}
    name, key = ("CROSS_WALK", "polyline") if older else ("CROSSWALK", "polygon")
    features["211"] = {"type": name, key: _flat(CROSSWALK)}
    features["212"] = {"type": "STOP_SIGN", "lane": [101], "position": np.array([*SIGN, 0.0], np.float32)}
    return features


def _net_light(*, older: bool) -> dict[str, Any]:
    if older:
        place = np.tile(np.array([*LIGHT, 0.0], np.float32), (STEPS, 1))
        lane, shown = np.full(STEPS, 101, np.int32), np.array(LIGHT_STATES, np.int32)
        return {"type": "TRAFFIC_LIGHT", "state": {"stop_point": place, "object_state": shown, "lane": lane}}
    names = {4: "LANE_STATE_STOP", 6: "LANE_STATE_GO"}
    shown_names = [names[number] for number in LIGHT_STATES]
    place = np.array([*LIGHT, 0.0], np.float32)
    return {"type": "TRAFFIC_LIGHT", "state": {"object_state": shown_names}, "lane": 101, "stop_point": place}


def _flat(line: Sequence[tuple[float, float]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([(x, y, 0.0) for x, y in line], np.float32)


def write_av2(folder: Path) -> Path:
    """The scene as Argoverse 2 keeps it, a folder; gives the file of the tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, name, track in zip(KINDS, IDS, states(), strict=True):
        for step, state in enumerate(track or ()):
            if state is not None:
                x, y, heading, vx, vy = state
                rows.append(("AV" if name == EGO else name, kind, step, x, y, heading, vx, vy))
    names = ("track_id", "object_type", "timestep", "position_x", "position_y", "heading", "velocity_x", "velocity_y")
    columns: dict[str, Any] = {column: [row[place] for row in rows] for place, column in enumerate(names)}
    columns |= {
        "scenario_id": ["abc"] * len(rows),
        "slice_id": ["drive"] * len(rows),
        "start_timestamp": [1e18] * len(rows),
        "end_timestamp": [1e18 + STEP_S * (STEPS - 1) * 1e9] * len(rows),
        "num_timestamps": [STEPS] * len(rows),
    }
    path = folder / "scenario_abc.parquet"
    pq.write_table(pa.table(columns), path)
    (folder / "log_map_archive_abc.json").write_text(json.dumps(av2_map()))
    return path


def av2_map() -> dict[str, Any]:
    """The map of the scene; its road is cut into two areas, the second running the other way round."""
    segments = {
        name: {
            "id": int(name),
            "centerline": _dicts(line),
            "left_lane_boundary": _dicts([(x, 0.0) for x, _ in line]),
            "right_lane_boundary": _dicts([(x, 2.0 * y) for x, y in line]),
            "left_lane_mark_type": "SOLID_YELLOW",
            "right_lane_mark_type": "NONE",
            "lane_type": "VEHICLE",
            "predecessors": [],
            "successors": [int(other) for other in EXITS[name]],
            "left_neighbor_id": 101 if name == "103" else 103,
            "right_neighbor_id": None,
        }
        for name, line in LANES.items()
    }
    areas = [
        [(-20.0, -7.0), (60.0, -7.0), (60.0, 3.5), (-20.0, 3.5)],
        [(60.0, -7.0), (60.0, 3.5), (140.0, 3.5), (140.0, -7.0)],
    ]
    return {
        "lane_segments": segments,
        "drivable_areas": {str(row): {"area_boundary": _dicts(area)} for row, area in enumerate(areas)},
        "pedestrian_crossings": {"211": {"edge1": _dicts(CROSSWALK[:2]), "edge2": _dicts(CROSSWALK[:1:-1])}},
    }


def _dicts(line: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    return [{"x": x, "y": y, "z": 20.0} for x, y in line]


def write_json(path: Path, scene: Mapping[str, Any]) -> Path:
    """Write a scene as JSON; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(scene))
    return path


def write_pickle(path: Path, scene: Any, *, protocol: int = 4) -> Path:
    """Write a scene as a pickle; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(scene, protocol=protocol))
    return path


def write_bytes(path: Path, content: bytes) -> Path:
    """Write bytes; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
