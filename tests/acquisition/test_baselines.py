"""Claims about selections that ask no model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.baselines import contiguous_clips, stratified_random, uniform_random


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_random_picks_are_distinct_and_as_many_as_the_pool_allows(count: int, budget: int, seed: int) -> None:
    sessions = np.random.default_rng(seed).integers(0, 6, count)
    for picked in (uniform_random(count, budget, seed=seed), stratified_random(sessions, budget, seed=seed)):
        assert len(set(picked.tolist())) == len(picked) == min(budget, count)
        assert set(picked.tolist()) <= set(range(count))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_stratified_picks_visit_no_session_twice_before_all_others_that_last(
    count: int, budget: int, seed: int
) -> None:
    sessions = np.random.default_rng(seed).integers(0, 6, count)
    picked = stratified_random(sessions, budget, seed=seed)
    taken = np.bincount(sessions[picked], minlength=6)
    exhausted = taken == np.bincount(sessions, minlength=6)
    assert taken[~exhausted].max(initial=0) - taken[~exhausted].min(initial=count) <= 1
    assert (taken[exhausted] <= taken.max()).all()


def test_a_seed_repeats_its_picks_and_another_does_not() -> None:
    sessions = np.arange(100) // 10
    wanted = np.ones(100, np.bool_)
    for pick in (
        lambda seed: uniform_random(100, 30, seed=seed),
        lambda seed: stratified_random(sessions, 30, seed=seed),
        lambda seed: contiguous_clips(sessions, np.arange(100), wanted, 30, seed=seed),
    ):
        np.testing.assert_array_equal(pick(1), pick(1))
        assert pick(1).tolist() != pick(2).tolist()


def test_every_item_is_as_likely_as_any_other() -> None:
    drawn = np.concatenate([uniform_random(10, 3, seed=seed) for seed in range(2_000)])
    assert np.abs(np.bincount(drawn) / 2_000 - 0.3).max() < 0.05


def slow_clips(sessions: np.ndarray, order: np.ndarray, wanted: np.ndarray, length: int) -> list[list[int]]:
    """The definition: walk through each session and start a new clip when the last is full or broken off."""
    clips: list[list[int]] = []
    for session in np.unique(sessions):
        clip: list[int] = []
        for item in sorted(np.flatnonzero(sessions == session).tolist(), key=lambda item: order[item]):
            if not wanted[item]:
                clip = []
                continue
            if not clip or len(clip) == length:
                clip = []
                clips.append(clip)
            clip.append(item)
    return clips


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 60), st.integers(1, 80), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_clips_are_the_stretches_of_wanted_frames_one_after_the_other(
    count: int, budget: int, clip_length: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sessions, order, wanted = rng.integers(0, 4, count), rng.permutation(count), rng.random(count) < 0.7
    picked = contiguous_clips(sessions, order, wanted, budget, seed=seed, clip_length=clip_length).tolist()
    clip_from = {clip[0]: clip for clip in slow_clips(sessions, order, wanted, clip_length)}
    expected: list[int] = []
    while len(expected) < len(picked):
        expected += clip_from.pop(picked[len(expected)])
    assert len(picked) == min(budget, wanted.sum())
    assert picked == expected[:budget]


def test_a_curator_takes_a_clip_of_every_session_before_a_second_of_any() -> None:
    sessions = np.repeat(np.arange(3), 20)
    picked = contiguous_clips(sessions, np.tile(np.arange(20), 3), np.ones(60, np.bool_), 24, seed=0)
    clips = picked.reshape(3, 8)
    assert sorted(sessions[clips[:, 0]].tolist()) == [0, 1, 2]
    assert (np.diff(clips[:, :4], axis=1) == 1).all()


def test_nothing_wanted_gives_nothing() -> None:
    assert contiguous_clips(np.zeros(5), np.arange(5), np.zeros(5, np.bool_), 3, seed=0).size == 0


@pytest.mark.parametrize("budget", [0, -3])
def test_budgets_that_pick_nothing_are_refused(budget: int) -> None:
    with pytest.raises(ValueError, match=f"budget {budget}: must be at least 1"):
        uniform_random(5, budget, seed=0)
    with pytest.raises(ValueError, match=f"budget {budget}: must be at least 1"):
        stratified_random(np.zeros(5), budget, seed=0)
    with pytest.raises(ValueError, match=f"budget {budget}: must be at least 1"):
        contiguous_clips(np.zeros(5), np.arange(5), np.ones(5, np.bool_), budget, seed=0)


def test_empty_pools_and_impossible_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="empty pool"):
        uniform_random(0, 1, seed=0)
    with pytest.raises(ValueError, match="empty pool"):
        stratified_random(np.empty(0), 1, seed=0)
    with pytest.raises(ValueError, match="clip_length 0"):
        contiguous_clips(np.zeros(2), np.arange(2), np.ones(2, np.bool_), 1, seed=0, clip_length=0)
