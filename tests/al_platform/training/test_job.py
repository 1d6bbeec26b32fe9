"""A training as it lies in storage: equal inputs are one training, and what was changed is not believed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.labels import Annotation, Box
from al_platform.domain.models import ModelSpec
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from al_platform.training.job import (
    Trained,
    TrainingJob,
    make_training_job,
    read_training_job,
    write_training_job,
)
from al_platform.training.labelled import labelled_of, read_labelled, write_labelled

MODEL = ModelSpec(("person",))


def job(*, seed: int = 0, labelled: str = "l", test: str | None = None, encoder: str = "enc_1") -> TrainingJob:
    return make_training_job(
        MODEL, seed=seed, encoder_id=encoder, encoder_images=("a", "b"), labelled_hash=labelled, test_hash=test
    )


def frame(number: int) -> Frame:
    return Frame(f"frm_{number}", "d", f"s{number % 2}", BlobRef(f"i{number}", 1, "image/png"), 8, 8, number)


def test_equal_inputs_are_one_training_whatever_it_is_measured_on() -> None:
    assert job() == job()
    assert job(test="t").training_id == job().training_id
    assert job(test="t").name != job().name
    others = [job(seed=1), job(labelled="m"), job(encoder="enc_2")]
    assert len({job().training_id, *(other.training_id for other in others)}) == 4


def test_a_job_comes_back_from_storage_and_a_changed_one_does_not(tmp_path: Path) -> None:
    files, mine = NamedFiles(str(tmp_path)), job(test="t")
    write_training_job(files, mine)
    write_training_job(files, mine)
    assert read_training_job(files, mine.name) == mine
    path = tmp_path / mine.name
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    with pytest.raises(CorruptBlob, match="was changed; delete it, then run the round again"):
        read_training_job(files, mine.name)
    path.write_text("{")
    with pytest.raises(CorruptBlob, match="is torn; delete it"):
        read_training_job(files, mine.name)
    with pytest.raises(NotFound, match="no such job in"):
        read_training_job(files, job().name)


def test_the_first_result_of_a_training_stays(tmp_path: Path) -> None:
    files, mine = NamedFiles(str(tmp_path)), job()
    first = Trained(mine.training_id, "w1", (), {"jax": "0.10"})
    assert find_record(files, mine.trained_name, Trained) is None
    keep_record(files, mine.trained_name, first)
    keep_record(files, mine.trained_name, replace(first, weights_hash="w2"))
    assert find_record(files, mine.trained_name, Trained) == first


@pytest.mark.parametrize("weights", [None, np.array([0.25, 0.5, 3.0])], ids=["alike", "weighed"])
def test_labelled_frames_come_back_row_by_row(tmp_path: Path, weights: np.ndarray | None) -> None:
    blobs, frames = BlobStore(str(tmp_path)), [frame(number) for number in (2, 0, 1)]
    boxed = Annotation("frm_2", ("person",), "offline", boxes=(Box("person", 0.5, 1, 2, 3),), width=8, height=8)
    masked = Annotation("frm_0", ("person",), "offline", mask=BlobRef("m", 9, "image/png"), mask_values={"1": "person"})
    labelled = labelled_of(frames, [boxed, masked, replace(boxed, frame_id="frm_1")], weights)
    stored = write_labelled(blobs, labelled)
    again = read_labelled(blobs, stored)
    assert replace(again, weights=None) == replace(labelled, weights=None)
    if weights is None:
        assert again.weights is None
    else:
        np.testing.assert_array_equal(again.weights, weights)
    assert write_labelled(blobs, labelled) == stored


def test_a_blob_of_something_else_is_no_labelled_frames(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    with pytest.raises(CorruptBlob, match="labelled frames"):
        read_labelled(blobs, blobs.put(b"something else").hash)
