"""Selections that ask no model: what every strategy has to beat.

Axes: N items of the pool, P picks. All randomness comes from `seed`; the picks of a smaller budget are the
first of a larger. Budgets beyond the pool give all that there is.
"""

import numpy as np
from jaxtyping import Bool, Int64, Shaped
from numpy.typing import NDArray

from acquisition.limits import require_budget


def uniform_random(count: int, budget: int, *, seed: int) -> Int64[NDArray[np.int64], " P"]:
    """Give indices [P] of a pool of `count` items, all equally likely, in random order.

    Raises:
        ValueError: budget below 1 or an empty pool.
    """
    require_budget(budget)
    _require_items(count)
    items: NDArray[np.int64] = np.random.default_rng(seed).permutation(count)
    return items[:budget]


def stratified_random(
    session_ids: Shaped[NDArray[np.generic], " N"], budget: int, *, seed: int
) -> Int64[NDArray[np.int64], " P"]:
    """Give indices [P], round-robin over the sessions in random order, at random within each.

    The strong baseline for video: neighbouring frames of one drive say nearly the same.

    Raises:
        ValueError: budget below 1 or an empty pool.
    """
    require_budget(budget)
    _require_items(session_ids.size)
    return _deal(_codes(session_ids), np.random.default_rng(seed))[:budget]


def contiguous_clips(
    session_ids: Shaped[NDArray[np.generic], " N"],
    order: Shaped[NDArray[np.generic], " N"],
    wanted_N: Bool[NDArray[np.bool_], " N"],
    budget: int,
    *,
    seed: int,
    clip_length: int = 8,
) -> Int64[NDArray[np.int64], " P"]:
    """Give indices [P] as a curator would: stretches of video in which the wanted thing is seen.

    A clip is at most `clip_length` frames of one session that follow each other in its `order` (frame numbers
    or times) and are all wanted. Clips are dealt round-robin over the sessions in random order, at random
    within each; the budget may cut the last. Fewer picks where no more frames are wanted.

    Raises:
        ValueError: budget or clip_length below 1, an empty pool, or arguments of different lengths.
    """
    require_budget(budget)
    _require_items(session_ids.size)
    if clip_length < 1:
        raise ValueError(f"clip_length {clip_length}: must be at least 1 frame")
    if not session_ids.shape == order.shape == wanted_N.shape:
        raise ValueError(f"{session_ids.size} session_ids, {order.size} order keys, {wanted_N.size} wanted: one each")
    codes = _codes(session_ids)
    film: NDArray[np.int64] = np.lexsort((order, codes))
    clip_of_film = _clip_numbers(codes[film], wanted_N[film], clip_length)
    frames, clips = film[wanted_N[film]], clip_of_film[wanted_N[film]]
    if frames.size == 0:
        return frames
    starts = np.flatnonzero(np.diff(clips, prepend=-1))
    film_of_clip = np.split(frames, starts[1:])
    dealt = _deal(codes[frames[starts]], np.random.default_rng(seed))
    clips_in_turn: NDArray[np.int64] = np.concatenate([film_of_clip[clip] for clip in dealt.tolist()])
    return clips_in_turn[:budget]


def _clip_numbers(session_of_film: NDArray[np.int64], wanted: NDArray[np.bool_], clip_length: int) -> NDArray[np.int64]:
    """Number the clips along the film: a new one at a new session, after a gap, and when one is full."""
    film = np.arange(wanted.size)
    cut = np.ones(wanted.size, np.bool_)
    cut[1:] = (session_of_film[1:] != session_of_film[:-1]) | ~wanted[:-1]
    in_run = film - np.maximum.accumulate(np.where(cut, film, 0))
    return np.asarray(np.cumsum(cut | (in_run % clip_length == 0)) - 1, np.int64)


def _deal(session_of_item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """All items, one of each session in turn: sessions in one random order, items at random within each."""
    shuffled = rng.permutation(session_of_item.size)
    place_of_session = rng.permutation(int(session_of_item.max()) + 1)
    session = session_of_item[shuffled]
    by_session = np.argsort(session, kind="stable")
    first = np.searchsorted(session[by_session], session[by_session])
    turn = np.empty(session.size, np.int64)
    turn[by_session] = np.arange(session.size) - first
    dealt: NDArray[np.int64] = shuffled[np.lexsort((place_of_session[session], turn))]
    return dealt


def _codes(session_ids: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.asarray(np.unique(session_ids, return_inverse=True)[1], np.int64)


def _require_items(count: int) -> None:
    if count < 1:
        raise ValueError(f"empty pool: {count} items")
