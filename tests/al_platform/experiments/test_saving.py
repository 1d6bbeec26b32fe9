import numpy as np
import pytest

from al_platform.experiments.saving import area_under_curve, label_saving, shared_bounds
from tests.al_platform.experiments.synthetic import curve_points, point

LIVING = ("living",)
FRAMES = [100, 200, 300, 400]


def arms(own, other=(0.1, 0.2, 0.3, 0.4), *, seeds=3, wobble=0.0):
    points = []
    for seed in range(seeds):
        points += curve_points("new", seed=seed, values=[v + seed * wobble for v in own], frames=FRAMES)
        points += curve_points("random", seed=seed, values=list(other), frames=FRAMES)
    return points


def test_an_arm_that_needs_half_the_labels_saves_a_factor_of_two():
    found = label_saving(arms([0.1, 0.4, 0.5, 0.6]), "new", classes=LIVING)
    assert found.ratio == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((2.0, 2.0))
    assert (found.bound, found.low_bound, found.high_bound) == ("", "", "")


def test_between_checkpoints_the_curve_is_a_line():
    # 0.4 lies two thirds of the way from 0.2 at 200 to 0.5 at 300
    found = label_saving(arms([0.1, 0.2, 0.5, 0.6]), "new", classes=LIVING)
    assert found.ratio == pytest.approx(400 / (200 + 100 * 2 / 3))


def test_the_baseline_saves_nothing_against_itself():
    found = label_saving(arms([0.1, 0.1, 0.1, 0.1]), "random", classes=LIVING)
    assert (found.ratio, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))


def test_a_dip_does_not_make_labels_cheaper():
    # isotonic: 0.5 and 0.3 become 0.4 and 0.4, reached at 200
    found = label_saving(arms([0.1, 0.5, 0.3, 0.6]), "new", classes=LIVING)
    assert found.ratio == pytest.approx(2.0)


def test_an_arm_that_never_gets_there_is_censored():
    found = label_saving(arms([0.1, 0.15, 0.2, 0.25]), "new", classes=LIVING)
    assert (found.ratio, found.bound) == (pytest.approx(1.0), "<=")
    assert (found.low_bound, found.high_bound) == ("<=", "<=")


def test_a_limit_that_rests_on_censored_resamples_is_a_bound():
    # seed 0 ends at 0.39 and never gets to 0.4; the others do
    found = label_saving(arms([0.1, 0.2, 0.3, 0.39], wobble=0.05), "new", classes=LIVING)
    assert found.bound == ""
    assert found.low_bound == "<="
    assert found.high_bound == ""


def test_an_arm_that_starts_there_is_censored_from_below():
    found = label_saving(arms([0.5, 0.5, 0.5, 0.6]), "new", classes=LIVING)
    assert (found.ratio, found.bound) == (pytest.approx(4.0), ">=")


def test_a_baseline_that_gains_nothing_cannot_be_saved_against():
    found = label_saving(arms([0.1, 0.2, 0.3, 0.4], other=(0.3, 0.3, 0.3, 0.3)), "new", classes=LIVING)
    assert found.ratio is None
    assert "random gains nothing" in found.note


def test_one_seed_has_a_ratio_and_no_interval():
    found = label_saving(arms([0.1, 0.4, 0.5, 0.6], seeds=1), "new", classes=LIVING)
    assert (found.ratio, found.low) == (pytest.approx(2.0), None)
    assert "one seed" in found.note


def test_without_the_baseline_there_is_no_ratio():
    points = [p for p in arms([0.1, 0.2, 0.3, 0.4]) if p.arm == "new"]
    found = label_saving(points, "new", classes=LIVING)
    assert found.ratio is None
    assert "random" in found.note


def test_the_bootstrap_is_the_same_every_time_and_holds_the_ratio():
    points = arms([0.1, 0.3, 0.45, 0.6], wobble=0.03)
    found = label_saving(points, "new", classes=LIVING)
    assert found == label_saving(list(reversed(points)), "new", classes=LIVING)
    assert found.low < found.ratio < found.high


def test_objects_can_cost_what_frames_save():
    points = []
    for seed in range(2):
        for frames, value in zip(FRAMES, (0.1, 0.4, 0.5, 0.6), strict=True):
            points.append(
                point(
                    "new",
                    seed,
                    frames // 100,
                    {"living": value},
                    frames=frames,
                    objects={"living": 4 * frames},
                )
            )
        points += curve_points("random", seed=seed, values=[0.1, 0.2, 0.3, 0.4], frames=FRAMES)
    points = [p for p in points if p.arm == "new"] + [
        point(
            "random",
            p.seed,
            p.round_index + 1,
            p.average_precision,
            frames=p.frames,
            objects={"living": p.frames},
        )
        for p in points
        if p.arm == "random"
    ]
    assert label_saving(points, "new", classes=LIVING).ratio == pytest.approx(2.0)
    assert label_saving(points, "new", classes=LIVING, cost="objects").ratio == pytest.approx(0.5)


def test_objects_that_nobody_counted_give_a_reason():
    points = [
        point(arm, 0, r, {"living": 0.1 * r}, frames=10 * r + 10, objects={})
        for arm in ("new", "random")
        for r in range(3)
    ]
    assert "no objects were counted" in label_saving(points, "new", classes=LIVING, cost="objects").note


def test_the_area_of_a_straight_line_is_its_middle():
    found = area_under_curve(arms([0.1, 0.2, 0.3, 0.4]), "new", classes=LIVING)
    assert found.mean == pytest.approx(0.25)


def test_over_positive_cells_the_axis_is_logarithmic():
    points = [
        point("new", seed, index, {"living": value}, frames=10 * index + 10, cells={"living": cells})
        for seed in range(2)
        for index, (value, cells) in enumerate([(0.1, 100), (0.5, 1000), (0.5, 10000)])
    ]
    # two decades: a ramp with mean 0.3, then 0.5
    found = area_under_curve(points, "new", classes=LIVING, cost="positive cells")
    assert found.mean == pytest.approx(0.4)


def test_areas_are_taken_where_all_arms_have_been():
    points = arms([0.1, 0.2, 0.3, 0.4])
    points += curve_points("short", seed=0, values=[0.2, 0.3], frames=[150, 350])
    assert shared_bounds(points, classes=LIVING, cost="frames") == (150, 350)
    difference = area_under_curve(points, "new", classes=LIVING, baseline="random")
    assert difference.mean == pytest.approx(0.0)


def test_curves_that_never_meet_have_no_area():
    points = curve_points("new", seed=0, values=[0.1, 0.2], frames=[10, 20])
    points += curve_points("random", seed=0, values=[0.1, 0.2], frames=[30, 40])
    found = area_under_curve(points, "new", classes=LIVING)
    assert found.mean is None
    assert "frames" in found.note


def test_rounds_that_find_no_positive_cell_do_no_harm():
    points = [
        point(arm, 0, index, {"living": 0.1 * index + 0.1}, frames=10 * index + 10, cells={"living": cells})
        for arm in ("new", "random")
        for index, cells in enumerate([0, 5, 5, 50])
    ]
    found = area_under_curve(points, "new", classes=LIVING, cost="positive cells")
    assert np.isfinite(found.mean)
