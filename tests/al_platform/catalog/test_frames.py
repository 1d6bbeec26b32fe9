"""Frames: bulk, order, filters that cannot become SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.filters import known_tags
from al_platform.catalog.frames import FrameFacts, add_frames, frame_counts, frames_by_id, frames_matching
from al_platform.domain.data import BlobRef, Frame, TagValue
from al_platform.errors import InvalidInput, NotFound

FACTS = FrameFacts(100.0, 5.0, "a file")


def frame(name: str, *, session: str = "d/s", number: int = 0, tags: Mapping[str, TagValue] | None = None) -> Frame:
    image = BlobRef(f"hash {name}", 10, "image/png")
    return Frame(name, "d", session, image, 640, 480, number, tags=tags or {})


def add(catalog: Catalog, *frames: Frame, facts: FrameFacts = FACTS) -> int:
    with catalog.transaction() as tx:
        return add_frames(tx, [(each, facts) for each in frames])


def matching(catalog: Catalog, text: str) -> list[str]:
    with catalog.transaction() as tx:
        names: list[str] = frames_matching(tx, text)["item_id"].to_pylist()
    return names


ODD = 'it\'s "quoted"; DROP TABLE frames; -- é日本\n\\ $.x ?'


def test_a_frame_comes_back_as_it_went_in(catalog: Catalog) -> None:
    frames = [
        frame("plain"),
        replace(frame(ODD, session=f"{ODD}/{ODD}", tags={ODD: ODD, "lux": 2.5}), dataset=ODD, timestamp_s=1.25),
        replace(frame("large", number=2**53), timestamp_s=0.1),
    ]
    add(catalog, *frames)
    with catalog.transaction() as tx:
        assert list(frames_by_id(tx, [each.frame_id for each in frames]).values()) == frames
        assert list(frames_by_id(tx, ["large", "plain"])) == ["large", "plain"]


def test_frames_that_are_known_stay_as_they_are(catalog: Catalog) -> None:
    assert add(catalog, frame("a"), frame("b")) == 2
    assert add(catalog, frame("a"), frame("b")) == 0
    assert add(catalog, frame("a", number=9), frame("c")) == 1
    assert add(catalog) == 0
    with catalog.transaction() as tx:
        assert frames_by_id(tx, ["a", "c"]) == {"a": frame("a"), "c": frame("c")}


def test_an_unknown_frame_is_named(catalog: Catalog) -> None:
    add(catalog, frame("a"))
    with catalog.transaction() as tx:
        assert frames_by_id(tx, []) == {}
        with pytest.raises(NotFound, match="frame b: not in the catalog"):
            frames_by_id(tx, ["a", "b"])


def test_frames_are_ordered_by_session_then_number_then_id(catalog: Catalog) -> None:
    add(
        catalog,
        frame("e", session="d/s2", number=1),
        frame("d", session="d/s10", number=10),
        frame("c", session="d/s10", number=9),
        frame("b", session="d/s2", number=1),
    )
    assert matching(catalog, "") == ["c", "d", "b", "e"]


def test_counts_are_by_dataset(catalog: Catalog) -> None:
    add(catalog, frame("a"), frame("b"), frame("c", session="d/t"), replace(frame("d", session="e/s"), dataset="e"))
    with catalog.transaction() as tx:
        assert frame_counts(tx) == [
            {"dataset": "d", "frames": 3, "sessions": 2},
            {"dataset": "e", "frames": 1, "sessions": 1},
        ]


def test_fifty_thousand_frames_go_in_at_once(catalog: Catalog) -> None:
    frames = [frame(f"frm_{n:05d}", session=f"d/s{n % 50}", number=n, tags={"lux": float(n)}) for n in range(50_000)]
    assert add(catalog, *frames) == 50_000
    assert len(matching(catalog, "lux>=25000")) == 25_000
    with catalog.transaction() as tx:
        assert len(frames_by_id(tx, [each.frame_id for each in frames])) == 50_000


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    catalog = Catalog.open(tmp_path_factory.mktemp("varied") / "catalog.duckdb")
    add(catalog, frame("a", number=1, tags={"split": "train", "lux": 60.0, "time-of day": "7"}))
    add(catalog, frame("b", number=2, tags={"split": "val", "lux": 60.5, "it's; \"/~": "x"}))
    add(catalog, frame("c", number=3, tags={"split": "it's; DROP", "lux": "60"}), facts=FrameFacts(60.1, 0.5, ""))
    add(catalog, replace(frame("d", session="d/007", number=4), timestamp_s=2.0))
    yield catalog
    catalog.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abcd"),
        (" , ,", "abcd"),
        ("split=train", "a"),
        (" split = train ", "a"),
        ("split=train|val", "ab"),
        ("split = train | val ,lux>60", "b"),
        ("split!=train", "bcd"),
        ("split!=train|val", "cd"),
        ("split=it's; DROP", "c"),
        ("split=TRAIN", ""),
        ("time-of day=7", "a"),
        ("time-of day=07", ""),
        ("it's; \"/~=x", "b"),
        ("lux=60", "ac"),
        ("lux=60.0", "a"),
        ("lux=6e1|60.5", "ab"),
        ("lux!=60", "bd"),
        ("lux>60", "b"),
        ("lux>=60", "abc"),
        ("lux<60.5", "ac"),
        ("lux<=60.5", "abc"),
        ("brightness=60.1", "c"),
        ("brightness!=60.1", "abd"),
        ("brightness>=60.1", "abcd"),
        ("brightness<=60.1", "c"),
        ("brightness<60.1", ""),
        ("brightness=100", "abd"),
        ("frame_number=2|4.0", "bd"),
        ("frame_number=2|4,frame_number=4.0|1", "d"),
        ("lux=60,lux=60.0", "a"),
        ("split=train|val,split=val", "b"),
        ("split=train|val,split!=val", "a"),
        ("frame_number>1,frame_number<4", "bc"),
        ("timestamp_s=2", "d"),
        ("timestamp_s!=2", "abc"),
        ("timestamp_s<9", "d"),
        ("session_id=d/007", "d"),
        ("session_id=007", ""),
        ("session_id<8", ""),
        ("dataset=d,frame_id!=a|b", "cd"),
        ("width=640,height>479.5", "abcd"),
    ],
)
def test_a_filter_matches_exactly_these_frames(varied: Catalog, text: str, expected: str) -> None:
    assert "".join(sorted(matching(varied, text))) == expected


@pytest.mark.parametrize(
    "text",
    ["split", "=train", "split=", "split==train", "split=>3", "lux!>3", "'; DROP TABLE frames; --", "a\nb"],
)
def test_a_term_that_does_not_parse_is_named_with_the_grammar(varied: Catalog, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"filter term .*: write NAME=A\|B, NAME!=A\|B or NAME>=NUMBER"):
        matching(varied, text)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("split=train,split=val", r"'split=train' and 'split=val': .* write split=train\|val"),
        ("split=train, lux>1, split = val|test", r"'split=train' and 'split = val\|test': no frame can be both"),
        ("frame_number=1|2,frame_number=2|3,frame_number=3", r"'frame_number=2\|3' and 'frame_number=3'"),
        ("session_id=d/7,session_id=d/07", r"write session_id=d/7\|d/07"),
    ],
)
def test_terms_that_no_frame_satisfies_together_are_refused_with_what_was_meant(
    varied: Catalog, text: str, cure: str
) -> None:
    with pytest.raises(InvalidInput, match=f"filter terms .*{cure}"):
        matching(varied, text)


@pytest.mark.parametrize("name", ["weather", "tags", "1=1) OR (frame_number", "split' OR '1", "Split"])
def test_an_unknown_name_lists_the_known_ones(varied: Catalog, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"no frame carries it; known are frame_id, .*brightness.*lux, split"):
        matching(varied, f"{name}>=1")


@pytest.mark.parametrize("term", ["lux>=dark", "brightness=dark", "lux<nan", "frame_number>1; DROP TABLE frames"])
def test_what_must_be_a_number_is_named(varied: Catalog, term: str) -> None:
    with pytest.raises(InvalidInput, match="needs a number, not "):
        matching(varied, term)


@pytest.mark.parametrize(
    "value", ["'", "''; DROP TABLE frames; --", '"', "x') OR ('1'='1", "%", "?", "$.x", "\\", "x\x00y"]
)
def test_a_value_is_never_sql(varied: Catalog, value: str) -> None:
    assert matching(varied, f"split={value}") == []
    assert len(matching(varied, f'split!={value}|"')) == 4
    assert len(matching(varied, "")) == 4


def test_known_tags_are_those_of_any_frame_sorted(varied: Catalog) -> None:
    with varied.transaction() as tx:
        assert known_tags(tx) == ["it's; \"/~", "lux", "split", "time-of day"]


def test_an_empty_catalog_knows_no_tag(catalog: Catalog) -> None:
    assert matching(catalog, "dataset=d") == []
    with pytest.raises(InvalidInput, match="known are frame_id, dataset"):
        matching(catalog, "split=train")
