"""The virtual fleet's cameras: sessions are scenes, tags tell their conditions, masks are exact."""

import numpy as np
import pytest

from al_platform.datasets.base import AdapterRequest, SourceFrame
from al_platform.datasets.camera.adapter import CLASSES, MASK_VALUES, CameraFleet, camera_adapter
from al_platform.datasets.images import decode_mask, decode_picture
from al_platform.errors import InvalidInput
from sim.camera import CLASSES as DRAWN

SMALL = {"scenes": "3", "frames": "9", "size": "96x48", "light": "day:1", "rain": "0", "test_share": "0.34"}


@pytest.fixture(scope="module")
def frames() -> list[SourceFrame]:
    found = list(camera_adapter(AdapterRequest(None, SMALL)).read())
    return [frame for frame in found if isinstance(frame, SourceFrame)]


def test_each_scene_is_a_session_with_frames_over_its_thirty_seconds(frames: list[SourceFrame]) -> None:
    assert len(frames) == 27
    assert len({frame.session_id for frame in frames}) == 3
    assert [frame.timestamp_s for frame in frames[:9]] == [0.0, 3.8, 7.6, 11.2, 15.0, 18.8, 22.4, 26.2, 30.0]
    for frame in frames:
        assert set(frame.tags) == {"split", "time_of_day", "weather", "road_type", "situation"}
        assert decode_picture(frame.image).shape == (48, 96, 3)
    assert len({frame.session_id for frame in frames if frame.tags["split"] == "test"}) == 1


def test_masks_name_what_the_camera_drew(frames: list[SourceFrame]) -> None:
    assert {value: name for value, name in MASK_VALUES.items() if value} == dict(enumerate(DRAWN, 1))
    shown = set[int]()
    for frame in frames:
        assert frame.label is not None
        assert frame.label.mask is not None
        assert frame.label.classes == CLASSES
        shown |= set(np.unique(decode_mask(frame.label.mask)).tolist())
    assert {0, 2} <= shown


def test_a_scene_does_not_depend_on_how_many_are_asked_for(frames: list[SourceFrame]) -> None:
    one = list(camera_adapter(AdapterRequest(None, {**SMALL, "scenes": "1", "test_share": "0"})).read())
    assert [frame.image for frame in one if isinstance(frame, SourceFrame)] == [frame.image for frame in frames[:9]]


def test_light_and_rain_are_drawn_by_their_weights() -> None:
    fleet = CameraFleet(400, 1, (96, 48), seed=3, light={"day": 3.0, "night": 1.0}, rain=0.5, test_share=0.0)
    drawn = [fleet.conditions(number) for number in range(400)]
    assert abs(np.mean([light == "day" for light, _ in drawn]) - 0.75) < 0.08
    assert abs(np.mean([rains for _, rains in drawn]) - 0.5) < 0.08
    assert drawn == [fleet.conditions(number) for number in range(400)]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("size", "100x48", "size 100x48: both sides must be multiples of 16"),
        ("size", "big", "size 'big': must be WIDTHxHEIGHT"),
        ("light", "noon:1", "light 'noon:1': must be NAME:WEIGHT"),
        ("light", "day:0", "all weights are 0"),
        ("frames", "152", "a scene has 151 steps"),
        ("rain", "1.5", "rain 1.5: must be at least 0"),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        camera_adapter(AdapterRequest(None, {option: value}))


def test_a_path_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reads no files"):
        camera_adapter(AdapterRequest("folder"))
