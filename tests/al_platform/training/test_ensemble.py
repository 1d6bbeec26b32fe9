"""From labelled frames to a calibrated ensemble, its weights as bytes, and what it says of frames."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from scipy.special import expit

from al_platform.domain.hashing import canonical_json
from al_platform.domain.models import EnsembleVersion
from al_platform.domain.progress import silent
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput, TrainingDiverged
from al_platform.models.weights import weights_from_bytes, weights_to_bytes
from al_platform.training.ensemble import (
    TrainedEnsemble,
    train_ensemble,
)
from al_platform.training.fit import TrainState
from al_platform.training.frames import UNKNOWN, LabeledFrames
from al_platform.training.predict import heatmaps, mean_probabilities
from tests.al_platform.training.linear import LINEAR, SPEC, labelled


class NoCheckpoints:
    """A training that begins at the beginning."""

    def restore(self, like: TrainState) -> TrainState | None:
        return None

    def save(self, state: TrainState, *, last: bool, stopping: bool = False) -> None:
        pass


def trained_on(frames: LabeledFrames) -> TrainedEnsemble:
    return train_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=NoCheckpoints(), report=silent)


@pytest.fixture(scope="module")
def trained() -> TrainedEnsemble:
    return trained_on(labelled(40, noise=0.2))


def logits_of(trained: TrainedEnsemble, inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    weights, bias = trained.parameters["weights"], trained.parameters["bias"]
    logits: np.ndarray[Any, Any] = np.einsum("bhwf,mfk->mbkhw", inputs, weights) + bias[:, None, :, None, None]
    return logits


def test_every_member_is_described(trained: TrainedEnsemble) -> None:
    assert [member.member for member in trained.members] == [0, 1, 2]
    assert all(0 < member.best_step <= SPEC.training.steps for member in trained.members)
    assert all(0.0 < member.validation_loss < 0.8 for member in trained.members)
    np.testing.assert_allclose(trained.temperatures, [m.temperature for m in trained.members], rtol=1e-6)


def test_the_temperature_is_that_of_frames_no_member_trained_on(trained: TrainedEnsemble) -> None:
    frames = labelled(40, noise=0.2)
    logits = logits_of(trained, frames.inputs)
    unseen = frames.folds[None] == np.arange(SPEC.members)[:, None]
    presence = np.broadcast_to(frames.presence, logits.shape)[unseen]
    known = presence != UNKNOWN
    honest, outcomes = logits[unseen][known] / trained.temperatures[0], presence[known] == 1
    slope = np.mean((expit(honest) - outcomes) * honest)
    assert abs(slope) < 1e-4


def test_weights_come_back_from_their_bytes_bit_for_bit(trained: TrainedEnsemble) -> None:
    content = weights_to_bytes(trained.parameters)
    back = weights_from_bytes(LINEAR, SPEC, content)
    for one, other in zip(jax.tree.leaves(back), jax.tree.leaves(trained.parameters), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    assert weights_to_bytes(back) == content


def test_the_same_training_gives_the_same_bytes(trained: TrainedEnsemble) -> None:
    again = trained_on(labelled(40, noise=0.2))
    assert weights_to_bytes(again.parameters) == weights_to_bytes(trained.parameters)
    assert again.members == trained.members


def test_a_member_without_a_validation_fold_is_described_by_finite_numbers() -> None:
    lonely = trained_on(labelled(1))
    version = EnsembleVersion("ens_1", SPEC, "dsv_1", "enc_1", 0, "ab", lonely.members)
    assert record_from_json(EnsembleVersion, canonical_json(version)) == version
    assert lonely.members[1].validation_loss == np.finfo(np.float32).max


def test_without_labels_nothing_is_trained() -> None:
    frames = labelled(4)
    with pytest.raises(InvalidInput, match="no labelled frames: label a start set first"):
        trained_on(LabeledFrames(frames.inputs[:0], frames.presence[:0], frames.folds[:0]))
    nobody_looked_for_bicycles = frames.presence.copy()
    nobody_looked_for_bicycles[:, 1] = UNKNOWN
    with pytest.raises(InvalidInput, match="class bicycle: no label of the version says whether it is there"):
        trained_on(replace(frames, presence=nobody_looked_for_bicycles))


def test_a_member_whose_loss_is_never_a_number_stops_the_training() -> None:
    frames = labelled(16)
    with pytest.raises(TrainingDiverged, match="member 0: its validation loss was never a number"):
        trained_on(replace(frames, inputs=np.full_like(frames.inputs, np.nan)))


@pytest.mark.parametrize("count", [1, 64, 70])
def test_the_mean_probability_is_that_of_the_calibrated_members(trained: TrainedEnsemble, count: int) -> None:
    inputs = labelled(count, seed=9).inputs
    found = mean_probabilities(LINEAR, SPEC, trained, inputs)
    temperatures = trained.temperatures[:, None, None, None, None]
    np.testing.assert_allclose(found, expit(logits_of(trained, inputs) / temperatures).mean(axis=0), atol=1e-5)


def test_heatmaps_are_mutual_information_in_bounds(trained: TrainedEnsemble) -> None:
    found = heatmaps(LINEAR, SPEC, trained, labelled(70, seed=9).inputs)
    assert found.shape == (70, 2, SPEC.grid.rows, SPEC.grid.columns)
    assert found.min() >= 0.0
    assert 0.0 < found.max() <= np.log(2.0)
