"""Validation folds: neighbours stay together, every frame is in one."""

import numpy as np
import pytest

from al_platform.training.folds import deal_folds


def drive(*lengths: int) -> tuple[list[str], list[int]]:
    """Session ids and frame numbers of sessions of these lengths."""
    sessions = [f"s{n:02d}" for n, length in enumerate(lengths) for _ in range(length)]
    numbers = [number for length in lengths for number in range(length)]
    return sessions, numbers


SHAPES = [(1,), (3,), (100,), (7, 1), (2,) * 16, (5,) * 40, (40, 3, 9, 1, 1, 22), tuple(range(1, 30))]


@pytest.mark.parametrize("lengths", SHAPES)
@pytest.mark.parametrize("folds", [2, 8])
def test_every_frame_has_one_fold(lengths: tuple[int, ...], folds: int) -> None:
    dealt = deal_folds(*drive(*lengths), folds=folds, seed=0)
    assert dealt.shape == (sum(lengths),)
    assert dealt.dtype == np.int32
    assert dealt.min() >= 0
    assert dealt.max() < folds
    assert len(set(dealt.tolist())) == min(folds, sum(lengths))


@pytest.mark.parametrize("lengths", [(2,) * 16, (5,) * 40, tuple(range(1, 30))])
def test_sessions_are_dealt_whole_where_there_are_two_a_fold(lengths: tuple[int, ...]) -> None:
    sessions, numbers = drive(*lengths)
    dealt = deal_folds(sessions, numbers, folds=8, seed=3)
    for session in set(sessions):
        assert len({fold for fold, its in zip(dealt.tolist(), sessions, strict=True) if its == session}) == 1


def test_a_single_session_is_cut_into_blocks_of_consecutive_frames() -> None:
    dealt = deal_folds(*drive(160), folds=8, seed=0)
    assert np.count_nonzero(np.diff(dealt)) <= 15
    np.testing.assert_array_equal(np.bincount(dealt, minlength=8), [20] * 8)


@pytest.mark.parametrize(("lengths", "largest_block"), [((100,), 7), ((31, 17, 52), 9), ((4,) * 24, 4)])
def test_folds_differ_by_at_most_one_block(lengths: tuple[int, ...], largest_block: int) -> None:
    sizes = np.bincount(deal_folds(*drive(*lengths), folds=8, seed=1), minlength=8)
    assert sizes.max() - sizes.min() <= largest_block


@pytest.mark.parametrize("lengths", SHAPES)
def test_the_order_of_the_frames_does_not_matter(lengths: tuple[int, ...]) -> None:
    sessions, numbers = drive(*lengths)
    dealt = deal_folds(sessions, numbers, folds=8, seed=0)
    order = np.random.default_rng(7).permutation(len(sessions))
    shuffled = deal_folds([sessions[n] for n in order], [numbers[n] for n in order], folds=8, seed=0)
    np.testing.assert_array_equal(shuffled, dealt[order])


def test_the_seed_decides_who_is_dealt_where() -> None:
    one, same, other = (deal_folds(*drive(*(5,) * 40), folds=8, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_no_frames_have_no_folds() -> None:
    assert deal_folds([], [], folds=8, seed=0).shape == (0,)
