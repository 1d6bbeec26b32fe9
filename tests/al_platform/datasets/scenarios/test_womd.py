"""What is particular to Waymo's files: degrees, TFRecord frames, messages without a schema, lights."""

import bz2
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from al_platform.datasets.scenarios import files
from al_platform.datasets.scenarios.base import RefusedScene, SourceScene
from al_platform.datasets.scenarios.formats import FORMATS
from al_platform.datasets.scenarios.protobuf import Message
from al_platform.datasets.scenarios.scenes import step_of
from al_platform.datasets.scenarios.tfrecord import masked_crc, records_of
from al_platform.errors import BrokenRecording
from sim.kinds import RoadKind
from tests import traffic
from tests.traffic import double, message, tfrecord, varint, whole, womd_json, womd_proto, write_bytes, write_json


def read(name: str, path: Path) -> list[SourceScene | RefusedScene]:
    return list(FORMATS[name].read(path))


def scene_in(name: str, path: Path) -> SourceScene:
    (scene,) = read(name, path)
    assert isinstance(scene, SourceScene), scene
    return scene


def refusal_of(name: str, path: Path) -> RefusedScene:
    (refused,) = read(name, path)
    assert isinstance(refused, RefusedScene)
    return refused


def test_older_files_hold_degrees_and_name_no_ego(tmp_path: Path) -> None:
    new = scene_in("womd-json", write_json(tmp_path / "new.json", womd_json()))
    old = scene_in("womd-json", write_json(tmp_path / "old.json", womd_json(degrees=True, ego=False)))
    assert old.repairs == {"ego chosen by rule": 1}
    assert old.recording.agents.ids[old.recording.ego] == traffic.EGO
    valid = new.recording.agents.valid
    np.testing.assert_allclose(old.recording.agents.heading[valid], new.recording.agents.heading[valid], atol=1e-9)


@pytest.mark.parametrize("degrees", [False, True])
def test_the_unit_of_headings_is_told_by_how_vehicles_move(tmp_path: Path, degrees: bool) -> None:
    scene = womd_json(degrees=degrees)
    turn = 360.0 if degrees else 2.0 * math.pi
    for entry in scene["objects"]:
        entry["heading"] = [angle + turn for angle in entry["heading"]]
    found = scene_in("womd-json", write_json(tmp_path / "a.json", scene)).recording
    np.testing.assert_allclose(np.cos(found.agents.heading[found.ego]), 1.0, atol=1e-9)


def test_where_nothing_moves_headings_beyond_two_turns_are_degrees(tmp_path: Path) -> None:
    scene = womd_json(degrees=True)
    for entry in scene["objects"]:
        entry["velocity"] = [{"x": 0.0, "y": 0.0}] * traffic.STEPS
    found = scene_in("womd-json", write_json(tmp_path / "a.json", scene)).recording.agents
    np.testing.assert_allclose(found.heading[found.ids.index("11")], math.pi / 2)


def test_a_compressed_file_is_read_and_a_bomb_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = write_json(tmp_path / "a.json", womd_json())
    packed = write_bytes(tmp_path / "a.json.bz2", bz2.compress(plain.read_bytes()))
    assert scene_in("womd-json", packed).recording.agents.ids == scene_in("womd-json", plain).recording.agents.ids
    monkeypatch.setattr(files, "LARGEST_FILE", 2**20)
    bomb = write_bytes(tmp_path / "b.json.bz2", bz2.compress(b" " * (2**20 + 1)))
    assert bomb.stat().st_size < 10_000
    assert refusal_of("womd-json", bomb).reason == "too large"
    packed.write_bytes(packed.read_bytes()[:-20])
    assert refusal_of("womd-json", packed).reason == "cut short"


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("objects",), [], "no agents"),
        (("objects",), {"0": 1}, "wrong type"),
        (("objects", 0), 5, "wrong type"),
        (("objects", 0, "position"), "here", "wrong type"),
        (("objects", 0, "position"), [{"x": 1.0}] * traffic.STEPS, "wrong type"),
        (("objects", 0, "position"), [], "no steps"),
        (("objects", 2, "position"), [], "wrong type"),
        (("objects", 1, "heading"), [None] * traffic.STEPS, "wrong type"),
        (("objects", 1, "valid"), [True], "wrong type"),
        (("objects", 1, "length"), {"m": 4}, "wrong type"),
        (("objects", 1, "id"), [1], "wrong type"),
        (("objects", 1, "valid"), [False] * traffic.STEPS, "no ego"),
        (("metadata", "sdc_track_index"), 99, "no ego"),
        (("metadata", "sdc_track_index"), "1", "wrong type"),
        (("roads",), [], "no map"),
        (("roads", 0, "geometry"), 7, "wrong type"),
        (("roads", 0, "map_element_id"), "two", "wrong type"),
        (("scenario_id",), "x" * 1000, "wrong type"),
    ],
)
def test_values_that_cannot_be_are_refused_by_their_kind(
    tmp_path: Path, place: tuple[Any, ...], value: Any, reason: str
) -> None:
    scene = womd_json()
    inside: Any = scene
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    refused = refusal_of("womd-json", write_json(tmp_path / "a.json", scene))
    assert refused.reason == reason, refused


