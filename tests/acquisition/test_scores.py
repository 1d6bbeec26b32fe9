"""Claims about the table of scores and about what importing the package costs."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import acquisition
from acquisition.measures import FrameMeasures, frame_measures
from acquisition.scores import SCORES, relative_scores


def measures_of(logits: np.ndarray) -> FrameMeasures:
    return jax.device_get(jax.jit(frame_measures)(jnp.asarray(logits, jnp.float32)))


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_one_number_at_least_zero_for_each_frame_and_class(name: str) -> None:
    scores = SCORES[name](measures_of(np.random.default_rng(0).normal(0, 3, (4, 6, 2, 5, 5))))
    assert scores.shape == (6, 2)
    assert scores.dtype == np.float32
    assert (scores >= 0).all()


@pytest.mark.parametrize("name", ["mi", "mi_sum", "mi_max", "mi_top", "variance", "epishare"])
def test_dissent_scores_higher_than_shared_doubt(name: str) -> None:
    shared_doubt = np.zeros((2, 1, 1, 4, 4))
    dissent = np.stack([np.full((1, 1, 4, 4), 3.0), np.full((1, 1, 4, 4), -3.0)])
    scores = SCORES[name](measures_of(np.concatenate([shared_doubt, dissent], axis=1)))
    assert scores[1, 0] > scores[0, 0]


def test_entropy_and_mass_cannot_tell_dissent_from_shared_doubt() -> None:
    shared_doubt = np.zeros((2, 1, 1, 4, 4))
    dissent = np.stack([np.full((1, 1, 4, 4), 3.0), np.full((1, 1, 4, 4), -3.0)])
    measures = measures_of(np.concatenate([shared_doubt, dissent], axis=1))
    for name in ("entropy", "mass"):
        scores = SCORES[name](measures)
        assert scores[0, 0] == pytest.approx(scores[1, 0], rel=1e-6)


def test_the_epistemic_share_does_not_grow_with_the_number_of_uncertain_cells() -> None:
    dissent = np.random.default_rng(1).normal(0, 3, (4, 1, 1, 8, 8))
    few = measures_of(dissent)
    many = measures_of(np.concatenate([dissent, dissent], axis=-1))
    assert SCORES["mi_sum"](many)[0, 0] == pytest.approx(2 * SCORES["mi_sum"](few)[0, 0], rel=1e-5)
    assert SCORES["epishare"](many)[0, 0] == pytest.approx(SCORES["epishare"](few)[0, 0], rel=0.05)


def test_relative_scores_count_classes_alike_however_rare_they_are() -> None:
    common_and_rare = np.array([[100.0, 0.0], [100.0, 0.2], [400.0, 0.2], [0.0, 0.0]])
    np.testing.assert_allclose(relative_scores(common_and_rare).sum(axis=1), [2 / 3, 2 / 3 + 2, 8 / 3 + 2, 0])
    np.testing.assert_allclose(
        relative_scores(common_and_rare * [1, 1e-6]).sum(axis=1), relative_scores(common_and_rare).sum(axis=1)
    )


def test_a_class_that_scores_nothing_anywhere_adds_nothing() -> None:
    assert relative_scores(np.array([[1.0, 0.0], [3.0, 0.0]])).sum(axis=1).tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.array([[1.0, np.nan]]), "score nan in row 0, class 1"),
        (np.array([[1.0], [-2.0]]), "score -2.0 in row 1, class 0"),
        (np.empty((0, 2)), "empty pool"),
    ],
)
def test_scores_that_have_no_mean_are_refused(scores: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        relative_scores(scores)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in acquisition.__all__:
        assert getattr(acquisition, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        acquisition.nonsense  # noqa: B018


def test_selecting_does_not_import_jax_and_scoring_does() -> None:
    program = (
        "import sys; from acquisition import SCORES, distance_weighted, round_robin, uniform_random;"
        "assert 'jax' not in sys.modules; import acquisition; acquisition.mutual_information;"
        "assert 'jax' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
