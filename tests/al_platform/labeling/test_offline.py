"""The offline annotator and the oracle: what was bought is released, nothing else."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.domain.data import BlobRef
from al_platform.domain.labels import Annotation, Box, LabelTask
from al_platform.domain.models import GridSpec
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.labeling.base import TaskResult
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers

GRID = GridSpec(image_height=16, image_width=32, cell=8)


@pytest.fixture
def sealed(tmp_path: Path) -> SealedAnswers:
    return SealedAnswers(str(tmp_path / "sealed"))


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


@pytest.fixture
def annotator(sealed: SealedAnswers, blobs: BlobStore) -> OfflineAnnotator:
    return OfflineAnnotator(sealed, blobs)


def mask_png(value: int, *, rows: int) -> bytes:
    """A mask whose uppermost rows have this value, the others 0."""
    mask = np.zeros((16, 32), np.uint8)
    mask[:rows] = value
    stream = io.BytesIO()
    Image.fromarray(mask).save(stream, "PNG")
    return stream.getvalue()


def masked(sealed: SealedAnswers, frame_id: str, *, value: int = 1, rows: int = 8) -> Annotation:
    mask = sealed.blobs.put(mask_png(value, rows=rows), media_type="image/png")
    names = {"0": "background", "1": "person", "2": "bicycle"}
    return Annotation(frame_id, ("person", "bicycle"), "offline:d", mask=mask, mask_values=names, width=32, height=16)


def boxed(frame_id: str, *boxes: Box, classes: tuple[str, ...] = ("person",)) -> Annotation:
    return Annotation(frame_id, classes, "offline:d", boxes=boxes, width=32, height=16)


def task(frame_id: str, *, round_id: str = "rnd_1") -> LabelTask:
    return LabelTask(f"tsk_{round_id}_{frame_id}", round_id, frame_id, "person", 0, 0.5)


def test_exactly_the_sent_tasks_are_answered_in_their_order(sealed: SealedAnswers, annotator: OfflineAnnotator) -> None:
    sealed.seal([boxed("a"), boxed("b"), boxed("c")])
    tasks = [task("c"), task("a")]
    annotator.send(tasks)
    assert list(annotator.collect(tasks)) == [
        TaskResult(tasks[0].task_id, boxed("c")),
        TaskResult(tasks[1].task_id, boxed("a")),
    ]
    assert not list(annotator.collect([]))


def test_a_task_that_was_not_sent_is_refused_and_nothing_is_released(
    sealed: SealedAnswers, blobs: BlobStore, annotator: OfflineAnnotator
) -> None:
    answers = [masked(sealed, "a"), masked(sealed, "b", rows=3)]
    sealed.seal(answers)
    annotator.send([task("a")])
    with pytest.raises(InvalidInput, match="task tsk_rnd_1_b: was not sent to the offline annotator"):
        annotator.collect([task("a"), task("b")])
    assert [blobs.has(mask_of(answer).hash) for answer in answers] == [False, False]


def test_a_frame_of_another_round_is_another_task(sealed: SealedAnswers, annotator: OfflineAnnotator) -> None:
    sealed.seal([boxed("a")])
    annotator.send([task("a")])
    with pytest.raises(InvalidInput, match="tsk_rnd_2_a"):
        annotator.collect([task("a", round_id="rnd_2")])


def test_sending_and_collecting_again_changes_nothing(sealed: SealedAnswers, annotator: OfflineAnnotator) -> None:
    sealed.seal([masked(sealed, "a")])
    annotator.send([task("a")])
    once = list(annotator.collect([task("a")]))
    annotator.send([task("a")])
    assert list(annotator.collect([task("a")])) == once


def test_a_frame_that_nobody_labelled_is_rejected_with_the_reason(annotator: OfflineAnnotator) -> None:
    annotator.send([task("a")])
    (result,) = annotator.collect([task("a")])
    assert result.annotation is None
    assert result.rejected == "no label is known for it"


def mask_of(answer: Annotation) -> BlobRef:
    assert answer.mask is not None
    return answer.mask


def test_a_mask_leaves_the_seal_only_with_the_label_that_is_bought(
    sealed: SealedAnswers, blobs: BlobStore, annotator: OfflineAnnotator
) -> None:
    bought, unsold = masked(sealed, "a"), masked(sealed, "b", rows=3)
    sealed.seal([bought, unsold])
    annotator.send([task("a"), task("b")])
    with pytest.raises(NotFound):
        blobs.get(mask_of(bought).hash)
    list(annotator.collect([task("a")]))
    assert blobs.get(mask_of(bought).hash) == mask_png(1, rows=8)
    with pytest.raises(NotFound):
        blobs.get(mask_of(unsold).hash)


def test_labels_outside_of_a_round_are_released_with_their_masks(
    sealed: SealedAnswers, blobs: BlobStore, annotator: OfflineAnnotator
) -> None:
    answers = [masked(sealed, "a"), boxed("b"), masked(sealed, "c", rows=3)]
    sealed.seal(answers)
    assert annotator.buy(["b", "unknown", "a"]) == [answers[1], answers[0]]
    assert blobs.has(mask_of(answers[0]).hash)
    assert not blobs.has(mask_of(answers[2]).hash)


def test_a_sealed_mask_that_was_changed_is_not_sold(
    sealed: SealedAnswers, annotator: OfflineAnnotator, tmp_path: Path
) -> None:
    answer = masked(sealed, "a")
    sealed.seal([answer])
    (path,) = (tmp_path / "sealed" / "blobs").rglob(mask_of(answer).hash)
    path.write_bytes(mask_png(2, rows=8))
    with pytest.raises(CorruptBlob):
        annotator.buy(["a"])


def test_the_oracle_sees_the_classes_that_fill_a_cell(sealed: SealedAnswers) -> None:
    sealed.seal(
        [
            masked(sealed, "person above", value=1),
            masked(sealed, "bicycle above", value=2),
            masked(sealed, "nothing", rows=0),
            boxed("a cell of person", Box("person", 8, 8, 16, 16)),
            boxed("a sliver of person", Box("person", 8, 8, 8.5, 16)),
            boxed("bicycle unasked", Box("bicycle", 8, 8, 16, 16)),
        ]
    )
    expected = {
        "person above": [True, False],
        "bicycle above": [False, True],
        "nothing": [False, False],
        "a cell of person": [True, False],
        "a sliver of person": [False, False],
        "bicycle unasked": [False, False],
        "unlabelled": [False, False],
    }
    oracle = Oracle(sealed)
    for _ in range(2):
        shown = oracle.shows(list(expected), ["person", "bicycle"], GRID)
        np.testing.assert_array_equal(shown, np.array(list(expected.values())))
    np.testing.assert_array_equal(oracle.shows(["bicycle above", "person above"], ["bicycle"], GRID), [[True], [False]])
    assert oracle.shows([], ["person"], GRID).shape == (0, 1)
    np.testing.assert_array_equal(oracle.knows(["unlabelled", "nothing"]), [False, True])


def test_what_the_oracle_sees_does_not_leave_the_seal(sealed: SealedAnswers, blobs: BlobStore) -> None:
    answer = masked(sealed, "a")
    sealed.seal([answer])
    Oracle(sealed).shows(["a"], ["person"], GRID)
    assert not blobs.has(mask_of(answer).hash)
