"""Control picks: drawn whatever the scores say, so that what the scores miss can be measured.

Axes: N items of the pool.
"""

from fractions import Fraction

import numpy as np
from jaxtyping import Int64, Integer, UInt64
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STREAMS = {"row": 1, "session": 2}


def exact_share(share: float) -> Fraction:
    """Give the share that a decimal number means, 1/10 for 0.1."""
    return Fraction(share).limit_denominator(10_000)


def is_control(rank: int, share: Fraction) -> bool:
    """Say whether the pick of this rank, from 0, is control: the ranks follow from the share alone."""
    return int((rank + 1) * share) > int(rank * share)


def control_order(
    rows: Int64[NDArray[np.int64], " N"], sessions: Integer[NDArray[np.integer], " N"], *, seed: int
) -> Int64[NDArray[np.int64], " N"]:
    """Give places [N] in the order of drawing: round-robin over the sessions in random order, at random within each.

    As `stratified_random`, but every item's place among those of its session follows from its own row and the
    seed. So the first items of the order can be told from a part of the pool.
    """
    keys = draw_keys(rows, seed=seed, stream="row")
    by_session = np.lexsort((rows, keys, sessions))
    ordered = sessions[by_session]
    turn = np.arange(rows.size) - np.searchsorted(ordered, ordered)
    session_keys = draw_keys(ordered.astype(np.int64), seed=seed, stream="session")
    order: NDArray[np.int64] = by_session[np.lexsort((ordered, session_keys, turn))]
    return order


def draw_keys(numbers: Int64[NDArray[np.int64], " N"], *, seed: int, stream: str) -> UInt64[NDArray[np.uint64], " N"]:
    """Give one random 64-bit number for each number, the same in every process: splitmix64 of number and seed.

    Source: Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators.
    """
    start = np.uint64((seed * 4 + _STREAMS[stream]) % 2**64)
    return _mixed(_mixed(np.full(1, start)) + numbers.astype(np.uint64) * _GOLDEN)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed
