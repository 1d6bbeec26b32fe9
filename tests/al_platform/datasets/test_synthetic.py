"""The virtual fleet: same seed same bytes, sessions like video, rare classes, exact masks."""

import io
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from al_platform.datasets.base import AdapterRequest, SourceFrame
from al_platform.datasets.images import decode_mask
from al_platform.datasets.synthetic.adapter import synthetic_adapter
from al_platform.datasets.synthetic.camera import CANVAS_HEIGHT, CANVAS_WIDTH, OVERSAMPLING, View
from al_platform.datasets.synthetic.canvas import BACKGROUND, BICYCLE, CAR, PERSON, Canvas, new_canvas
from al_platform.datasets.synthetic.light import CONDITIONS
from al_platform.datasets.synthetic.render import DRAW, render_frame
from al_platform.datasets.synthetic.sessions import choose_test_drives, plan_drive
from al_platform.datasets.synthetic.streets import STREETS
from al_platform.datasets.synthetic.things import LOOKS, Thing
from al_platform.errors import InvalidInput

SAFE_GREEN = (0, 255, 0)
LABELS = {"car": CAR, "parked_car": CAR, "person": PERSON, "bicycle": BICYCLE, "parked_bicycle": BICYCLE}


def _frames(**options: str) -> list[SourceFrame]:
    items = synthetic_adapter(AdapterRequest(None, options)).read()
    return [item for item in items if isinstance(item, SourceFrame)]


def _mask(frame: SourceFrame) -> NDArray[np.uint8]:
    assert frame.label is not None
    assert frame.label.mask is not None
    return decode_mask(frame.label.mask)


def _picture(frame: SourceFrame) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(frame.image)), np.float64)


@pytest.fixture(scope="module")
def fleet() -> list[SourceFrame]:
    return _frames(frames="240", sessions="60")


def test_a_seed_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    options = {"frames": "8", "sessions": "4"}
    assert _frames(**options) == _frames(**options)
    assert _frames(**options, seed="1")[0].image != _frames(**options, seed="2")[0].image


def test_a_frame_does_not_depend_on_how_many_are_made_or_read() -> None:
    short = _frames(frames="4", sessions="2", test_share="0")
    long = _frames(frames="40", sessions="4", test_share="0")
    assert [frame.image for frame in short[:2]] == [frame.image for frame in long[:2]]
    late = render_frame(plan_drive(0, 3), 17)
    for number in range(3):
        render_frame(plan_drive(0, 3), number)
    np.testing.assert_array_equal(late.picture, render_frame(plan_drive(0, 3), 17).picture)


def test_frames_are_320_by_224_and_dealt_evenly() -> None:
    frames = _frames(frames="7", sessions="3")
    assert all(_picture(frame).shape == (224, 320, 3) for frame in frames)
    assert list(Counter(frame.session_id for frame in frames).values()) == [3, 2, 2]
    assert [frame.timestamp_s for frame in frames[:3]] == [0.0, 0.2, 0.4]


def test_neighbours_in_a_session_look_more_alike_than_frames_of_two_sessions(
    fleet: list[SourceFrame],
) -> None:
    pictures = [_picture(frame)[::4, ::4].mean(axis=2) for frame in fleet]
    within = [
        np.abs(pictures[i] - pictures[i + 1]).mean()
        for i in range(len(fleet) - 1)
        if fleet[i].session_id == fleet[i + 1].session_id
    ]
    across = [np.abs(pictures[i] - pictures[i + 4]).mean() for i in range(0, len(fleet) - 4, 4)]
    assert np.median(within) < 0.35 * np.median(across)
    assert min(within) > 0.5, "a frame must not repeat the one before"


def test_persons_and_bicycles_are_rare_and_cars_are_not(fleet: list[SourceFrame]) -> None:
    masks = [_mask(frame) for frame in fleet]
    shares = {value: np.mean([np.any(mask == value) for mask in masks]) for value in (CAR, PERSON, BICYCLE)}
    assert shares[CAR] > 0.6
    assert 0.1 < shares[PERSON] < 0.4
    assert 0.03 < shares[BICYCLE] < 0.25


def test_most_persons_are_in_few_sessions_and_motorways_have_none(fleet: list[SourceFrame]) -> None:
    pixels: Counter[str] = Counter()
    for frame in fleet:
        found = int(np.isin(_mask(frame), (PERSON, BICYCLE)).sum())
        pixels[frame.session_id] += found
        if frame.tags["road_type"] == "motorway":
            assert found == 0
    busiest = sum(count for _, count in pixels.most_common(12))
    assert busiest > 0.7 * pixels.total()


def test_conditions_differ_in_light(fleet: list[SourceFrame]) -> None:
    brightness = {
        time: np.mean([_picture(frame).mean() for frame in fleet if frame.tags["time_of_day"] == time])
        for time in ("day", "dusk", "night")
    }
    assert brightness["day"] > 1.3 * brightness["dusk"] > 1.3 * brightness["night"]
    assert {frame.tags["weather"] for frame in fleet} == {"clear", "overcast", "rain"}


def test_a_quarter_of_the_sessions_is_kept_for_tests_whole(fleet: list[SourceFrame]) -> None:
    splits = {(frame.session_id, frame.tags["split"]) for frame in fleet}
    assert len(splits) == 60
    assert Counter(split for _, split in splits) == {"pool": 45, "test": 15}


