"""What holds for every strategy in the table, found by itself, on pools of random numbers."""

from dataclasses import fields, replace

import numpy as np
import pytest

from al_platform.domain.rounds import StrategySpec
from al_platform.errors import InvalidInput
from al_platform.loop.strategies import STRATEGIES, PoolView, strategy_named
from al_platform.scoring.measures import PoolMeasures

FRAMES, SESSIONS, TARGETS, LABELLED = 90, 15, 2, 8
GAP_S = 0.5


@pytest.fixture(params=sorted(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pool(name: str, *, seed: int = 0, session_cap: int | None = None, minimum_gap_s: float = 0.0) -> PoolView:
    """Drives of six frames, five a second; a third of the frames is not available."""
    draw, strategy = np.random.default_rng(seed), strategy_named(name)
    measures = [draw.random((FRAMES, TARGETS), np.float32) for _ in fields(PoolMeasures)]
    embedded = strategy.needs_embeddings
    return PoolView(
        available=draw.random(FRAMES) > 1 / 3,
        measures=PoolMeasures(*measures) if strategy.needs_scores else None,
        embeddings=draw.normal(size=(FRAMES, 4 * embedded)).astype(np.float32),
        labelled_embeddings=draw.normal(size=(LABELLED * embedded, 4 * embedded)).astype(np.float32),
        sessions=np.arange(FRAMES) % SESSIONS,
        timestamps_s=np.arange(FRAMES) // SESSIONS / 5.0,
        shown=np.ones((FRAMES, TARGETS), bool) if strategy.needs_oracle else None,
        seed=seed,
        strategy=StrategySpec(name, session_cap=session_cap, minimum_gap_s=minimum_gap_s),
    )


def picks(view: PoolView, budget: int) -> list[int]:
    rows, _, _ = strategy_named(view.strategy.name).pick(view, budget)
    return [int(row) for row in rows]


@pytest.mark.parametrize("seed", range(3))
def test_exactly_the_budget_is_picked_nothing_twice_and_only_what_is_available(name: str, seed: int) -> None:
    view = pool(name, seed=seed)
    found = picks(view, 20)
    assert len(found) == len(set(found)) == 20
    assert view.available[found].all()


def test_every_pick_has_a_target_class_and_a_finite_score(name: str) -> None:
    rows, classes, scores = strategy_named(name).pick(pool(name), 20)
    assert rows.shape == classes.shape == scores.shape == (20,)
    assert set(classes.tolist()) <= set(range(TARGETS))
    assert np.isfinite(scores).all()


def test_a_budget_beyond_the_pool_gives_all_that_is_available(name: str) -> None:
    view = pool(name)
    assert sorted(picks(view, 2 * FRAMES)) == np.flatnonzero(view.available).tolist()


def test_the_picks_of_a_smaller_budget_are_the_first_of_a_larger(name: str) -> None:
    view = pool(name)
    assert picks(view, 7) == picks(view, 20)[:7]


def test_the_same_pool_gives_the_same_picks(name: str) -> None:
    assert picks(pool(name), 20) == picks(pool(name), 20)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cap", [1, 2])
def test_no_session_gives_more_than_its_cap(name: str, cap: int, seed: int) -> None:
    view = pool(name, session_cap=cap, seed=seed)
    found = picks(view, FRAMES)
    assert np.bincount(view.sessions[found]).max() == cap
    assert len(found) == np.minimum(np.bincount(view.sessions[view.available], minlength=SESSIONS), cap).sum()


@pytest.mark.parametrize("seed", range(3))
def test_picks_of_one_session_keep_their_distance_in_time(name: str, seed: int) -> None:
    view = pool(name, minimum_gap_s=GAP_S, seed=seed)
    found = picks(view, FRAMES)
    assert len(found) > SESSIONS
    for session in range(SESSIONS):
        times_s = np.sort(view.timestamps_s[[row for row in found if view.sessions[row] == session]])
        assert (np.diff(times_s) >= GAP_S).all()


def test_frames_without_a_clock_take_no_part_in_the_gap(name: str) -> None:
    view = replace(pool(name, minimum_gap_s=GAP_S), timestamps_s=np.full(FRAMES, np.nan))
    assert picks(view, 20) == picks(pool(name), 20)


def test_a_cap_wider_than_every_session_changes_nothing(name: str) -> None:
    assert picks(pool(name, session_cap=FRAMES), 20) == picks(pool(name), 20)


def test_what_is_not_available_has_no_influence(name: str) -> None:
    view = pool(name)
    hidden = ~view.available
    measures = view.measures
    if measures is not None:
        measures = PoolMeasures(*(np.where(hidden[:, None], 100.0, values) for _, values in measures.items()))
    assert picks(replace(view, measures=measures), 20) == picks(view, 20)


def test_a_curator_picks_fewer_where_no_more_frames_show_a_target() -> None:
    view = pool("manual")
    shown = np.zeros((FRAMES, TARGETS), bool)
    shown[np.flatnonzero(view.available)[:5], 1] = True
    rows, classes, _ = strategy_named("manual").pick(replace(view, shown=shown), 20)
    assert sorted(rows.tolist()) == np.flatnonzero(view.available)[:5].tolist()
    assert set(classes.tolist()) == {1}


def test_a_curator_who_sees_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="strategy manual: needs known labels"):
        strategy_named("manual").pick(replace(pool("manual"), shown=None), 5)


def test_an_unknown_strategy_is_refused_with_the_known_names() -> None:
    with pytest.raises(InvalidInput, match="strategy 'best': known are mixdist, epidist, mi"):
        strategy_named("best")
