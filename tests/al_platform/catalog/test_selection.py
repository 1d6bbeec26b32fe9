"""Claims about selecting from score shards: whatever is left unread, the picks are those of reading everything."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition import NO_GROUP, SCORES, Limits, round_robin
from al_platform.catalog import selection
from al_platform.catalog.selection import FleetPool, select_rows
from al_platform.catalog.shards import check_shards, find_shards
from al_platform.errors import InvalidInput, NonFiniteScore, NotFound, StorageUnavailable
from tests.shards import write_shards

MEASURES = ("mi_mean", "mi_sum", "entropy_sum", "variance_sum")


@st.composite
def fleets(draw: st.DrawFn) -> dict:
    """Small fleets in many small shards: ties, NULL clocks, crowded sessions and filters are the rule."""
    count, classes = draw(st.integers(1, 120)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 3, 10, 10_000]))
    allowed = rng.random(count) < draw(st.sampled_from([1.0, 0.7, 0.1]))
    allowed[rng.integers(count)] = True
    clocks = rng.integers(0, 12, count) / draw(st.sampled_from([1.0, 10.0]))
    return {
        "measures": {name: (rng.integers(0, levels, (count, classes)) / 7.0).astype(np.float32) for name in MEASURES},
        "sessions": np.unique(rng.integers(0, draw(st.sampled_from([2, 8, 100])), count), return_inverse=True)[1],
        "timestamps_s": np.where(rng.random(count) < 0.2, np.nan, clocks),
        "allowed": allowed,
        "groups": rng.integers(NO_GROUP, 4, count),
        "embeddings": rng.integers(-4, 5, (count, 2)).astype(np.float32),
        "apart_from": rng.integers(-4, 5, (draw(st.integers(0, 2)), 2)).astype(np.float32),
        "suited": draw(st.sampled_from([None, rng.random((count, classes)) < 0.5])),
        "limits": Limits(
            session_cap=draw(st.sampled_from([None, 1, 2, 5])),
            minimum_gap_s=draw(st.sampled_from([0.0, 0.0, 0.3, 2.5])),
            group_quota=draw(st.sampled_from([None, None, 1, 4])),
            minimum_distance=draw(st.sampled_from([0.0, 0.0, 2.5])),
            control_share=draw(st.sampled_from([0.0, 0.0, 0.1, 0.4])),
        ),
        "budget": draw(st.integers(1, 130)),
        "seed": draw(st.integers(0, 3)),
        "shard_rows": draw(st.sampled_from([1_000, 40, 16])),
        "group_rows": draw(st.sampled_from([3, 1_000])),
        "score": draw(st.sampled_from(["mi", "mi", "mi_mean", "epishare", "variance", "entropy_sum"])),
        "slack": draw(st.sampled_from([0, 5, 4096])),
        "kept": draw(st.sampled_from([4, 20, 4_000_000])),
    }


def everything_read(fleet: dict) -> tuple[list[int], list[int]]:
    measures = SimpleNamespace(**fleet["measures"])
    score = SCORES[fleet["score"]](measures) if fleet["score"] in SCORES else fleet["measures"][fleet["score"]]
    rows, classes = round_robin(
        score,
        fleet["budget"],
        limits=fleet["limits"],
        session_ids=fleet["sessions"],
        timestamps_s=fleet["timestamps_s"],
        group_codes=fleet["groups"],
        embeddings_ND=fleet["embeddings"],
        apart_from_LD=fleet["apart_from"],
        excluded=~fleet["allowed"],
        suited_NK=fleet["suited"],
        seed=fleet["seed"],
    )
    return rows.tolist(), classes.tolist()


def write(fleet: dict, folder: Path) -> None:
    write_shards(
        folder,
        fleet["measures"],
        sessions=fleet["sessions"],
        timestamps_s=fleet["timestamps_s"],
        shard_rows=fleet["shard_rows"],
        group_rows=fleet["group_rows"],
    )


def selected(fleet: dict, folder: Path) -> selection.FleetPicks:
    classes = range(fleet["measures"]["mi_mean"].shape[1])
    pool = FleetPool(fleet["allowed"], fleet["groups"], fleet["embeddings"], fleet["apart_from"], fleet["suited"])
    shards = find_shards(folder, classes=classes, score=fleet["score"])
    return select_rows(shards, fleet["budget"], limits=fleet["limits"], pool=pool, seed=fleet["seed"])


def test_the_picks_are_those_of_reading_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    @settings(max_examples=600, deadline=None)
    @given(fleets())
    def check(fleet: dict) -> None:
        monkeypatch.setattr(selection, "_SLACK_ROWS", fleet["slack"])
        monkeypatch.setattr(selection, "_KEPT_ROWS", fleet["kept"])
        with tempfile.TemporaryDirectory() as folder:
            write(fleet, Path(folder))
            picks = selected(fleet, Path(folder))
        assert (picks.rows.tolist(), picks.classes.tolist()) == everything_read(fleet)

    check()


@pytest.fixture
def fleet() -> dict:
    """A fleet of 20,000 frames in which a session is rarely full."""
    rng = np.random.default_rng(0)
    return {
        "measures": {name: rng.gamma(0.3, 1.0, (20_000, 2)).astype(np.float32) for name in MEASURES},
        "sessions": np.arange(20_000) // 50,
        "timestamps_s": np.arange(20_000) * 0.5,
        "allowed": rng.random(20_000) < 0.3,
        "groups": np.full(20_000, NO_GROUP),
        "embeddings": np.zeros((20_000, 1), np.float32),
        "apart_from": np.zeros((0, 1), np.float32),
        "suited": None,
        "limits": Limits(session_cap=3, minimum_gap_s=1.0),
        "budget": 100,
        "seed": 0,
        "shard_rows": 5_000,
        "group_rows": 500,
        "score": "mi",
    }


def test_of_sorted_shards_only_the_head_is_read(fleet: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_SLACK_ROWS", 100)
    write(fleet, tmp_path)
    picks = selected(fleet, tmp_path)
    assert (picks.rows.tolist(), picks.classes.tolist()) == everything_read(fleet)
    assert picks.scans == 2
    assert picks.rows_read < 2 * 20_000 * 0.2


def test_of_shards_in_another_order_than_the_score_a_sample_tells_what_to_read(
    fleet: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_SLACK_ROWS", 100)
    fleet = {**fleet, "score": "epishare", "group_rows": 100}
    write(fleet, tmp_path)
    picks = selected(fleet, tmp_path)
    assert (picks.rows.tolist(), picks.classes.tolist()) == everything_read(fleet)
    assert picks.scans == 2
    assert picks.rows_read < 2 * 20_000 * 0.2


def test_sessions_that_are_nearly_all_needed_are_picked_to_their_caps(fleet: dict, tmp_path: Path) -> None:
    fleet = {**fleet, "limits": Limits(session_cap=2), "budget": 790}
    write(fleet, tmp_path)
    picks = selected(fleet, tmp_path)
    assert (picks.rows.tolist(), picks.classes.tolist()) == everything_read(fleet)


def test_half_a_million_sessions_of_one_frame_for_each_of_two_classes_are_no_special_case(tmp_path: Path) -> None:
    count, rng = 500_000, np.random.default_rng(1)
    fleet = {
        "measures": {name: rng.gamma(0.3, 1.0, (count, 2)).astype(np.float32) for name in MEASURES},
        "sessions": np.arange(count),
        "timestamps_s": np.zeros(count),
        "allowed": np.ones(count, np.bool_),
        "groups": np.full(count, NO_GROUP),
        "embeddings": np.zeros((count, 1), np.float32),
        "apart_from": np.zeros((0, 1), np.float32),
        "suited": None,
        "limits": Limits(session_cap=1, minimum_gap_s=1.0, control_share=0.1),
        "budget": 1_000,
        "seed": 0,
        "shard_rows": 250_000,
        "group_rows": 16_384,
        "score": "mi",
    }
    write(fleet, tmp_path)
    picks = selected(fleet, tmp_path)
    assert (picks.rows.tolist(), picks.classes.tolist()) == everything_read(fleet)
    assert picks.rows_read < 2 * count / 10


def test_the_number_of_threads_changes_no_pick(fleet: dict, tmp_path: Path) -> None:
    fleet["measures"]["mi_mean"] = np.round(fleet["measures"]["mi_mean"], 1)
    write(fleet, tmp_path)
    shards = find_shards(tmp_path, classes=[0, 1], score="mi")
    picks = [select_rows(shards, 500, limits=fleet["limits"], threads=threads).rows.tolist() for threads in (1, 2, 4)]
    assert picks[0] == picks[1] == picks[2]


def test_a_budget_beyond_the_pool_gives_all_that_is_allowed(fleet: dict, tmp_path: Path) -> None:
    write(fleet, tmp_path)
    picks = selected({**fleet, "limits": Limits(), "budget": 50_000}, tmp_path)
    assert sorted(picks.rows.tolist()) == np.flatnonzero(fleet["allowed"]).tolist()


@pytest.mark.parametrize("score", ["mi", "epishare"])
def test_a_score_that_is_not_a_number_stops_the_selection_and_is_named(fleet: dict, tmp_path: Path, score: str) -> None:
    fleet["measures"]["mi_mean"][12_345, 1] = fleet["measures"]["mi_sum"][12_345, 1] = np.nan
    write(fleet, tmp_path)
    with pytest.raises(NonFiniteScore, match=r"row 12345 is nan: nothing was selected"):
        selected({**fleet, "score": score, "budget": 20_000}, tmp_path)
    with pytest.raises(NonFiniteScore, match=r"mi_mean of row 12345 in 00002-001.parquet: is not finite"):
        check_shards(tmp_path)


def test_checking_a_score_set_counts_its_rows_and_finds_what_is_out_of_order(fleet: dict, tmp_path: Path) -> None:
    write(fleet, tmp_path)
    assert sum(check_shards(tmp_path).values()) == 2 * 20_000
    path = tmp_path / "00001-000.parquet"
    pq.write_table(pq.read_table(path).slice(1, 10).take([3, 1, 2]), path)
    with pytest.raises(InvalidInput, match=r"shard 00001-000.parquet: not in the order of mi_mean"):
        check_shards(tmp_path)


def test_what_cannot_be_selected_is_refused_with_its_cure(fleet: dict, tmp_path: Path) -> None:
    write(fleet, tmp_path)
    with pytest.raises(InvalidInput, match="score 'surprise': known are mi, mi_sum"):
        find_shards(tmp_path, classes=[0], score="surprise")
    with pytest.raises(InvalidInput, match="score 'mass': the shards lack mass_sum"):
        find_shards(tmp_path, classes=[0], score="mass")
    with pytest.raises(NotFound, match="class 7: no score shard"):
        find_shards(tmp_path, classes=[7], score="mi")
    with pytest.raises(InvalidInput, match="every row is labelled, queued or left out by the filter"):
        selected({**fleet, "allowed": np.zeros(20_000, np.bool_)}, tmp_path)
    with pytest.raises(InvalidInput, match="budget 0: must be at least 1"):
        selected({**fleet, "budget": 0}, tmp_path)
    with pytest.raises(InvalidInput, match="they do not belong together"):
        selected({**fleet, "allowed": np.ones(10, np.bool_)}, tmp_path)
    (tmp_path / "00001-000.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageUnavailable, match=r"00001-000.parquet.*score the pool again"):
        selected(fleet, tmp_path)
