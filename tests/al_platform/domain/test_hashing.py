"""Content hashes and ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import pytest

from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.hashing import HASH_CHARACTERS, canonical_json, hash_bytes, hash_record
from al_platform.domain.ids import annotation_id, frame_id_of, make_id
from al_platform.domain.labels import Annotation, Box
from al_platform.domain.rounds import StrategySpec

FRAME = Frame("frm_1", "d", "s", BlobRef("ab", 3, "image/png"), 4, 2, 7, timestamp_s=0.5, tags={"sun": "low"})


@dataclass(frozen=True)
class Sizes:
    of: Mapping[str, float] = field(default_factory=dict)


def test_a_hash_has_forty_hexadecimal_characters_and_is_blake2b() -> None:
    assert hash_bytes(b"") == "3345524abf6bbe1809449224b5972c41790b6cf2"
    assert len(hash_record(FRAME)) == HASH_CHARACTERS


def test_mappings_of_any_order_hash_alike() -> None:
    assert hash_record(Sizes({"a": 1.0, "b": 2.0})) == hash_record(Sizes({"b": 2.0, "a": 1.0}))


@pytest.mark.parametrize(("one", "same"), [(0, 0.0), (-0.0, 0), (3, 3.0), (2.0**53, 2**53)])
def test_numbers_that_are_equal_hash_alike(one: float, same: float) -> None:
    assert one == same
    assert hash_record(Sizes({"a": one})) == hash_record(Sizes({"a": same}))
    assert canonical_json([1.0, 2.5, 1e300]) == "[1,2.5,1e+300]"


def test_lists_and_tuples_hash_alike() -> None:
    assert hash_record(["a", ["b"]]) == hash_record(("a", ("b",)))


CHANGES: dict[str, object] = {
    "frame_id": "frm_2",
    "dataset": "D",
    "session_id": "s ",
    "image": BlobRef("ab", 4, "image/png"),
    "width": 5,
    "height": 3,
    "frame_number": 8,
    "timestamp_s": None,
    "tags": {"sun": "low", "rain": ""},
    "latitude": 47.0,
    "longitude": 8.0,
    "tier": "archive",
}


def test_every_field_of_a_frame_is_changed_below() -> None:
    assert set(CHANGES) == {f.name for f in fields(Frame)}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_any_field_changes_the_hash(name: str) -> None:
    assert hash_record(replace(FRAME, **{name: CHANGES[name]})) != hash_record(FRAME)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        hash_record(Sizes({"a": number}))


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot hash a set"):
        hash_record({"a": {1, 2}})
    with pytest.raises(TypeError, match="key 1: keys must be text"):
        hash_record({1: "a", "1": "b"})


def test_ids_say_what_they_are_and_depend_on_all_content() -> None:
    assert make_id("rnd", "a", "b").startswith("rnd_")
    assert len(make_id("rnd", "a")) == len("rnd_") + 24
    assert len({make_id("x", "a", "b"), make_id("x", "ab"), make_id("x", ["a", "b"]), make_id("x", "b", "a")}) == 4
    assert frame_id_of("0123456789" * 4) == "frm_012345678901234567890123"


def test_a_label_is_named_by_all_that_it_says() -> None:
    label = Annotation("frm_1", ("person",), "offline:d", boxes=(Box("person", 0, 0, 2, 2),), width=4, height=4)
    assert annotation_id(label) == annotation_id(replace(label, boxes=(Box("person", 0.0, 0.0, 2.0, 2.0),)))
    for other in (
        replace(label, frame_id="frm_2"),
        replace(label, classes=("person", "car")),
        replace(label, source="people"),
        replace(label, revision=2),
        replace(label, boxes=()),
    ):
        assert annotation_id(other) != annotation_id(label)


def test_a_whole_gap_names_the_same_strategy_however_it_is_written() -> None:
    assert hash_record(StrategySpec(minimum_gap_s=2)) == hash_record(StrategySpec(minimum_gap_s=2.0))
