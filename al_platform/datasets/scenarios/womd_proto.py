"""Waymo Open Motion as Waymo hands it out: Scenario messages in TFRecord files, many scenes a file.

Read by field numbers, without TensorFlow. Source: scenario.proto of the Waymo Open Dataset.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from al_platform.datasets.scenarios.agents import box_sizes
from al_platform.datasets.scenarios.base import RefusedScene, ScenarioFormat, SourceScene
from al_platform.datasets.scenarios.checks import refuse_huge
from al_platform.datasets.scenarios.files import files_below
from al_platform.datasets.scenarios.protobuf import Message
from al_platform.datasets.scenarios.scenes import FoundScene, scene_of, step_of
from al_platform.datasets.scenarios.tfrecord import records_of
from al_platform.datasets.scenarios.womd_kinds import AGENT_KINDS, LIGHT_STATES
from al_platform.datasets.scenarios.womd_proto_map import map_of, point_of
from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind, LightState, StopKind
from sim.recording import Agents, Float64s, StopPoint

_NAME = re.compile(r"\.tfrecord(-\d+-of-\d+)?$")


class _Scenario:
    TIMES_S = 1
    TRACKS = 2
    NAME = 5
    EGO = 6
    LIGHTS = 7
    MAP = 8


class _Track:
    ID = 1
    KIND = 2
    STATES = 3


class _State:
    PLACE = (2, 3, 4)
    SIZE = (5, 6, 7)
    HEADING = 8
    VELOCITY = (9, 10)
    VALID = 11


class _Light:
    OF_STEP = 1
    LANE = 1
    STATE = 2
    PLACE = 3


def _sources(path: Path) -> list[Path]:
    return files_below(path, lambda name: _NAME.search(name) is not None)


def _read(path: Path) -> Iterator[SourceScene | RefusedScene]:
    number = 0
    try:
        for record in records_of(path):
            origin = f"{path}#{number}"
            try:
                yield scene_of(_found(Message(memoryview(record))), origin=origin)
            except BrokenRecording as broken:
                yield RefusedScene(origin, broken.reason, broken.detail)
            number += 1
    except BrokenRecording as broken:
        yield RefusedScene(f"{path}#{number}", broken.reason, broken.detail)
        return
    if number == 0:
        yield RefusedScene(str(path), "no scenes", "the file is empty")


def _found(scene: Message) -> FoundScene:
    _refuse_examples(scene)
    times_s = np.array(scene.doubles(_Scenario.TIMES_S))
    tracks = list(scene.messages(_Scenario.TRACKS))
    refuse_huge(agents=len(tracks), steps=len(times_s))
    lanes, roads, signs = map_of(list(scene.messages(_Scenario.MAP)))
    return FoundScene(
        name=scene.text(_Scenario.NAME),
        dataset="womd",
        session="",
        step_s=step_of(times_s),
        agents=_agents(tracks, len(times_s)),
        ego=scene.whole(_Scenario.EGO) if _Scenario.EGO in scene else None,
        lanes=lanes,
        roads=roads,
        stops=signs + _lights(scene, len(times_s)),
    )


def _refuse_examples(scene: Message) -> None:
    """A tf.Example has one field, its features; a Scenario without tracks and map is none."""
    if scene.numbers() == [1]:
        raise BrokenRecording("not supported", "tf.Example, which holds a sample of the map; take the Scenario files")


def _agents(tracks: list[Message], steps: int) -> Agents:
    count = len(tracks)
    position, velocity = np.zeros((count, steps, 3)), np.zeros((count, steps, 2))
    size, heading = np.zeros((count, steps, 3)), np.zeros((count, steps))
    valid = np.zeros((count, steps), np.bool_)
    for row, track in enumerate(tracks):
        step = -1
        for step, state in enumerate(track.messages(_Track.STATES)):
            if step == steps:
                break
            valid[row, step] = state.whole(_State.VALID) != 0
            if valid[row, step]:
                position[row, step] = [state.double(number) for number in _State.PLACE]
                size[row, step] = [state.single(number) for number in _State.SIZE]
                velocity[row, step] = [state.single(number) for number in _State.VELOCITY]
                heading[row, step] = state.single(_State.HEADING)
        if step != steps - 1:
            raise BrokenRecording("wrong type", f"track {row}: not one state for each of {steps} steps")
    kinds = [AGENT_KINDS.get(track.whole(_Track.KIND), AgentKind.OTHER) for track in tracks]
    ids = tuple(str(track.whole(_Track.ID)) for track in tracks)
    return Agents(position, heading, velocity, box_sizes(size, valid), np.array(kinds, np.int8), valid, ids)


def _lights(scene: Message, steps: int) -> tuple[StopPoint, ...]:
    """One stop point for each lane that a light was ever seen for; UNKNOWN at the steps when it was not."""
    states: dict[int, np.ndarray[tuple[int], np.dtype[np.int8]]] = {}
    places: dict[int, Float64s] = {}
    for step, seen in enumerate(scene.messages(_Scenario.LIGHTS)):
        if step >= steps:
            raise BrokenRecording("wrong type", f"lights of more than {steps} steps")
        for light in seen.messages(_Light.OF_STEP):
            lane = light.whole(_Light.LANE)
            if lane not in states:
                states[lane] = np.full(steps, LightState.UNKNOWN, np.int8)
            states[lane][step] = LIGHT_STATES.get(light.whole(_Light.STATE), LightState.UNKNOWN)
            place = light.message(_Light.PLACE)
            if place is not None:
                places.setdefault(lane, point_of(place))
    nowhere = np.full(3, np.nan)
    return tuple(
        StopPoint(StopKind.LIGHT, (str(lane),), places.get(lane, nowhere), shown) for lane, shown in states.items()
    )


WOMD_PROTO = ScenarioFormat(sources=_sources, read=_read)
