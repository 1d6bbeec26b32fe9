from dataclasses import replace

import pytest

from al_platform.experiments.selections import yields
from tests.al_platform.experiments.synthetic import curve_points, point


def test_positives_per_label_count_only_what_the_round_added():
    points = [
        point("new", 0, 0, {"a": 0.1}, frames=10, cells={"a": 100}),
        point("new", 0, 1, {"a": 0.2}, frames=30, cells={"a": 160}),
        point("new", 0, 2, {"a": 0.3}, frames=40, cells={"a": 200}),
    ]
    first, second, everything = yields(points, "new", targets=("a",))
    assert first.positives_per_label.mean == 3.0
    assert second.positives_per_label.mean == 4.0
    assert (everything.round_index, everything.positives_per_label.mean) == (None, pytest.approx(100 / 30))


def test_hard_negatives_are_a_share_of_what_was_picked():
    points = curve_points("new", seed=0, values=[0.1, 0.2, 0.3], frames=[10, 20, 30], name="a")
    points[2] = replace(points[2], picked=10, picked_without_target=9)
    shares = [row.hard_negative_share.mean for row in yields(points, "new", targets=("a",))]
    assert shares == pytest.approx([0.3, 0.9, 0.6])


def test_a_cached_step_does_not_make_the_step_look_faster():
    points = curve_points("new", seed=0, values=[0.1, 0.2, 0.3], frames=[10, 20, 30], name="a")
    points[1] = replace(points[1], seconds={"train": 4.0, "score": 1.0})
    points[2] = replace(points[2], seconds={"score": 2.0})
    assert yields(points, "new", targets=("a",))[-1].seconds == {"train": 4.0, "score": 1.5}


def test_the_reference_model_alone_selected_nothing():
    points = curve_points("new", seed=0, values=[0.1], frames=[10])
    assert yields(points, "new", targets=("living",)) == ()
