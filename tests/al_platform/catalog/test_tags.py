"""Coded tags: whatever is shared and whatever is a frame's own, filters match the same frames."""

import json
import random
from collections.abc import Mapping

import pyarrow as pa
import pytest

from acquisition import NO_GROUP
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.catalog.frames import frames_by_id, frames_matching
from al_platform.catalog.tags import SHARED_VALUES, known_tags, tag_groups
from al_platform.domain.data import TagValue
from al_platform.errors import InvalidInput
from tests.al_platform.catalog.bulk_rows import columns


def add(catalog: Catalog, tags: list[Mapping[str, TagValue]], *, first: int = 0) -> None:
    rows = columns(len(tags), tags=pa.array([json.dumps(each) for each in tags], pa.string()))
    names = [f"f{first + row:04d}" for row in range(len(tags))]
    with catalog.transaction() as tx:
        add_frame_rows(tx, rows.set_column(0, "frame_id", pa.chunked_array([names])))


def coding(catalog: Catalog) -> tuple[int, dict[str, bool]]:
    """How many sets there are, and which names are shared."""
    with catalog.transaction() as tx:
        sets = tx.execute("SELECT count(*) FROM tag_sets").fetchall()[0][0]
        return sets, dict(tx.execute("SELECT name, shared FROM tag_names").fetchall())


def matching(catalog: Catalog, text: str) -> set[str]:
    with catalog.transaction() as tx:
        return set(frames_matching(tx, text)["item_id"].to_pylist())


def test_frames_with_the_same_tags_share_one_set(catalog: Catalog) -> None:
    add(catalog, [{"city": "bern", "night": row % 2} for row in range(100)])
    add(catalog, [{"night": row % 2, "city": "bern"} for row in range(100)], first=100)
    assert coding(catalog) == (3, {"city": True, "night": True})


def test_a_tag_of_many_values_becomes_each_frames_own_and_the_others_stay_shared(catalog: Catalog) -> None:
    few = [{"city": "bern", "lux": float(row)} for row in range(SHARED_VALUES)]
    add(catalog, few)
    assert coding(catalog)[1] == {"city": True, "lux": True}
    many = [{"city": "bern", "lux": float(row)} for row in range(SHARED_VALUES, 200)]
    add(catalog, many, first=len(few))
    assert coding(catalog) == (SHARED_VALUES + 2, {"city": True, "lux": False})
    with catalog.transaction() as tx:
        names = [f"f{row:04d}" for row in range(200)]
        assert [frame.tags for frame in frames_by_id(tx, names).values()] == [*few, *many]
    assert matching(catalog, "lux>=62,lux<66") == {"f0062", "f0063", "f0064", "f0065"}
    assert len(matching(catalog, "lux!=3|100,city=bern")) == 198


def test_a_new_tag_needs_nothing_but_a_frame_that_carries_it(catalog: Catalog) -> None:
    add(catalog, [{"city": "bern"}])
    add(catalog, [{"mood": 'it\'s "fine"; --'}], first=1)
    with catalog.transaction() as tx:
        assert known_tags(tx) == ["city", "mood"]
    assert matching(catalog, 'mood=it\'s "fine"; --') == {"f0001"}
    assert matching(catalog, "mood!=x") == {"f0000", "f0001"}


@pytest.mark.parametrize("seed", range(4))
def test_filters_on_coded_tags_match_what_they_match_frame_by_frame(catalog: Catalog, seed: int) -> None:
    draw = random.Random(seed)
    tags: list[dict[str, TagValue]] = []
    for _ in range(300):
        carried: dict[str, TagValue] = {"lux": float(draw.randrange(150))} if draw.random() < 0.8 else {}
        carried.update({"city": draw.choice(["bern", "rome", "60"])} if draw.random() < 0.7 else {})
        tags.append(carried)
    for first in range(0, 300, 50):
        add(catalog, tags[first : first + 50], first=first)
    value = draw.randrange(150)
    by_hand = {
        f"lux={value}|60": lambda its: its.get("lux") in (value, 60.0),
        f"lux!={value}|60": lambda its: its.get("lux") not in (value, 60.0),
        f"lux>{value}": lambda its: its.get("lux", -1.0) > value,
        "city=bern|60": lambda its: its.get("city") in ("bern", "60"),
        f"city!=rome,lux<={value}": lambda its: its.get("city") != "rome" and its.get("lux", 999.0) <= value,
    }
    for text, matches in by_hand.items():
        assert matching(catalog, text) == {f"f{row:04d}" for row, its in enumerate(tags) if matches(its)}, text


def test_groups_are_equal_where_the_values_of_a_tag_are_and_frames_without_it_have_none(catalog: Catalog) -> None:
    add(catalog, [{"kind": 60}, {"kind": "wet"}, {"other": 1}, {"kind": 60.0}, {"kind": "wet"}, {"kind": "dry"}])
    names = pa.chunked_array([[f"f{row:04d}" for row in (3, 2, 1, 0, 4, 5)]])
    with catalog.transaction() as tx:
        codes = tag_groups(tx, "kind", names).tolist()
        assert (codes[0], codes[1], codes[2]) == (codes[3], NO_GROUP, codes[4])
        assert len({codes[0], codes[2], codes[5], NO_GROUP}) == 4
        with pytest.raises(InvalidInput, match="tag 'surprise': no frame carries it; known are kind, other"):
            tag_groups(tx, "surprise", names)