@pytest.mark.parametrize(("sessions", "share", "wanted"), [(60, 0.25, 15), (4, 0.25, 1), (10, 0.0, 0), (7, 0.5, 4)])
def test_the_share_of_test_sessions_is_kept_exactly(sessions: int, share: float, wanted: int) -> None:
    chosen = choose_test_drives(3, sessions, share=share)
    assert len(chosen) == wanted
    assert all(0 <= number < sessions for number in chosen)
    assert chosen == choose_test_drives(3, sessions, share=share)


def test_every_block_of_twenty_sessions_has_every_street_and_condition() -> None:
    drives = [plan_drive(5, number) for number in range(20)]
    assert {drive.street.name for drive in drives} == set(STREETS)
    assert {drive.condition.weather for drive in drives} == {"clear", "overcast", "rain"}
    assert {drive.condition.time_of_day for drive in drives} == {"day", "dusk", "night"}


def _on_plain_green(kind: str, *, ahead: float, heading: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paint one thing on green, on the canvas before it is averaged down; give picture and mask."""
    scene = Image.new("RGB", (CANVAS_WIDTH, CANVAS_HEIGHT), SAFE_GREEN)
    canvas = new_canvas(scene, view=View(0.0, 0.0, 0.0, CANVAS_HEIGHT * 0.42), condition=CONDITIONS["day"])
    DRAW[kind](canvas, Thing(kind, ahead, -1.0, heading, (0.3,) * LOOKS, phase=0.8))
    return np.asarray(scene), np.asarray(canvas.marked)


@pytest.mark.parametrize("heading", [0.0, 0.4, 1.5708, 3.14159])
@pytest.mark.parametrize("kind", ["person", "bicycle", "parked_bicycle"])
def test_the_mask_is_exactly_what_was_painted(kind: str, heading: float) -> None:
    picture, mask = _on_plain_green(kind, ahead=9.0, heading=heading)
    painted = (picture != SAFE_GREEN).any(axis=2)
    assert painted.sum() > 500
    np.testing.assert_array_equal(mask == LABELS[kind], painted)


@pytest.mark.parametrize("heading", [0.0, 0.4, 1.5708, 3.14159])
def test_the_mask_of_a_car_is_what_was_painted_without_its_shadow(heading: float) -> None:
    picture, mask = _on_plain_green("car", ahead=9.0, heading=heading)
    painted = (picture != SAFE_GREEN).any(axis=2)
    assert not (mask[~painted]).any()
    shadow = CONDITIONS["day"].shade((34, 34, 36), 9.0, -1.0)
    np.testing.assert_array_equal(mask == CAR, painted & (picture != shadow).any(axis=2))


@pytest.mark.parametrize("kind", sorted(set(DRAW) - set(LABELS)))
def test_what_only_looks_like_a_person_hides_one_and_is_not_marked(kind: str) -> None:
    scene = Image.new("RGB", (CANVAS_WIDTH, CANVAS_HEIGHT), SAFE_GREEN)
    canvas = new_canvas(scene, view=View(0.0, 0.0, 0.0, CANVAS_HEIGHT * 0.42), condition=CONDITIONS["day"])
    canvas.mask.rectangle((0, 0, CANVAS_WIDTH, CANVAS_HEIGHT), fill=PERSON)
    DRAW[kind](canvas, Thing(kind, 9.0, 0.0, 0.3, (0.3,) * LOOKS))
    covered = (np.asarray(scene) != SAFE_GREEN).any(axis=2)
    np.testing.assert_array_equal(np.asarray(canvas.marked) == BACKGROUND, covered)


def test_the_mask_of_a_frame_is_taken_from_within_each_block_of_the_canvas() -> None:
    canvas: Canvas = new_canvas(
        Image.new("RGB", (CANVAS_WIDTH, CANVAS_HEIGHT)),
        view=View(0.0, 0.0, 0.0, 180.0),
        condition=CONDITIONS["day"],
    )
    canvas.polygon([(20, 10), (39, 10), (39, 29), (20, 29)], (1, 2, 3), PERSON)
    expected = np.zeros((CANVAS_HEIGHT // OVERSAMPLING, CANVAS_WIDTH // OVERSAMPLING), np.uint8)
    expected[5:15, 10:20] = PERSON
    np.testing.assert_array_equal(canvas.marks(), expected)


def test_things_twice_as_far_are_half_as_tall() -> None:
    def tall(ahead: float) -> int:
        _, mask = _on_plain_green("person", ahead=ahead, heading=0.0)
        return int(np.ptp(np.flatnonzero(mask.any(axis=1))))

    assert tall(10.0) == pytest.approx(2 * tall(20.0), rel=0.06)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"frames": "0"}, "frames 0: must be at least 1"),
        ({"frames": "many"}, "frames 'many': must be a whole number"),
        ({"frames": "3", "sessions": "4"}, "sessions 4: at most one per frame, here 3"),
        ({"seed": "-1"}, "seed -1: must be at least 0"),
        ({"test_share": "1"}, "test_share 1: must be at least 0 and below 1"),
        ({"test_share": "nan"}, "test_share nan: must be"),
    ],
)
def test_settings_out_of_range_are_refused_with_the_cure(options: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        synthetic_adapter(AdapterRequest(None, options))


def test_a_path_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reads no files"):
        synthetic_adapter(AdapterRequest("somewhere"))
