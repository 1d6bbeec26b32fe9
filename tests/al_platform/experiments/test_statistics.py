import numpy as np
import pytest

from al_platform.errors import InvalidInput
from al_platform.experiments.statistics import (
    compare_with_baselines,
    gain_over_reference,
    is_baseline,
    learning_curve,
    paired_difference,
    relative_improvement,
)
from tests.al_platform.experiments.synthetic import curve_points, point

LIVING = ("living",)
FRAMES = [10, 20, 30]


def two_arms(arm_gains, baseline_gains, *, arm="new", baseline="random"):
    """Seeds differ in level by 0.1; gains are (round 1, round 2) per seed."""
    points = []
    for seed, (own, other) in enumerate(zip(arm_gains, baseline_gains, strict=True)):
        level = 0.2 + 0.1 * seed
        points += curve_points(arm, seed=seed, values=[level, *(level + g for g in own)], frames=FRAMES)
        points += curve_points(baseline, seed=seed, values=[level, *(level + g for g in other)], frames=FRAMES)
    return points


def test_a_learning_curve_is_the_mean_over_seeds_at_each_checkpoint():
    points = two_arms([(0.1, 0.2), (0.1, 0.4)], [(0, 0), (0, 0)])
    curve = learning_curve(points, "new", classes=LIVING)
    assert [at.cost for at in curve] == FRAMES
    assert [at.average_precision.mean for at in curve] == pytest.approx([0.25, 0.35, 0.55])
    assert [at.cost for at in learning_curve(points, "new", classes=LIVING, cost="objects")] == [20, 40, 60]


def test_of_several_classes_precision_is_the_mean_and_cells_are_summed():
    points = [point("new", 0, 0, {"a": 0.2, "b": 0.6}, frames=10, cells={"a": 3, "b": 4})]
    (at,) = learning_curve(points, "new", classes=("a", "b"), cost="positive cells")
    assert (at.average_precision.mean, at.cost) == (pytest.approx(0.4), 7)


def test_pairing_removes_what_seeds_share():
    # levels differ by 0.1 a seed, differences by 0.002 only
    points = two_arms([(0.11, 0.11), (0.112, 0.112)], [(0.1, 0.1), (0.1, 0.1)])
    found = paired_difference(points, "new", "random", classes=LIVING, at="end")
    assert found.mean == pytest.approx(0.011)
    assert found.half_width == pytest.approx(12.706204736 * 0.001)


def test_the_mean_curve_leaves_out_the_reference_model():
    points = two_arms([(0.1, 0.3), (0.1, 0.3)], [(0.0, 0.0), (0.0, 0.0)])
    assert paired_difference(points, "new", "random", classes=LIVING).mean == pytest.approx(0.2)
    assert paired_difference(points, "new", "random", classes=LIVING, at=1).mean == pytest.approx(0.1)


def test_a_seed_that_stopped_early_counts_where_it_was_measured():
    points = two_arms([(0.1, 0.1), (0.3, 0.3)], [(0.0, 0.0), (0.0, 0.0)])
    points = [p for p in points if not (p.seed == 1 and p.round_index == 2)]
    assert paired_difference(points, "new", "random", classes=LIVING, at=1).seeds == 2
    assert paired_difference(points, "new", "random", classes=LIVING).seeds == 1


def test_one_seed_gives_a_difference_and_no_interval():
    found = paired_difference(two_arms([(0.1, 0.1)], [(0, 0)]), "new", "random", classes=LIVING)
    assert found.mean == pytest.approx(0.1)
    assert found.half_width is None


def test_a_missing_arm_gives_a_reason_instead_of_a_number():
    found = paired_difference(two_arms([(0.1, 0.1)], [(0, 0)]), "new", "manual", classes=LIVING)
    assert found.mean is None
    assert "manual" in found.note


def test_relative_improvement_by_hand():
    # gains of the arm 0.2 and 0.4, of manual 0.1 and 0.11: 0.3 / 0.105
    points = two_arms([(0, 0.2), (0, 0.4)], [(0, 0.1), (0, 0.11)], baseline="manual")
    found = relative_improvement(points, "new", classes=LIVING, at="end")
    assert found.mean == pytest.approx(0.6 / 0.21)
    # the extreme resamples take one seed twice
    assert (found.low, found.high) == pytest.approx((0.2 / 0.1, 0.4 / 0.11))
    assert gain_over_reference(points, "new", classes=LIVING).mean == pytest.approx(0.3)


def test_relative_improvement_is_undefined_where_the_other_gain_may_be_zero():
    points = two_arms([(0, 0.2), (0, 0.4)], [(0, 0.1), (0, -0.1)], baseline="manual")
    found = relative_improvement(points, "new", classes=LIVING, at="end")
    assert (found.mean, found.low, found.high) == (None, None, None)
    assert "manual" in found.note


def test_as_good_as_itself_everywhere():
    points = two_arms([(0.1, 0.2), (0.12, 0.22)], [(0.1, 0.2), (0.1, 0.2)], baseline="manual")
    found = relative_improvement(points, "manual", classes=LIVING, at="end")
    assert (found.mean, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))


def test_verdicts_claim_only_what_the_interval_allows():
    gains = [(0.1, 0.1), (0.11, 0.11), (0.12, 0.12)]
    noise = [(0.0, 0.3), (0.2, 0.0), (0.11, 0.1)]
    points = two_arms(gains, [(0, 0)] * 3)
    points += [p for p in two_arms(noise, noise, arm="manual") if p.arm == "manual"]
    verdicts = {
        (found.arm, found.baseline): found.verdict
        for found in compare_with_baselines(points, classes=LIVING)
        if found.at == "mean curve"
    }
    assert verdicts["new", "random"] == "better"
    assert verdicts["new", "manual"] == "no difference"
    assert ("random", "new") not in verdicts
    swapped = two_arms([(0, 0)] * 3, gains)
    assert {found.verdict for found in compare_with_baselines(swapped, classes=LIVING)} == {"worse"}


def test_baselines_keep_their_name_with_limits():
    assert is_baseline("random")
    assert is_baseline("core-set cap 2")
    assert not is_baseline("mixdist")


def test_a_point_is_measured_once():
    points = curve_points("new", seed=0, values=[0.1], frames=[10]) * 2
    with pytest.raises(InvalidInput, match="arm new"):
        learning_curve(points, "new", classes=LIVING)


def test_a_class_that_was_not_measured_has_no_curve():
    points = curve_points("new", seed=0, values=[0.1, np.nan], frames=[10, 20])
    assert len(learning_curve(points, "new", classes=LIVING)) == 1
    assert learning_curve(points, "new", classes=("tram",)) == ()
