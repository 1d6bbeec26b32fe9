"""Batches from arrays and batches read by key: the same numbers."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from numpy.typing import NDArray

from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.domain.progress import silent
from al_platform.errors import InvalidInput, NotFound
from al_platform.models.families import FAMILIES
from al_platform.training.batches import ArrayBatches, Chunk, StreamedBatches, batch_source
from al_platform.training.fit import fit_ensemble
from al_platform.training.frames import UNKNOWN, KeyedRows, LabeledFrames
from tests.al_platform.training.linear import LINEAR, SPEC, labelled
from tests.al_platform.training.test_fit import Remembered, assert_same


class Store:
    """Records by key, and the largest number that were ever asked for at once."""

    def __init__(self, records: NDArray[Any]) -> None:
        self._records = {f"frm_{row}": record for row, record in enumerate(records)}
        self._lock = threading.Lock()
        self.most = 0

    def read(self, keys: Sequence[str]) -> NDArray[Any]:
        with self._lock:
            self.most = max(self.most, len(keys))
        for key in keys:
            if key not in self._records:
                raise NotFound(f"sample {key}: not there")
        return np.stack([self._records[key] for key in keys])


def streamed(frames: LabeledFrames) -> tuple[LabeledFrames, Store]:
    assert isinstance(frames.inputs, np.ndarray)
    store = Store(frames.inputs)
    keys = [f"frm_{row}" for row in range(len(frames.inputs))]
    rows = KeyedRows(keys, store.read, shape=frames.inputs.shape[1:], dtype=frames.inputs.dtype)
    return replace(frames, inputs=rows), store


def batches_of(chunk: Chunk) -> list[tuple[NDArray[Any], ...]]:
    """What each step is trained on."""
    return [
        (
            np.asarray(chunk.inputs)[rows],
            np.asarray(chunk.presence)[rows],
            np.asarray(chunk.member_weights)[:, rows],
        )
        for rows in np.asarray(chunk.rows)
    ]


@pytest.mark.parametrize("first_step", [0, 20])
def test_both_sources_give_the_same_batches_from_any_step_on(first_step: int) -> None:
    frames = labelled(24)
    key = jax.random.key(1)
    sources = [batch_source(SPEC, each, key=key) for each in (frames, streamed(frames)[0])]
    assert [type(source) for source in sources] == [ArrayBatches, StreamedBatches]
    one, other = ([batches_of(chunk) for chunk in source.chunks(first_step)] for source in sources)
    assert len(one) == len(other) == (60 - first_step) // 10
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("weights", [None, np.linspace(0.0, 1.0, 24)])
def test_an_ensemble_trained_on_streamed_frames_is_bit_for_bit_that_of_arrays(weights: NDArray[Any] | None) -> None:
    frames = replace(labelled(24), weights=weights)
    one, other = (
        fit_ensemble(LINEAR, SPEC, each, seed=0, checkpoints=Remembered(), report=silent)
        for each in (frames, streamed(frames)[0])
    )
    assert_same(one, other)


def test_a_u_net_trained_on_streamed_pictures_is_bit_for_bit_that_of_arrays() -> None:
    recipe = TrainingSpec(steps=6, batch_frames=4, learning_rate=3e-3, weight_decay=1e-3, evaluate_every=3)
    spec = ModelSpec(("person",), "unet", members=2, grid=GridSpec(32, 48, 8), training=recipe)
    draw = np.random.default_rng(0)
    frames = LabeledFrames(
        draw.integers(0, 256, (20, 32, 48, 3), dtype=np.uint8),
        draw.integers(0, 2, (20, 1, 4, 6)).astype(np.uint8),
        np.arange(20, dtype=np.int32) % 8,
    )
    one, other = (
        fit_ensemble(FAMILIES["unet"], spec, each, seed=0, checkpoints=Remembered(), report=silent)
        for each in (frames, streamed(frames)[0])
    )
    assert_same(one, other)


def test_a_streamed_training_that_goes_on_from_a_checkpoint_ends_bit_for_bit_the_same() -> None:
    frames, kept = streamed(labelled(24))[0], Remembered()
    whole = fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=kept, report=silent)
    resumed = fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=Remembered(kept.states[2]), report=silent)
    assert_same(whole, resumed)


def test_streaming_never_asks_for_more_than_a_batch_or_a_validation_fold() -> None:
    frames, store = streamed(labelled(600))
    fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=Remembered(), report=silent)
    assert store.most <= 600 // SPEC.training.validation_folds


def test_a_frame_that_cannot_be_read_stops_the_training_by_its_name() -> None:
    frames, store = streamed(labelled(24))
    del store._records["frm_7"]
    with pytest.raises(NotFound, match="frm_7"):
        fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=Remembered(), report=silent)


def test_weights_steer_what_is_trained_on() -> None:
    weights = np.zeros(24)
    weights[[3, 5]] = 1.0
    source = batch_source(SPEC, replace(labelled(24), weights=weights), key=jax.random.key(0))
    drawn = {int(row) for chunk in source.chunks(0) for row in np.asarray(chunk.rows).ravel()}
    assert drawn == {3, 5}
    with pytest.raises(InvalidInput, match="all 24 weights are 0"):
        batch_source(SPEC, replace(labelled(24), weights=np.zeros(24)), key=jax.random.key(0))


def test_a_label_of_no_weight_trains_as_one_of_which_nothing_is_known() -> None:
    frames = labelled(40)
    doubted = np.ones(40)
    doubted[::3] = 0.0
    unknown = frames.presence.copy()
    unknown[::3] = UNKNOWN
    trained = [
        fit_ensemble(LINEAR, SPEC, its, seed=1, checkpoints=Remembered(), report=silent).parameters
        for its in (
            replace(frames, loss_weights=doubted),
            replace(frames, presence=unknown),
            replace(frames, loss_weights=np.ones(40)),
            frames,
            replace(streamed(frames)[0], loss_weights=doubted),
        )
    ]
    weightless, not_known, all_alike, plain, read_by_key = trained
    assert_same(weightless, not_known)
    assert_same(all_alike, plain)
    assert_same(weightless, read_by_key)
