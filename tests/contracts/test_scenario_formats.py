"""What holds for every format of recorded traffic in the table, found by itself."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from al_platform.datasets.scenarios.base import RefusedScene, SourceScene
from al_platform.datasets.scenarios.formats import FORMATS, WITHOUT_A_MAP, format_named
from al_platform.errors import InvalidInput
from sim.kinds import AgentKind, LightState, RoadKind, StopKind
from sim.preparing import prepare
from sim.recording import Recording
from sim.scenario import Sizes
from tests import traffic

SMALL = Sizes(agents=8, steps=16, route_points=64, lanes=2, stops=4, roads=128, tiles=16, grid=16, listed=16)

EXAMPLES: Mapping[str, Callable[[Path], Path]] = {
    "womd-json": lambda folder: traffic.write_json(folder / "a.json", traffic.womd_json()),
    "womd-proto": lambda folder: traffic.write_bytes(folder / "a.tfrecord", traffic.tfrecord([traffic.womd_proto()])),
    "scenarionet": lambda folder: traffic.write_pickle(folder / "a.pkl", traffic.scenarionet()),
    "av2": traffic.write_av2,
}
REAL: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "womd-json": (100, ("another format",)),
    "womd-proto": (2, ("not supported",)),
    "scenarionet": (4, ()),
    "av2": (1, ()),
}
"""Scenes that the recordings hold, and the reasons for what cannot be had; one JSON is a map of Argoverse."""


@pytest.fixture(params=sorted(FORMATS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str, tmp_path: Path) -> Path:
    assert name in EXAMPLES, f"format {name} needs an example in EXAMPLES"
    return EXAMPLES[name](tmp_path / "source")


def _read(name: str, path: Path) -> list[SourceScene | RefusedScene]:
    return [item for source in FORMATS[name].sources(path) for item in FORMATS[name].read(source)]


def _scene(name: str, path: Path) -> SourceScene:
    (scene,) = _read(name, path)
    assert isinstance(scene, SourceScene), scene
    return scene


def test_the_ego_drives_as_it_was_recorded(name: str, source: Path) -> None:
    scene = _scene(name, source)
    agents, ego = scene.recording.agents, scene.recording.ego
    assert scene.recording.step_s == pytest.approx(traffic.STEP_S, rel=1e-4)
    np.testing.assert_allclose(agents.position[ego, :, 0], np.arange(traffic.STEPS), atol=1e-5)
    np.testing.assert_allclose(agents.position[ego, :, 1], -1.75, atol=1e-5)
    np.testing.assert_allclose(agents.velocity[ego], np.tile([10.0, 0.0], (traffic.STEPS, 1)), atol=1e-5)
    np.testing.assert_allclose(agents.heading[ego], 0.0, atol=1e-6)


def test_others_have_their_kinds_and_are_valid_only_while_they_were_seen(name: str, source: Path) -> None:
    agents = _scene(name, source).recording.agents
    kinds = dict(zip(agents.ids, agents.kind.tolist(), strict=True))
    assert kinds["3"] == AgentKind.VEHICLE
    assert kinds["11"] == AgentKind.PEDESTRIAN
    assert kinds["12"] == AgentKind.CYCLIST
    row = agents.ids.index("12")
    assert np.flatnonzero(agents.valid[row]).tolist() == [6, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(np.cos(agents.heading[row, 6:12]), -1.0, atol=1e-6)


def test_lanes_lead_into_each_other_where_the_format_says_so(name: str, source: Path) -> None:
    lanes = {lane.lane_id: lane for lane in _scene(name, source).recording.map.lanes}
    assert set(lanes) == set(traffic.LANES)
    for lane_id, line in traffic.LANES.items():
        np.testing.assert_allclose(lanes[lane_id].centre[:, :2], np.array(line), atol=1e-5)
    if name != "womd-json":
        assert lanes["101"].exits == ("102",)
        for lane_id, line in traffic.LANES.items():
            left = lanes[lane_id].left
            assert left is not None
            np.testing.assert_allclose(left[[0, -1]], [[line[0][0], 0.0], [line[-1][0], 0.0]], atol=1e-5)


def test_road_edges_have_the_road_on_their_left(name: str, source: Path) -> None:
    road_map = _scene(name, source).recording.map
    centre = np.concatenate([lane.centre[5:-5, :2] for lane in road_map.lanes])
    edges = [road.points[:, :2] for road in road_map.roads if road.kind == RoadKind.ROAD_EDGE]
    start, end = (np.concatenate([edge[cut] for edge in edges]) for cut in (slice(None, -1), slice(1, None)))
    along = end - start
    share = np.clip(((centre[:, None] - start) * along).sum(-1) / (along**2).sum(-1), 0.0, 1.0)
    nearest = np.linalg.norm(start + share[..., None] * along - centre[:, None], axis=-1).argmin(axis=1)
    away = centre - start[nearest]
    assert (along[nearest, 0] * away[:, 1] - along[nearest, 1] * away[:, 0] > 0.0).all()


def test_signs_and_lights_are_where_the_source_has_them(name: str, source: Path) -> None:
    stops = {stop.kind: stop for stop in _scene(name, source).recording.map.stops}
    if name != "av2":
        np.testing.assert_allclose(stops[StopKind.STOP_SIGN].position[:2], traffic.SIGN, atol=1e-5)
    if name in ("womd-proto", "scenarionet"):
        light = stops[StopKind.LIGHT]
        assert light.lane_ids == ("101",)
        assert light.states is not None
        assert light.states.tolist() == [LightState.STOP] * 10 + [LightState.GO] * 11


def test_what_is_read_can_be_driven(name: str, source: Path) -> None:
    prepared = prepare(_scene(name, source).recording, SMALL)
    assert int(prepared.scenario.log.steps) == 11
    assert not prepared.report.route_missing


def test_sizes_that_the_source_does_not_tell_are_counted(name: str, source: Path) -> None:
    scene = _scene(name, source)
    assumed = {"assumed size": len(scene.recording.agents.ids)} if name == "av2" else {}
    assert {what: count for what, count in scene.repairs.items() if what == "assumed size"} == assumed


def test_reading_twice_gives_the_same(name: str, source: Path) -> None:
    first, second = (_scene(name, source) for _ in range(2))
    assert first.repairs == second.repairs
    assert first.recording.agents.ids == second.recording.agents.ids
    np.testing.assert_array_equal(first.recording.agents.position, second.recording.agents.position)


def test_a_file_cut_short_anywhere_is_refused_by_name(name: str, source: Path) -> None:
    file = FORMATS[name].sources(source)[0]
    whole = file.read_bytes()
    for kept in sorted({*range(64), *np.linspace(64, len(whole) - 2, 80).astype(int).tolist()}):
        file.write_bytes(whole[:kept])
        (item,) = _read(name, source)
        assert isinstance(item, RefusedScene), kept
        assert str(file) in item.origin
        assert item.reason


def test_a_file_with_changed_bytes_is_read_or_refused_but_never_crashes(name: str, source: Path) -> None:
    file = FORMATS[name].sources(source)[0]
    whole = file.read_bytes()
    draws = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(whole)
        for place in draws.integers(0, len(whole), 4):
            changed[place] = draws.integers(0, 256)
        file.write_bytes(changed)
        assert _read(name, source)


def test_a_broken_file_leaves_the_others_alone(name: str, source: Path) -> None:
    file = FORMATS[name].sources(source)[0]
    copy = shutil.copytree(file.parent, file.parent.parent / "other") / file.name
    copy.write_bytes(b"\x00\xffno such thing")
    items = _read(name, file.parent.parent)
    assert sorted(type(item).__name__ for item in items) == ["RefusedScene", "SourceScene"]


def _check(recording: Recording) -> None:
    agents = recording.agents
    count, steps = agents.valid.shape
    assert len(set(agents.ids)) == count
    assert agents.valid.any(axis=1).all()
    assert (agents.size > 0.0).all()
    for values in (agents.position[agents.valid], agents.heading[agents.valid], agents.velocity[agents.valid]):
        assert np.isfinite(values).all()
    assert np.linalg.norm(agents.velocity[agents.valid], axis=-1).max() <= 60.0
    lanes = {lane.lane_id for lane in recording.map.lanes}
    for lane in recording.map.lanes:
        assert len(lane.centre) >= 2
        assert {*lane.entries, *lane.exits, *lane.left_neighbours, *lane.right_neighbours} <= lanes
    for stop in recording.map.stops:
        assert set(stop.lane_ids) <= lanes
        assert stop.states is None or len(stop.states) == steps


@pytest.mark.real_data
def test_every_recording_with_a_map_is_read(name: str, real_data: Path) -> None:
    items = _read(name, real_data / "scenarios_real")
    scenes = [item for item in items if isinstance(item, SourceScene)]
    refused = tuple(item.reason for item in items if isinstance(item, RefusedScene))
    assert (len(scenes), refused) == REAL[name]
    for scene in scenes:
        _check(scene.recording)


def test_formats_that_cannot_be_had_are_refused_with_the_reason() -> None:
    with pytest.raises(InvalidInput, match="format kitti: known are womd-json, womd-proto, scenarionet, av2"):
        format_named("kitti")
    for name in WITHOUT_A_MAP:
        with pytest.raises(InvalidInput, match=f"format {name}: .* without a map"):
            format_named(name)
