"""Proposals: connected cells become boxes."""

import io

import numpy as np
from PIL import Image

from al_platform.domain.labels import Box
from al_platform.labeling.base import ScoredBox
from al_platform.labeling.heat_picture import heat_picture
from al_platform.labeling.proposals import proposed_boxes


def test_cells_that_touch_become_one_box_in_pixels_scored_by_the_best_of_them() -> None:
    map_KHW = np.zeros((2, 4, 6))
    map_KHW[0, 1, 1], map_KHW[0, 2, 2], map_KHW[0, 0, 5] = 0.75, 0.5, 0.875
    assert proposed_boxes(map_KHW, ("person", "car"), width=60, height=80) == (
        ScoredBox(Box("person", 50, 0, 60, 20), 0.875),
        ScoredBox(Box("person", 10, 20, 30, 60), 0.75),
    )


def test_below_the_threshold_nothing_is_proposed() -> None:
    assert proposed_boxes(np.full((1, 3, 3), 0.49), ("person",), width=9, height=9) == ()


def test_a_sure_map_is_one_box_around_the_whole_picture() -> None:
    (proposal,) = proposed_boxes(np.ones((1, 3, 3)), ("person",), width=90, height=30)
    assert proposal.box == Box("person", 0, 0, 90, 30)


def test_the_heat_picture_is_brightest_where_the_members_disagree_most() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (64, 32), (90, 90, 90)).save(stream, "PNG")
    information_HW = np.zeros((2, 4))
    information_HW[1, 3] = 0.01
    with Image.open(io.BytesIO(heat_picture(stream.getvalue(), information_HW))) as picture:
        pixels = np.asarray(picture.convert("RGB"), int)
    assert pixels.shape == (32, 64, 3)
    assert abs(pixels[:8, :32] - 90).max() < 12
    assert pixels[-4:, -4:, 0].mean() > 180


def test_members_that_agree_everywhere_leave_the_frame_as_it_is() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 90, 90)).save(stream, "PNG")
    with Image.open(io.BytesIO(heat_picture(stream.getvalue(), np.zeros((2, 2))))) as picture:
        assert abs(np.asarray(picture.convert("RGB"), int) - 90).max() < 12
