"""Metrics against slow twins written from their definitions."""

import math

import numpy as np
import pytest

from al_platform.training.evaluate import average_precision, expected_calibration_error, measure
from al_platform.training.frames import UNKNOWN


def average_precision_by_definition(scores: list[float], outcomes: list[int]) -> float:
    """Sum over thresholds, the highest first, of (recall - recall before) * precision."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        above = [outcome for score, outcome in zip(scores, outcomes, strict=True) if score >= threshold]
        recall = sum(above) / sum(outcomes)
        total += (recall - before) * sum(above) / len(above)
        before = recall
    return total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_average_precision_is_its_definition_with_and_without_ties(seed: int, levels: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, levels, 60) / levels
    outcomes = (draw.random(60) < 0.3).astype(np.float64)
    expected = average_precision_by_definition(scores.tolist(), outcomes.astype(int).tolist())
    assert average_precision(scores, outcomes) == pytest.approx(expected, abs=1e-12)
    assert average_precision(scores.astype(np.float32), outcomes == 1) == pytest.approx(expected, abs=1e-12)


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([1, 1, 0])) == 1.0
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([0, 0, 1])) == pytest.approx(1 / 3)
    assert average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_scores_that_are_all_equal_have_the_share_of_positives() -> None:
    assert average_precision(np.zeros(8), np.array([1, 0, 0, 0, 1, 0, 0, 0])) == 0.25


@pytest.mark.parametrize("outcomes", [np.zeros(4), np.zeros(0)])
def test_without_a_positive_average_precision_is_undefined(outcomes: np.ndarray) -> None:  # type: ignore[type-arg]
    assert math.isnan(average_precision(np.linspace(0, 1, len(outcomes)), outcomes))


def test_calibration_error_by_hand() -> None:
    # bin [0, 0.5): mean 0.2, frequency 0.5; bin [0.5, 1]: mean 0.8, frequency 1
    probabilities, outcomes = np.array([0.1, 0.3, 0.6, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    error = expected_calibration_error(probabilities, outcomes, bins=2)
    assert error == pytest.approx(0.5 * 0.3 + 0.5 * 0.2)


def test_calibration_error_is_nought_for_what_is_certain_and_right_and_one_where_wrong() -> None:
    sure = np.array([0.0, 1.0, 1.0])
    assert expected_calibration_error(sure, sure) == 0.0
    assert expected_calibration_error(sure, 1.0 - sure) == 1.0
    assert math.isnan(expected_calibration_error(np.zeros(0), np.zeros(0)))


def test_unknown_cells_change_no_metric() -> None:
    draw = np.random.default_rng(0)
    chances = draw.random((6, 2, 3, 4)).astype(np.float32)
    presence = (draw.random(chances.shape) < 0.4).astype(np.uint8)
    presence[:, :, 0] = UNKNOWN
    found = measure(chances, presence, ["person", "bicycle"])
    chances[:, :, 0] = draw.random((6, 2, 4))
    assert measure(chances, presence, ["person", "bicycle"]) == found
    assert found == measure(chances[:, :, 1:], presence[:, :, 1:], ["person", "bicycle"])
    outcomes = (presence[:, 1, 1:] == 1).ravel()
    assert found["average_precision"]["bicycle"] == average_precision(
        chances[:, 1, 1:].ravel().astype(np.float64), outcomes.astype(np.float64)
    )
    by_hand = -np.mean(np.log(np.where(outcomes, chances[:, 1, 1:].ravel(), 1.0 - chances[:, 1, 1:].ravel())))
    assert found["cross_entropy"]["bicycle"] == pytest.approx(by_hand, rel=1e-5)


def test_a_class_of_which_nothing_is_known_has_no_metrics() -> None:
    presence = np.full((2, 1, 2, 2), UNKNOWN, np.uint8)
    found = measure(np.full(presence.shape, 0.5, np.float32), presence, ["person"])
    assert all(math.isnan(by_class["person"]) for by_class in found.values())


def test_cross_entropy_stays_finite_where_the_model_is_certain_and_wrong() -> None:
    found = measure(np.zeros((1, 1, 1, 1), np.float32), np.ones((1, 1, 1, 1), np.uint8), ["person"])
    assert 80.0 < found["cross_entropy"]["person"] < 90.0
