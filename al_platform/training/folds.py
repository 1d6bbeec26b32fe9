"""Dealing labelled frames into validation folds, so that neighbours in a drive stay together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def deal_folds(session_ids: Sequence[str], order: Sequence[int], *, folds: int, seed: int) -> NDArray[Any]:
    """Give each frame its fold in [0, folds), int32 [N].

    Sessions are dealt whole. Where there are fewer than two sessions a fold, each session is cut into
    blocks of consecutive frames (by `order`, the frame numbers), and the blocks are dealt. The order in which
    the frames are given has no influence, except on frames of one session and number.
    """
    blocks = _blocks(session_ids, order, wanted=2 * folds)
    shuffled = np.random.default_rng(seed).permutation(len(blocks))
    # the largest first, each to the fold that has least: folds of nearly equal size
    by_size = sorted(shuffled, key=lambda block: -len(blocks[block]))
    sizes = np.zeros(folds, np.int64)
    result = np.zeros(len(session_ids), np.int32)
    for block in by_size:
        fold = int(np.argmin(sizes))
        result[blocks[block]] = fold
        sizes[fold] += len(blocks[block])
    return result


def _blocks(session_ids: Sequence[str], order: Sequence[int], *, wanted: int) -> list[NDArray[Any]]:
    sessions: dict[str, list[int]] = {}
    for row in sorted(range(len(session_ids)), key=lambda row: (session_ids[row], order[row], row)):
        sessions.setdefault(session_ids[row], []).append(row)
    cuts = -(-wanted // max(len(sessions), 1))
    return [
        part for rows in sessions.values() for part in np.array_split(np.array(rows), min(cuts, len(rows))) if part.size
    ]
