"""Maps and twins: what looks alike lies together."""

import numpy as np
import pytest

from al_platform.errors import InvalidInput
from al_platform.platform.explore import main_directions
from al_platform.platform.insight import NEARLY_THE_SAME, twins_of


def test_places_are_the_projections_on_the_two_largest_eigenvectors_of_the_covariance() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 6)) * np.array([5.0, 3.0, 1.0, 0.5, 0.2, 0.1])
    places, share = main_directions(vectors)
    values, directions = np.linalg.eigh(np.cov(vectors.T, bias=True))
    for axis, column in enumerate((-1, -2)):
        expected = (vectors - vectors.mean(axis=0)) @ directions[:, column]
        assert abs(np.corrcoef(places[:, axis], expected)[0, 1]) == pytest.approx(1.0)
    assert share == pytest.approx(values[-2:].sum() / values.sum())
    assert places.min(axis=0) == pytest.approx([-1, -1])
    assert places.max(axis=0) == pytest.approx([1, 1])


def test_a_map_is_the_same_whatever_the_order_of_the_frames_and_the_place_of_the_origin() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(30, 5)) * np.array([4.0, 2.0, 1.0, 0.5, 0.2])
    order = random.permutation(30)
    places = main_directions(vectors)[0]
    assert main_directions(vectors[order] + 7.0)[0] == pytest.approx(places[order])


def test_frames_that_are_all_the_same_lie_in_one_place() -> None:
    places, share = main_directions(np.ones((4, 3), np.float32))
    assert np.ptp(places, axis=0).tolist() == [0.0, 0.0]
    assert share == 0.0
    with pytest.raises(InvalidInput, match="a map needs at least 2"):
        main_directions(np.ones((4, 1)))


def test_twins_are_told_about_the_mean_and_both_of_each_other() -> None:
    scene = np.array([[1.0, 0.0], [1.001, 0.001], [-1.0, 0.0], [0.0, 3.0]], np.float32) + 100.0
    found = twins_of(["a", "b", "c", "d"], scene)
    assert {name: [twin.frame_id for twin in twins] for name, twins in found.items()} == {"a": ["b"], "b": ["a"]}
    assert found["a"][0].cosine >= NEARLY_THE_SAME
    assert found["a"][0].cosine == pytest.approx(found["b"][0].cosine)


def test_pictures_without_any_difference_are_no_twins_of_others() -> None:
    assert twins_of(["a", "b", "c"], np.zeros((3, 2), np.float32)) == {}
