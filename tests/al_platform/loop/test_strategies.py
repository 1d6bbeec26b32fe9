"""What holds for every strategy in the table, found by itself, on pools of random numbers."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from acquisition import CONTROL, NO_GROUP, SCORES, Limits, round_robin
from al_platform.domain.rounds import StrategySpec
from al_platform.errors import InvalidInput
from al_platform.loop.strategies import LIMITS, STRATEGIES, PoolView, Reads, require_kept, strategy_named
from al_platform.scoring.measures import PoolMeasures, no_measures
from tests.shards import write_shards

FRAMES, SESSIONS, TARGETS, LABELLED = 90, 15, 2, 8
GAP_S = 0.5


@pytest.fixture(params=sorted(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Pools:
    """Pools of random numbers; their scores lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, *, seed: int = 0, **limits: Any) -> PoolView:
        """Drives of six frames, five a second; a third of the frames is not available, a group is every fifth."""
        draw, strategy = np.random.default_rng(seed), strategy_named(name)
        measures = PoolMeasures(*(draw.random((FRAMES, TARGETS), np.float32) for _ in fields(PoolMeasures)))
        view = PoolView(
            available=draw.random(FRAMES) > 1 / 3,
            scores=None,
            measures=None,
            embeddings=draw.normal(size=(FRAMES, 4)).astype(np.float32),
            labelled_embeddings=draw.normal(size=(LABELLED, 4)).astype(np.float32),
            sessions=np.arange(FRAMES) % SESSIONS,
            timestamps_s=np.arange(FRAMES) // SESSIONS / 5.0,
            suited=None,
            groups=np.arange(FRAMES) % 5 - 1,
            shown=np.ones((FRAMES, TARGETS), bool) if strategy.needs_oracle else None,
            seed=seed,
            strategy=StrategySpec(name, **limits),
        )
        return self.scored(view, measures) if strategy.needs_scores else view

    def scored(self, view: PoolView, measures: PoolMeasures) -> PoolView:
        """The pool with these scores, given as the strategy reads them."""
        if strategy_named(view.strategy.name).reads is Reads.ALL:
            return replace(view, measures=measures)
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        columns = dict(measures.items())
        write_shards(folder, columns, sessions=view.sessions, timestamps_s=view.timestamps_s, shard_rows=32)
        paths = [sorted(str(path) for path in folder.glob(f"*-{klass:03d}.parquet")) for klass in range(TARGETS)]
        return replace(view, scores=tuple(tuple(each) for each in paths))


@pytest.fixture
def pool(tmp_path: Path) -> Pools:
    return Pools(tmp_path)


def picks(view: PoolView, budget: int) -> list[int]:
    return [int(row) for row in strategy_named(view.strategy.name).pick(view, budget).rows]


@pytest.mark.parametrize("seed", range(3))
def test_exactly_the_budget_is_picked_nothing_twice_and_only_what_is_available(
    pool: Pools, name: str, seed: int
) -> None:
    view = pool(name, seed=seed)
    found = picks(view, 20)
    assert len(found) == len(set(found)) == 20
    assert view.available[found].all()


def test_every_pick_has_a_target_class_and_a_finite_score(pool: Pools, name: str) -> None:
    found = strategy_named(name).pick(pool(name), 20)
    assert found.rows.shape == found.classes.shape == found.scores.shape == (20,)
    assert set(found.classes.tolist()) <= set(range(TARGETS))
    assert np.isfinite(found.scores).all()


def test_a_budget_beyond_the_pool_gives_all_that_is_available(pool: Pools, name: str) -> None:
    view = pool(name)
    assert sorted(picks(view, 2 * FRAMES)) == np.flatnonzero(view.available).tolist()


def test_the_picks_of_a_smaller_budget_are_the_first_of_a_larger(pool: Pools, name: str) -> None:
    view = pool(name)
    assert picks(view, 7) == picks(view, 20)[:7]


def test_the_same_pool_gives_the_same_picks(pool: Pools, name: str) -> None:
    assert picks(pool(name), 20) == picks(pool(name), 20)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cap", [1, 2])
def test_no_session_gives_more_than_its_cap(pool: Pools, name: str, cap: int, seed: int) -> None:
    view = pool(name, session_cap=cap, seed=seed)
    found = picks(view, FRAMES)
    assert np.bincount(view.sessions[found]).max() == cap
    assert len(found) == np.minimum(np.bincount(view.sessions[view.available], minlength=SESSIONS), cap).sum()


