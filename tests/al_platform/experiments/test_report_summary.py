import json
import math
from dataclasses import replace

import pytest

from al_platform.experiments.report import summary
from tests.al_platform.experiments.synthetic import curve_points, realistic, result_of

FRAMES = [100, 200, 300, 400]
KEYS = {
    "schema",
    "experiment",
    "headline",
    "curves",
    "label_saving",
    "areas",
    "relative_improvement",
    "comparisons",
    "selections",
    "notes",
}


def two_arms(own, other, *, seeds=3, arm="mixdist", baseline="random", wobble=0.0):
    points = []
    for seed in range(seeds):
        for name, values in ((arm, own), (baseline, other)):
            shifted = [v + (-1) ** seed * wobble * (index > 0) * (name == arm) for index, v in enumerate(values)]
            points += curve_points(name, seed=seed, values=shifted, frames=FRAMES)
    return points


def numbers(value):
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.fixture(scope="module")
def found():
    return summary(realistic(seeds=3, pictures=False))


def test_the_summary_is_json_without_nan(found):
    assert set(found) == KEYS
    assert all(math.isfinite(number) for number in numbers(found))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_every_arm_is_measured_for_each_class_and_for_the_mean(found):
    classes = [view["name"] for view in found["experiment"]["views"]]
    assert classes == ["pedestrian", "bicyclist", "mean of targets"]
    assert len(found["curves"]) == 6 * 7 * 3
    # 5 baselines against 5 others, at 6 rounds, the end and the mean curve, for each class
    assert len(found["comparisons"]) == (5 * 5) * 8 * 3
    assert {row["cost"] for row in found["label_saving"]} == {"frames", "positive cells", "objects"}


def test_the_headline_names_the_ratio_of_the_table(found):
    (row,) = [
        row
        for row in found["label_saving"]
        if (row["arm"], row["class"], row["cost"]) == ("mixdist", "mean of targets", "frames")
    ]
    assert f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}] times fewer" in found["headline"]["sentence"]


def test_a_saving_is_claimed_with_its_interval():
    sentence = summary(result_of(two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4])))["headline"]["sentence"]
    assert sentence == "mixdist needs 2.0 [2.0, 2.0] times fewer labelled frames than random for the same AP of living."


def test_no_difference_is_said_where_none_can_be_claimed():
    points = two_arms([0.1, 0.21, 0.31, 0.41], [0.1, 0.2, 0.3, 0.4], seeds=4, wobble=0.1)
    sentence = summary(result_of(points))["headline"]["sentence"]
    assert sentence.startswith("No difference between mixdist and random can be claimed for AP of living")
    assert "+0.010 ±" in sentence


def test_more_labels_are_said_where_more_are_needed():
    sentence = summary(result_of(two_arms([0.1, 0.2, 0.3, 0.35], [0.1, 0.3, 0.35, 0.35])))["headline"]["sentence"]
    assert sentence == (
        "mixdist needs 1.33 [1.33, 1.33] times more labelled frames than random for the same AP of living."
    )


def test_an_arm_that_never_gets_there_is_called_worse():
    sentence = summary(result_of(two_arms([0.1, 0.12, 0.13, 0.14], [0.1, 0.2, 0.3, 0.4])))["headline"]["sentence"]
    assert sentence == "mixdist is worse than random: it never reaches its last AP of living."


def test_one_seed_claims_nothing():
    found = summary(result_of(two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4], seeds=1)))
    assert found["headline"]["sentence"].startswith("Nothing can be claimed for AP of living from one seed")
    assert any("One seed" in note for note in found["notes"])
    assert {row["verdict"] for row in found["comparisons"]} == {"not computable"}


def test_one_arm_claims_nothing():
    points = [p for p in two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4]) if p.arm == "random"]
    found = summary(result_of(points))
    assert "no second strategy" in found["headline"]["sentence"]
    assert any("only arm" in note for note in found["notes"])


def test_without_random_the_first_baseline_is_the_yardstick_and_it_is_said():
    found = summary(result_of(two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4], baseline="stratified")))
    assert found["headline"]["baseline"] == "stratified"
    assert any("no random arm" in note for note in found["notes"])


def test_a_class_missing_from_the_test_set_is_named_and_left_out_of_the_mean():
    result = realistic(seeds=2, arms=("mixdist", "random"), pictures=False)
    points = tuple(
        replace(p, average_precision={"pedestrian": p.average_precision["pedestrian"]}) for p in result.points
    )
    found = summary(replace(result, points=points))
    assert [view["name"] for view in found["experiment"]["views"]] == ["pedestrian"]
    assert found["experiment"]["missing_classes"] == ["bicyclist"]
    assert any("bicyclist" in note for note in found["notes"])


def test_a_ratio_without_a_denominator_is_none_and_noted():
    points = two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.1, 0.1, 0.1], baseline="manual")
    found = summary(result_of(points))
    assert {row["relative"]["mean"] for row in found["relative_improvement"]} == {None}
    assert any("no relative gain" in note for note in found["notes"])


def test_an_interrupted_seed_is_noted():
    points = two_arms([0.1, 0.4, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4])
    found = summary(result_of([p for p in points if (p.arm, p.seed, p.round_index) != ("random", 2, 3)]))
    assert any("random has no whole curve for seed 2" in note for note in found["notes"])
    assert {row["seeds"] for row in found["label_saving"]} == {2}
