"""From labels to presence maps, against slow loops from the definition and by hand."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from al_platform.datasets.images import encode_mask
from al_platform.datasets.presence import object_counts, presence_from_boxes, presence_from_mask, presence_of
from al_platform.domain.data import BlobRef
from al_platform.domain.labels import Annotation, Box
from al_platform.domain.models import GridSpec
from al_platform.errors import InvalidInput

GRID = GridSpec(image_height=8, image_width=12, cell=4, positive_share=0.25)
VALUES = {0: "background", 1: "person", 2: "rider", 3: "person"}
SETTINGS = settings(max_examples=40, deadline=None, derandomize=True)


def _slow_presence(
    mask_HW: NDArray[np.uint8], values: Mapping[int, str], ignore: Sequence[int], name: str
) -> NDArray[np.uint8]:
    """The definition, pixel by pixel, for masks that already have the size of the grid's image."""
    presence = np.zeros((GRID.rows, GRID.columns), np.uint8)
    for row in range(GRID.rows):
        for column in range(GRID.columns):
            known = hits = 0
            for y in range(row * GRID.cell, (row + 1) * GRID.cell):
                for x in range(column * GRID.cell, (column + 1) * GRID.cell):
                    value = int(mask_HW[y, x])
                    if value in values and value not in ignore:
                        known += 1
                        hits += values[value] == name
            if known < GRID.cell**2 / 2:
                presence[row, column] = 255
            else:
                presence[row, column] = hits / known >= GRID.positive_share
    return presence


@SETTINGS
@given(st.lists(st.sampled_from([0, 1, 2, 3, 9, 255]), min_size=96, max_size=96))
def test_masks_become_what_the_definition_says(pixels: list[int]) -> None:
    mask_HW = np.array(pixels, np.uint8).reshape(8, 12)
    presence = presence_from_mask(mask_HW, VALUES, (255,), classes=("person", "rider"), grid=GRID)
    for k, name in enumerate(("person", "rider")):
        np.testing.assert_array_equal(presence[k], _slow_presence(mask_HW, VALUES, (255,), name))


def test_a_share_at_the_threshold_is_present_and_one_pixel_less_is_not() -> None:
    mask_HW = np.zeros((8, 12), np.uint8)
    mask_HW[0, :4] = 1
    mask_HW[0, 4:7] = 1
    presence = presence_from_mask(mask_HW, VALUES, (), classes=("person",), grid=GRID)
    assert presence[0, 0].tolist() == [1, 0, 0]


def test_the_share_is_of_the_known_pixels_and_half_of_them_are_enough() -> None:
    mask_HW = np.zeros((8, 12), np.uint8)
    mask_HW[0:2, 0:4] = 255
    mask_HW[2, 0:2] = 1
    mask_HW[0:2, 4:8] = 255
    mask_HW[2, 4] = 255
    presence = presence_from_mask(mask_HW, VALUES, (255,), classes=("person",), grid=GRID)
    assert presence[0, 0].tolist() == [1, 255, 0]


def test_a_class_that_no_value_names_is_unknown_everywhere() -> None:
    presence = presence_from_mask(np.zeros((8, 12), np.uint8), VALUES, (), classes=("car",), grid=GRID)
    assert (presence == 255).all()


def test_masks_of_twice_the_size_become_the_same_map() -> None:
    mask_HW = np.random.default_rng(0).integers(0, 4, (8, 12)).astype(np.uint8)
    larger_HW = mask_HW.repeat(2, axis=0).repeat(2, axis=1)
    maps = [presence_from_mask(m, VALUES, (), classes=("person",), grid=GRID) for m in (mask_HW, larger_HW)]
    np.testing.assert_array_equal(maps[0], maps[1])


def _box(x_min: float, y_min: float, x_max: float, y_max: float, name: str = "person") -> Box:
    return Box(name, x_min, y_min, x_max, y_max)


whole_boxes = st.lists(
    st.tuples(st.integers(-3, 14), st.integers(-3, 10), st.integers(1, 9), st.integers(1, 9)), max_size=5
)