@pytest.mark.parametrize("seed", range(3))
def test_picks_of_one_session_keep_their_distance_in_time(pool: Pools, name: str, seed: int) -> None:
    view = pool(name, minimum_gap_s=GAP_S, seed=seed)
    found = picks(view, FRAMES)
    assert len(found) > SESSIONS
    for session in range(SESSIONS):
        times_s = np.sort(view.timestamps_s[[row for row in found if view.sessions[row] == session]])
        assert (np.diff(times_s) >= GAP_S).all()


def test_frames_without_a_clock_take_no_part_in_the_gap(pool: Pools, name: str) -> None:
    timed = pool(name, minimum_gap_s=GAP_S)
    assert picks(without_clocks(pool, timed), 20) == picks(pool(name), 20)


def without_clocks(pool: Pools, view: PoolView) -> PoolView:
    """The same pool, of which no frame knows its time."""
    timeless = replace(view, timestamps_s=np.full(FRAMES, np.nan))
    return timeless if view.scores is None else pool.scored(timeless, measures_of(view))


def measures_of(view: PoolView) -> PoolMeasures:
    """The measures of a pool, however it holds them; zeros in no row."""
    if view.measures is not None:
        return view.measures
    dense = no_measures(FRAMES, TARGETS)
    for klass, paths in enumerate(view.scores or ()):
        for path in paths:
            table = pq.read_table(path)
            for name, values in dense.items():
                values[table["row"].to_numpy(), klass] = table[name].to_numpy()
    return dense


def test_a_cap_wider_than_every_session_changes_nothing(pool: Pools, name: str) -> None:
    assert picks(pool(name, session_cap=FRAMES), 20) == picks(pool(name), 20)


def test_what_is_not_available_has_no_influence(pool: Pools, name: str) -> None:
    view = pool(name)
    changed = view
    if strategy_named(name).needs_scores:
        hidden = ~view.available[:, None]
        measures = (np.where(hidden, np.float32(100.0), values) for _, values in measures_of(view).items())
        changed = pool.scored(view, PoolMeasures(*measures))
    assert picks(changed, 20) == picks(view, 20)


def that_keep(limit: str) -> list[str]:
    return sorted(name for name, strategy in STRATEGIES.items() if limit not in strategy.cannot_keep)


@pytest.mark.parametrize("keeper", that_keep("group_quota"))
def test_no_group_gives_more_than_its_quota_and_frames_without_one_are_free(pool: Pools, keeper: str) -> None:
    view = pool(keeper, group_quota=2, group_tag="weather")
    groups = view.groups[picks(view, FRAMES)]
    assert np.bincount(groups[groups >= 0]).tolist() == [2, 2, 2, 2]
    assert (groups == NO_GROUP).sum() == (view.groups[view.available] == NO_GROUP).sum()


@pytest.mark.parametrize("keeper", that_keep("minimum_distance"))
def test_picks_keep_their_distance_from_each_other_and_what_is_left_out_is_too_near(pool: Pools, keeper: str) -> None:
    view = pool(keeper, minimum_distance=1.5)
    found = picks(view, FRAMES)
    between = np.linalg.norm(view.embeddings[:, None] - view.embeddings[found], axis=2)
    assert (between[found] + 9.0 * np.eye(len(found)) >= 1.5).all()
    left_out = view.available.copy()
    left_out[found] = False
    assert 1 < len(found) < view.available.sum()
    assert (between[left_out].min(axis=1) < 1.5).all()


