"""Records to JSON and back, and what they refuse to be."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from al_platform.domain.data import BlobRef, Frame, Session
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.hashing import canonical_json, hash_record
from al_platform.domain.labels import Annotation, Box, LabelTask, ObjectClass, TaskState
from al_platform.domain.loops import LoopSpec, Plateau, Stopping, Trigger
from al_platform.domain.models import EnsembleVersion, GridSpec, ModelSpec, ModelVersion, TrainingSpec
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import (
    Budget,
    CurriculumShare,
    Round,
    RoundSpec,
    RoundState,
    Selection,
    StrategySpec,
)
from al_platform.errors import InvalidInput

MODEL = ModelSpec(
    classes=("person", "bicycle"),
    members=3,
    grid=GridSpec(32, 64, 8, 0.25),
    training=TrainingSpec(steps=30, evaluate_every=10),
    options={"hidden": 4},
)
ROUND = RoundSpec(
    MODEL,
    "dsv_1",
    "pool_1",
    ("bicycle",),
    Budget(20, objects=5),
    strategy=StrategySpec("mi", 2, 1.5, 0.3, group_quota=4, group_tag="weather", control_share=0.1),
    seed=3,
    test_version_id="dsv_2",
    curriculum=(CurriculumShare("time=night", 2.5), CurriculumShare("", 1)),
)
BLOB = BlobRef("ab" * 20, 10, "image/png")
RECORDS = [
    BLOB,
    Session("d/s", "d", "2026-01-31 12:00:00.000000", 47.37, 8.54),
    Frame("frm_1", "d", "it's", BLOB, 4, 2, 7, timestamp_s=1.0, tags={"a": "1", "b": 1.0}),
    DatasetItem("frm_1", "ann_1"),
    DatasetVersion("dsv_1", None, "ab", 3, 2, "train"),
    ObjectClass("person"),
    Annotation("frm_1", ("person",), "people", mask=BLOB, mask_values={"4": "person"}, ignore_values=(255,)),
    Annotation("frm_1", ("person",), "people", revision=2, boxes=(Box("person", 0.5, 0, 2, 3),), width=4, height=4),
    LabelTask("tsk_1", "rnd_1", "frm_1", "person", 0, 0.25, TaskState.SENT),
    MODEL,
    ROUND,
    Round("rnd_1", ROUND, RoundState.SCORED, ensemble_id="ens_1", message='a "quote"'),
    Selection("frm_1", "person", -0.0, 1),
    LoopSpec(ROUND, 4, "night"),
    LoopSpec(ROUND, None, pool="split=pool", trigger=Trigger("0 3 * * *", 50), stopping=Stopping(9, Plateau(), 0.5)),
    EnsembleVersion(
        "ens_1",
        MODEL,
        "dsv_1",
        "enc_1",
        3,
        "cd" * 20,
        (ModelVersion(0, 20, float(np.finfo(np.float32).max), 1.0), ModelVersion(1, 10, 0.125, 0.5)),
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_from_its_json_as_it_was(record: Any) -> None:
    back = record_from_json(type(record), canonical_json(record))
    assert back == record
    assert hash_record(back) == hash_record(record)


def test_numbers_come_back_as_the_type_that_the_record_declares() -> None:
    back = record_from_json(LabelTask, canonical_json(LabelTask("t", "r", "f", "c", 0, 2.0)))
    assert type(back.score) is float
    frame = Frame("f", "d", "d/s", BlobRef("h", 1, "image/png"), 4, 4, 0, tags={"n": "1"})
    assert record_from_json(Frame, canonical_json(frame)).tags == {"n": "1"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"item_id":"f"}', '{"item_id":1,"annotation_id":"a"}'])
def test_text_that_is_no_such_record_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        record_from_json(DatasetItem, text)


def test_a_record_from_json_is_checked_as_one_made_by_hand() -> None:
    with pytest.raises(InvalidInput, match="budget 0"):
        record_from_json(Budget, '{"frames":0}')


def test_specifications_serve_as_keys() -> None:
    again = record_from_json(RoundSpec, canonical_json(ROUND))
    assert hash(again) == hash(ROUND)
    assert len({MODEL, again.model, replace(MODEL, options={"hidden": 5})}) == 2


NAN = float("nan")
REFUSALS: list[tuple[Callable[[], object], str]] = [
    (lambda: GridSpec(cell=0), "cell 0: must divide the image 320x224"),
    (lambda: GridSpec(cell=15), "cell 15: must divide the image 320x224"),
    (lambda: GridSpec(image_height=0), "image 320x0: width and height must be at least 1"),
    (lambda: GridSpec(image_width=-16), "image -16x224: width and height must be at least 1"),
    (lambda: GridSpec(positive_share=0.0), "positive_share 0.0: must be in (0, 1]"),
    (lambda: GridSpec(positive_share=NAN), "positive_share nan: must be in (0, 1]"),
    (lambda: TrainingSpec(steps=0), "steps 0: must be at least 1"),
    (lambda: TrainingSpec(batch_frames=-1), "batch_frames -1: must be at least 1"),
    (lambda: TrainingSpec(evaluate_every=0), "evaluate_every 0: must be at least 1"),
    (lambda: TrainingSpec(validation_folds=1), "validation_folds 1: must be at least 2"),
    (lambda: TrainingSpec(learning_rate=0.0), "learning_rate 0.0: must be a number greater than 0"),
    (lambda: TrainingSpec(learning_rate=NAN), "learning_rate nan: must be a number greater than 0"),
    (lambda: TrainingSpec(weight_decay=-0.1), "weight_decay -0.1: must be a number, 0 or more"),
    (lambda: TrainingSpec(steps=30), "steps 30: must be a multiple of evaluate_every 25"),
    (lambda: ModelSpec(classes=()), "no classes: name at least one"),
    (lambda: ModelSpec(classes=("a", "b", "a")), "classes a, b, a: each may be named once"),
    (lambda: replace(MODEL, members=0), "members 0: must be at least 1"),
    (lambda: Budget(0), "budget 0: must be at least 1 frame"),
    (lambda: Budget(1, objects=0), "object budget 0: must be at least 1 positive cell"),
    (lambda: StrategySpec(session_cap=0), "session_cap 0: must be at least 1, or left out"),
    (lambda: StrategySpec(minimum_gap_s=-1.0), "minimum_gap_s -1.0: must be 0 or more seconds"),
    (lambda: StrategySpec(minimum_gap_s=NAN), "minimum_gap_s nan: must be 0 or more seconds"),
    (lambda: replace(ROUND, targets=()), "no target classes: name at least one"),
    (
        lambda: replace(ROUND, targets=("person", "tram")),
        "target tram: not a class of the model (person, bicycle)",
    ),
    (lambda: replace(ROUND, targets=("person", "person")), "targets person, person: each may be named once"),
    (lambda: replace(ROUND, seed=-1), "seed -1: must be at least 0 and below 2147483648"),
    (lambda: replace(ROUND, seed=2**31), "seed 2147483648: must be at least 0 and below 2147483648"),
    (lambda: LoopSpec(ROUND, 0), "rounds 0: must be at least 1"),
    (
        lambda: Annotation("frm_9", ("a",), "s", mask=BLOB, boxes=(Box("a", 0, 0, 1, 1),)),
        "label of frame frm_9: has a mask and 1 boxes; give one of the two",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSALS, ids=[message for _, message in REFUSALS])
def test_a_refusal_names_the_value_and_the_cure(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        make()