@SETTINGS
@given(whole_boxes)
def test_boxes_on_whole_pixels_become_what_their_mask_becomes(
    corners: list[tuple[int, int, int, int]],
) -> None:
    mask_HW = np.zeros((8, 12), np.uint8)
    boxes = []
    for x, y, across, down in corners:
        boxes.append(_box(x, y, x + across, y + down))
        mask_HW[max(y, 0) : max(y + down, 0), max(x, 0) : max(x + across, 0)] = 1
    of_boxes = presence_from_boxes(boxes, 12, 8, annotated=("person",), classes=("person",), grid=GRID)
    of_mask = presence_from_mask(mask_HW, VALUES, (), classes=("person",), grid=GRID)
    np.testing.assert_array_equal(of_boxes, of_mask)


def test_boxes_that_overlap_are_counted_once() -> None:
    half_of_the_threshold = _box(0, 0, 4, 0.5)
    presence = presence_from_boxes(
        [half_of_the_threshold] * 3, 12, 8, annotated=("person",), classes=("person",), grid=GRID
    )
    assert not presence.any()


@pytest.mark.parametrize("scale", [0.5, 1.0, 7.3])
def test_boxes_are_in_pixels_of_their_own_image(scale: float) -> None:
    box = _box(4_000 * scale, 0.0, 8_000 * scale, 1_000 * scale)
    width, height = round(12_000 * scale), round(8_000 * scale)
    presence = presence_from_boxes([box], width, height, annotated=("person",), classes=("person",), grid=GRID)
    assert presence[0].tolist() == [[0, 1, 0], [0, 0, 0]]


def test_a_class_that_was_not_annotated_is_unknown_and_one_that_was_is_absent() -> None:
    presence = presence_from_boxes([], 12, 8, annotated=("rider",), classes=("person", "rider"), grid=GRID)
    assert (presence[0] == 255).all()
    assert (presence[1] == 0).all()


def test_boxes_without_the_size_of_their_image_are_refused() -> None:
    with pytest.raises(InvalidInput, match="image of 0 x 8 pixels"):
        presence_from_boxes([], 0, 8, annotated=(), classes=("person",), grid=GRID)


def _mask_annotation(classes: tuple[str, ...]) -> Annotation:
    return Annotation(
        "frame",
        classes,
        "test",
        mask=BlobRef("hash", 1, "image/png"),
        mask_values={str(value): name for value, name in VALUES.items()},
        ignore_values=(255,),
        width=12,
        height=8,
    )


def test_an_annotation_with_a_mask_knows_only_the_classes_it_looked_for() -> None:
    mask_HW = np.full((8, 12), 2, np.uint8)
    presence = presence_of(_mask_annotation(("person",)), encode_mask(mask_HW), classes=("rider", "person"), grid=GRID)
    assert (presence[0] == 255).all()
    assert (presence[1] == 0).all()


def test_an_annotation_with_boxes_needs_no_bytes() -> None:
    annotation = Annotation("frame", ("person",), "test", boxes=(_box(0, 0, 4, 4),), width=12, height=8)
    presence = presence_of(annotation, None, classes=("person",), grid=GRID)
    assert presence[0].tolist() == [[1, 0, 0], [0, 0, 0]]


def test_a_mask_without_its_bytes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="annotation of frame frame: is a mask"):
        presence_of(_mask_annotation(("person",)), None, classes=("person",), grid=GRID)


def test_objects_of_a_mask_are_groups_that_touch_and_flecks_are_none() -> None:
    mask_HW = np.zeros((20, 20), np.uint8)
    mask_HW[0:3, 0:3] = 1
    mask_HW[3:6, 3:6] = 3
    mask_HW[10:13, 10:13] = 1
    mask_HW[18, 18] = 1
    mask_HW[0:4, 16:20] = 2
    counts = object_counts(
        _mask_annotation(("person", "rider")), encode_mask(mask_HW), classes=("person", "rider", "car")
    )
    assert counts == {"person": 2, "rider": 1}


def test_objects_of_boxes_are_their_number() -> None:
    boxes = (_box(0, 0, 4, 4), _box(1, 1, 4, 4), _box(0, 0, 1, 1, "car"))
    annotation = Annotation("frame", ("person", "rider"), "test", boxes=boxes, width=12, height=8)
    assert object_counts(annotation, None, classes=("person", "rider", "car")) == {"person": 2, "rider": 0}
