"""Pages give every item that was there all along exactly once, whatever is added meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.catalog.frames import FrameFacts, add_frames
from al_platform.catalog.listing import frames_page
from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput
from api.paging import cursor_of, place_of
from tests.al_platform.catalog.bulk_rows import columns
from tests.api.conftest import Served

FACTS = FrameFacts(100.0, 50.0, "here")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "catalog.duckdb")
    yield opened
    opened.close()


def frame(number: int, session: int) -> Frame:
    return Frame(f"frm_{session}_{number}", "d", f"d/s{session}", BlobRef("0" * 40, 1, "image/png"), 8, 8, number % 4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sets(st.tuples(st.integers(0, 20), st.integers(0, 4)), min_size=1, max_size=40),
    later=st.lists(st.sets(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=10), max_size=10),
    limit=st.integers(1, 7),
)
def test_no_item_comes_twice_and_none_is_lost_while_rows_are_inserted(
    catalog: Catalog, first: set[tuple[int, int]], later: list[set[tuple[int, int]]], limit: int
) -> None:
    with catalog.transaction() as tx:
        tx.execute("DELETE FROM frames")
        add_frames(tx, [(frame(*place), FACTS) for place in sorted(first)])
    seen: list[tuple[str, int, str]] = []
    after = None
    while True:
        with catalog.transaction() as tx:
            page = frames_page(tx, "", PageRequest(limit, after))
            if later:
                add_frames(tx, [(frame(*place), FACTS) for place in sorted(later.pop())])
        seen += [(item.session_id, item.frame_number, item.frame_id) for item in page.items]
        if page.after is None:
            break
        after = place_of(cursor_of(page.after) or "")
    assert seen == sorted(set(seen))
    assert {f"frm_{session}_{number}" for number, session in first} <= {frame_id for _, _, frame_id in seen}


def test_pages_of_every_size_give_the_same_list(shared: Served) -> None:
    lists = []
    for size in (1, 7, 80, 200):
        with shared.client() as client:
            lists.append([frame.frame_id for frame in client.frames("", page=size)])
    assert len(lists[0]) == len(set(lists[0])) == 80
    assert all(found == lists[0] for found in lists)


def test_a_cursor_of_one_list_is_refused_by_another(shared: Served) -> None:
    with shared.http() as http:
        cursor = http.get("/v1/sessions?limit=1").json()["next_cursor"]
        assert http.get(f"/v1/frames?cursor={cursor}").json()["code"] == "invalid-input"


@given(st.lists(st.one_of(st.integers(-(2**62), 2**62), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1))
def test_a_cursor_comes_back_as_the_place_it_was_made_of(place: list[int | str]) -> None:
    assert place_of(cursor_of(tuple(place)) or "") == tuple(place)


def test_frames_that_came_in_bulk_are_listed_without_what_was_never_measured(served: Served) -> None:
    with served.service.platform.catalog.transaction() as tx:
        add_frame_rows(tx, columns(3))
    with served.client() as client:
        found = list(client.frames("dataset=d", page=2))
    assert [frame.frame_id for frame in found] == ["f0", "f1", "f2"]
    assert {(frame.brightness, frame.sharpness) for frame in found} == {(None, None)}


def test_a_place_among_measures_comes_back_as_it_was_and_none_is_no_number() -> None:
    place = (0.1, -1.0, "evl_1", 3)
    found = place_of(cursor_of(place) or "")
    assert [(part, type(part)) for part in found] == [(part, type(part)) for part in place]
    for part in (float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="begin again without a cursor"):
            place_of(cursor_of((part,)) or "")