def test_not_a_number_in_a_json_strikes_out_that_pose_alone(tmp_path: Path) -> None:
    scene = womd_json()
    scene["objects"][0]["position"][3]["x"] = math.nan
    found = scene_in("womd-json", write_json(tmp_path / "a.json", scene))
    assert found.repairs == {"poses not finite or out of range": 1}


def test_a_file_of_many_scenes_gives_each_or_its_reason(tmp_path: Path) -> None:
    example = message(1, message(1, b"\x0a\x01k"))
    path = write_bytes(tmp_path / "a.tfrecord", tfrecord([womd_proto(), example, b"\x07", womd_proto()]))
    items = read("womd-proto", path)
    assert [type(item).__name__ for item in items] == ["SourceScene", "RefusedScene", "RefusedScene", "SourceScene"]
    assert [item.origin for item in items] == [f"{path}#{number}" for number in range(4)]
    assert [item.reason for item in items[1:3] if isinstance(item, RefusedScene)] == ["not supported", "not a message"]


def test_scenes_before_a_damaged_record_are_kept(tmp_path: Path) -> None:
    content = tfrecord([womd_proto(), womd_proto()])
    damaged = bytearray(content)
    damaged[-100] ^= 1
    for broken, reason in ((damaged, "wrong checksum"), (content[:-1], "cut short")):
        items = read("womd-proto", write_bytes(tmp_path / "a.tfrecord", bytes(broken)))
        assert isinstance(items[0], SourceScene)
        assert isinstance(items[1], RefusedScene)
        assert items[1].reason == reason


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1])
def test_a_record_that_claims_to_be_huge_is_refused_unread(tmp_path: Path, length: int) -> None:
    head = struct.pack("<Q", length)
    path = write_bytes(tmp_path / "a.tfrecord", head + struct.pack("<I", masked_crc(head)) + b"x" * 100)
    with pytest.raises(BrokenRecording, match="cut short"):
        list(records_of(path))


def test_the_checksum_is_that_of_the_format() -> None:
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_values_of_a_message_are_what_was_written() -> None:
    packed = message(9, varint(1) + varint(-2) + varint(2**62))
    content = whole(1, -5) + double(2, 1.5) + traffic.single(3, 0.25) + message(5, b"name") + packed + whole(9, 3)
    found = Message(memoryview(content))
    assert (found.whole(1), found.double(2), found.single(3), found.text(5)) == (-5, 1.5, 0.25, "name")
    assert found.wholes(9) == [1, -2, 2**62, 3]
    assert (found.whole(77, 4), found.double(77, 2.0), found.message(77), found.text(77)) == (4, 2.0, None, "")


@pytest.mark.parametrize(
    "content",
    [
        varint(1 << 3 | 2) + varint(2**62) + b"x",
        varint(1 << 3 | 2) + b"\xff" * 11,
        varint(1 << 3 | 3),
        varint(0),
        varint(1 << 3 | 1) + b"short",
        b"\x80",
    ],
)
def test_messages_that_lie_about_their_length_are_refused(content: bytes) -> None:
    with pytest.raises(BrokenRecording):
        Message(memoryview(content))


def test_a_field_of_another_type_is_refused() -> None:
    for content in (whole(2, 1), message(2, b"123")):
        with pytest.raises(BrokenRecording, match="wrong type"):
            Message(memoryview(content)).double(2)
    with pytest.raises(BrokenRecording, match="wrong type"):
        Message(memoryview(double(2, 1.0))).whole(2)


@pytest.mark.parametrize("older", [False, True])
def test_both_layouts_of_scenarionet_are_one_scene(tmp_path: Path, older: bool) -> None:
    path = traffic.write_pickle(tmp_path / "a.pkl", traffic.scenarionet(older=older))
    found = scene_in("scenarionet", path).recording
    expected = scene_in("womd-proto", write_bytes(tmp_path / "a.tfrecord", tfrecord([womd_proto()]))).recording
    np.testing.assert_allclose(found.agents.position[found.agents.valid], expected.agents.position[found.agents.valid])
    np.testing.assert_allclose(found.agents.size, expected.agents.size)
    lights = [[stop.states for stop in each.map.stops if stop.states is not None] for each in (found, expected)]
    np.testing.assert_array_equal(lights[0], lights[1])
    kinds = [sorted(road.kind for road in each.map.roads) for each in (found, expected)]
    assert kinds[0] == kinds[1]
    assert RoadKind.SOLID_LINE in kinds[0]
    limits = [[lane.speed_limit_mps for lane in each.map.lanes] for each in (found, expected)]
    assert limits[0] == limits[1]


@pytest.mark.parametrize(
    ("times_s", "step_s"),
    [([0.0, 0.0999, 0.2001, 0.3], 0.1), ([5.0], 0.1), ([0.0, 0.12, 0.24], 0.12), ([0.0, 2.0, 4.0], 2.0)],
)
def test_the_time_of_a_step_is_that_of_the_clock_without_its_jitter(times_s: list[float], step_s: float) -> None:
    assert step_of(np.array(times_s)) == pytest.approx(step_s, abs=1e-12)


@pytest.mark.parametrize("times_s", [[0.0, 0.0, 0.0], [0.3, 0.2, 0.1], [0.0, 0.1, 0.2, 0.9], [0.0, math.nan, 0.2]])
def test_times_that_do_not_rise_evenly_are_refused(times_s: list[float]) -> None:
    with pytest.raises(BrokenRecording, match="times"):
        step_of(np.array(times_s))
