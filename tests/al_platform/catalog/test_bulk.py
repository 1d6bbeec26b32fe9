"""Bulk ingest: what is whole goes in at once, what is not is named by column, row and value."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_platform.catalog.bulk import COLUMNS, add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.catalog.frames import add_sessions, all_sessions, frames_by_id, frames_matching, move_to_tier
from al_platform.domain.data import BlobRef, Frame, Session
from al_platform.errors import InvalidInput, StorageUnavailable
from tests.al_platform.catalog.bulk_rows import REQUIRED, columns

NAN = float("nan")


def add(catalog: Catalog, rows: Any) -> int:
    with catalog.transaction() as tx:
        return add_frame_rows(tx, rows)


def frames(catalog: Catalog) -> list[str]:
    with catalog.transaction() as tx:
        found: list[str] = frames_matching(tx, "")["item_id"].to_pylist()
    return found


def test_the_required_columns_are_enough_and_the_others_have_defaults(catalog: Catalog) -> None:
    assert tuple(name for name, column in COLUMNS.items() if column.default is None) == REQUIRED
    assert add(catalog, columns(1)) == 1
    with catalog.transaction() as tx:
        assert frames_by_id(tx, ["f0"])["f0"] == Frame(
            "f0", "d", "d/s", BlobRef("hash 0", 10, "image/jpeg"), 640, 480, 0, tier="hot"
        )
        assert all_sessions(tx) == [Session("d/s", "d")]


def test_every_column_comes_back_as_it_went_in(catalog: Catalog) -> None:
    more = {
        "timestamp_s": [1.5, None],
        "latitude": [-33.86, None],
        "longitude": [151.2, None],
        "brightness": [255.0, None],
        "sharpness": [0.0, None],
        "clipped": [0.25, None],
        "tier": ["archive", "hot"],
        "media_type": ["image/png", "image/jpeg"],
        "tags": ['{"city":"bern","lux":60.5}', None],
        "origin": ["it's here", ""],
    }
    assert set(more) | set(REQUIRED) == set(COLUMNS)
    assert add(catalog, columns(2, **more)) == 2
    with catalog.transaction() as tx:
        first, second = frames_by_id(tx, ["f0", "f1"]).values()
        assert frames_matching(tx, "tier=archive,clipped=0.25,latitude<0")["item_id"].to_pylist() == ["f0"]
    assert (first.latitude, first.longitude, first.timestamp_s, first.tier) == (-33.86, 151.2, 1.5, "archive")
    assert first.tags == {"city": "bern", "lux": 60.5}
    assert (second.latitude, second.timestamp_s, second.tier, second.tags) == (None, None, "hot", {})


@pytest.mark.parametrize("form", ["table", "reader", "parquet", "dictionary", "chunks", "views"])
def test_rows_may_come_as_arrow_in_any_layout_or_as_parquet(catalog: Catalog, tmp_path: Path, form: str) -> None:
    table = columns(1000)
    path = tmp_path / "it's [odd] *.parquet"
    pq.write_table(table, path, row_group_size=100)
    coded = table.set_column(2, "session_id", table["session_id"].dictionary_encode())
    views = table.set_column(0, "frame_id", table["frame_id"].cast(pa.string_view()))
    forms = {
        "table": table,
        "reader": table.to_reader(max_chunksize=64),
        "parquet": path,
        "dictionary": coded,
        "chunks": pa.concat_tables([table.slice(row, 10) for row in range(0, 1000, 10)]),
        "views": views,
    }
    assert add(catalog, forms[form]) == 1000
    assert frames(catalog) == [f"f{row}" for row in range(1000)]


def test_again_is_free_and_what_is_known_stays(catalog: Catalog) -> None:
    add(catalog, columns(3))
    assert add(catalog, columns(5, width=[1, 1, 1, 2, 2])) == 2
    with catalog.transaction() as tx:
        assert [frame.width for frame in frames_by_id(tx, frames(catalog)).values()] == [640, 640, 640, 2, 2]
    assert add(catalog, columns(0, tags=pa.array([], pa.string()))) == 0


def test_a_clock_that_jumps_back_is_kept_and_frames_stay_in_the_order_of_their_numbers(catalog: Catalog) -> None:
    add(catalog, columns(3, timestamp_s=[5.0, 1.0, 3.0]))
    with catalog.transaction() as tx:
        found = frames_matching(tx, "")
    assert found["frame_number"].to_pylist() == [0, 1, 2]
    assert found["timestamp_s"].to_pylist() == [5.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"speed": [1, 2, 3]}, "column 'speed': not a column of frames; known are frame_id, "),
        ({"width": ["a", "b", "c"]}, "column 'width': holds string; give whole values"),
        ({"timestamp_s": ["1", "2", "3"]}, "column 'timestamp_s': holds string; give number values"),
        ({"dataset": [1, 2, 3]}, "column 'dataset': holds int64; give text values"),
        ({"frame_id": ["a", None, "c"]}, "column 'frame_id', row 1: None give every row one (1 such rows)"),
        ({"image_hash": pa.nulls(3)}, "column 'image_hash', row 0: None give every row one (3 such rows)"),
        ({"tier": ["hot", "hot", None]}, "column 'tier', row 2: None give every row one"),
        ({"tier": ["hot", "cold", "hot"]}, "column 'tier', row 1: 'cold' must be one of hot, archive"),
        ({"frame_id": ["a", "b", "a"]}, "column 'frame_id', row 2: 'a' is in row 0 already; give it once"),
        ({"timestamp_s": [1.0, NAN, 2.0]}, "column 'timestamp_s', row 1: nan must be finite seconds, or null"),
        ({"timestamp_s": [1.0, 1.0, -float("inf")]}, "column 'timestamp_s', row 2: -inf must be finite"),
        ({"latitude": [0.0, 91.0, NAN]}, "column 'latitude', row 1: 91.0 must be degrees in [-90, 90]"),
        ({"longitude": [0.0, 0.0, NAN]}, "column 'longitude', row 2: nan must be degrees in [-180, 180]"),
        ({"clipped": [0.0, 1.5, 0.0]}, "column 'clipped', row 1: 1.5 must be a share in [0, 1]"),
        ({"sharpness": [0.0, float("inf"), -1.0]}, "column 'sharpness', row 1: inf must be 0 or more"),
        ({"brightness": [0.0, 256.0, 0.0]}, "column 'brightness', row 1: 256.0 must be in [0, 255]"),
        ({"width": [1, 0, 1]}, "column 'width', row 1: 0 must be pixels, at least 1"),
        ({"height": [1, 2**40, 1]}, "column 'height', row 1: 1099511627776 must be pixels"),
        ({"image_size": [1, 1, -1]}, "column 'image_size', row 2: -1 must be bytes"),
        ({"image_size": pa.array([1, 1, 2**64 - 1], pa.uint64())}, "rows: not whole Parquet or Arrow"),
        ({"session_id": ["d/s", "s", "d/s"]}, "column 'session_id', row 1: 's' must be the dataset, '/', and the"),
        ({"dataset": ["d", "d/e", "d"]}, "column 'dataset', row 1: 'd/e' must be a name without '/'"),
        ({"tags": ["{}", "[1]", "{}"]}, "tags '[1]': write one JSON object"),
        ({"tags": ["{}", '{"a":', "{}"]}, """tags '{"a":': write one JSON object"""),
        ({"tags": ["{}", '{"a":[1]}', "{}"]}, "tag 'a' must be named once, a text or a finite number"),
        ({"tags": ["{}", '{"a":null}', "{}"]}, "tag 'a' must be named once, a text or a finite number"),
        ({"tags": ["{}", '{"a":1,"a":2}', "{}"]}, "tag 'a' must be named once, a text or a finite number"),
        ({"tags": ["{}", '{"a":NaN}', "{}"]}, "tag 'a' must be named once, a text or a finite number"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_kept(catalog: Catalog, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(catalog, columns(3, **changed))
    assert said in str(refused.value)
    assert frames(catalog) == []
    with catalog.transaction() as tx:
        assert all_sessions(tx) == []


def test_a_missing_column_and_one_that_comes_twice_are_named(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="columns width, image_hash: missing; every frame needs them"):
        add(catalog, columns().drop_columns(["width", "image_hash"]))
    twice = columns().append_column("width", [[1, 2, 3]])
    with pytest.raises(InvalidInput, match="column 'width': comes twice"):
        add(catalog, twice)


@pytest.mark.parametrize("content", [b"", b"name,age\n1,2\n", "half"])
def test_a_file_that_is_torn_or_foreign_is_named(catalog: Catalog, tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "frames.parquet"
    pq.write_table(columns(1000), path)
    path.write_bytes(content if isinstance(content, bytes) else path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InvalidInput, match=f"{path}: not whole Parquet"):
        add(catalog, path)
    with pytest.raises(InvalidInput, match=r"none.parquet: there is no such file"):
        add(catalog, tmp_path / "none.parquet")


def test_a_page_that_was_changed_stops_the_ingest_and_nothing_is_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    pq.write_table(columns(20_000), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[2000:30_000] = bytes(28_000)
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidInput, match=f"{path}: not whole Parquet"):
        add(catalog, path)
    assert frames(catalog) == []


def test_sessions_of_one_name_in_two_datasets_are_two(catalog: Catalog) -> None:
    add(catalog, columns(2))
    add(catalog, columns(2, frame_id=["g0", "g1"], dataset=["e", "e"], session_id=["e/s", "e/s"]))
    with catalog.transaction() as tx:
        assert [session.session_id for session in all_sessions(tx)] == ["d/s", "e/s"]
        assert frames_matching(tx, "")["session"].to_pylist() == [0, 0, 1, 1]
        assert frames_matching(tx, "session_id=e/s")["item_id"].to_pylist() == ["g0", "g1"]


def test_what_is_known_of_a_session_can_be_told_later(catalog: Catalog) -> None:
    known = Session("d/s", "d", "2026-01-31 12:00:00.500000", 47.37, 8.54)
    add(catalog, columns(1))
    with catalog.transaction() as tx:
        add_sessions(tx, [known, Session("d/t", "d")])
        assert all_sessions(tx) == [known, Session("d/t", "d")]


def test_frames_move_between_tiers_by_filter(catalog: Catalog) -> None:
    add(catalog, columns(4))
    with catalog.transaction() as tx:
        assert move_to_tier(tx, "frame_number>=1", "archive") == 3
        assert move_to_tier(tx, "frame_number>=2", "archive") == 0
        assert frames_matching(tx, "tier=hot")["item_id"].to_pylist() == ["f0"]
        with pytest.raises(InvalidInput, match="tier 'cold': known are hot, archive"):
            move_to_tier(tx, "", "cold")


def test_two_ingests_at_once_cannot_add_a_frame_twice(catalog: Catalog) -> None:
    with catalog.transaction() as first:
        add_frame_rows(first, columns(2))
        with pytest.raises(StorageUnavailable, match="another ingest is under way"):
            add(catalog, columns(2))
    assert add(catalog, columns(3)) == 1
    assert frames(catalog) == ["f0", "f1", "f2"]