@pytest.mark.parametrize("keeper", that_keep("control_share"))
def test_control_lies_at_fixed_ranks_is_drawn_by_the_seed_and_only_from_what_is_available(
    pool: Pools, keeper: str
) -> None:
    view = pool(keeper, control_share=0.25)
    found = strategy_named(keeper).pick(view, 20)
    control = found.classes == CONTROL
    assert np.flatnonzero(control).tolist() == [3, 7, 11, 15, 19]
    assert (found.scores[control] == 0.0).all()
    assert view.available[found.rows].all()
    assert len(set(view.sessions[found.rows[control]])) == 5  # stratified: no session twice before each had its turn
    others = strategy_named(keeper).pick(replace(view, seed=1), 20)
    assert set(others.rows[control]) != set(found.rows[control])


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"session_cap": 1},
        {"minimum_gap_s": GAP_S},
        {"group_quota": 3, "group_tag": "weather"},
        {"minimum_distance": 1.2},
        {"control_share": 0.3},
        {"session_cap": 2, "minimum_gap_s": 0.3, "group_quota": 5, "group_tag": "weather", "control_share": 0.1},
    ],
)
@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("ranked", sorted(name for name, each in STRATEGIES.items() if each.reads is Reads.BEST))
def test_files_read_from_their_heads_give_the_picks_of_all_scores_in_memory(
    pool: Pools, ranked: str, levels: int | None, limits: dict[str, Any]
) -> None:
    view = pool(ranked, **limits)
    measures = measures_of(view)
    if levels is not None:  # many equal scores
        measures = PoolMeasures(*(np.floor(values * levels) / levels for _, values in measures.items()))
        view = pool.scored(view, measures)
    found = strategy_named(ranked).pick(view, 25)
    score = SCORES[{"mi-max": "mi_max", "mi-top": "mi_top"}.get(ranked, ranked)](measures)
    rows, classes = round_robin(
        score,
        25,
        limits=Limits(**{name: getattr(view.strategy, name) for name in LIMITS}),
        session_ids=view.sessions,
        timestamps_s=view.timestamps_s,
        group_codes=view.groups,
        embeddings_ND=view.embeddings,
        excluded=~view.available,
        seed=view.seed,
    )
    assert (found.rows.tolist(), found.classes.tolist()) == (rows.tolist(), classes.tolist())
    assert found.scores.tolist() == np.where(classes == CONTROL, 0.0, score[rows, classes]).tolist()


@pytest.mark.parametrize("limit", ["minimum_distance", "group_quota", "control_share"])
def test_a_limit_that_a_strategy_cannot_keep_is_refused_with_those_that_can(limit: str, name: str) -> None:
    limits: dict[str, Any] = {limit: 1 if limit == "group_quota" else 0.5}
    spec = StrategySpec(name, group_tag="weather" if limit == "group_quota" else "", **limits)
    if limit not in strategy_named(name).cannot_keep:
        require_kept(spec)
        return
    with pytest.raises(InvalidInput, match=f"strategy {name}: cannot keep {limit} .*; leave it out or take .*mi, "):
        require_kept(spec)


def test_a_curator_picks_fewer_where_no_more_frames_show_a_target(pool: Pools) -> None:
    view = pool("manual")
    shown = np.zeros((FRAMES, TARGETS), bool)
    shown[np.flatnonzero(view.available)[:5], 1] = True
    found = strategy_named("manual").pick(replace(view, shown=shown), 20)
    assert sorted(found.rows.tolist()) == np.flatnonzero(view.available)[:5].tolist()
    assert set(found.classes.tolist()) == {1}
    assert picks(replace(view, shown=np.zeros_like(shown)), 20) == []


def test_a_curator_who_sees_nothing_is_refused(pool: Pools) -> None:
    with pytest.raises(InvalidInput, match="strategy manual: needs known labels"):
        strategy_named("manual").pick(replace(pool("manual"), shown=None), 5)


def test_an_unknown_strategy_is_refused_with_the_known_names() -> None:
    with pytest.raises(InvalidInput, match="strategy 'best': known are mixdist, epidist, mi"):
        strategy_named("best")


@pytest.mark.parametrize("control", [0.0, 0.25])
def test_a_row_is_picked_for_targets_that_it_is_suited_to_and_else_as_control(
    pool: Pools, name: str, control: float
) -> None:
    control = 0.0 if "control_share" in strategy_named(name).cannot_keep else control
    view = pool(name, control_share=control)
    suited = np.random.default_rng(5).random((FRAMES, TARGETS)) < 0.3
    found = strategy_named(name).pick(replace(view, suited=suited), FRAMES)
    drawn = found.classes == CONTROL
    assert suited[found.rows[~drawn], found.classes[~drawn]].all()
    assert len(found.rows) >= (view.available & suited.any(axis=1)).sum() * (1.0 - control)
    if not control:
        assert sorted(found.rows) == np.flatnonzero(view.available & suited.any(axis=1)).tolist()
