"""Strategies: what is picked from a scored pool. One line a strategy in `STRATEGIES`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

import acquisition
from al_platform.domain.rounds import StrategySpec
from al_platform.errors import InvalidInput
from al_platform.scoring.measures import PoolMeasures

_UNIFORM_STREAM = 3
"""Keeps these draws apart from those of the start set, which have the same seed."""

Picks = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Rows in the order of picking, the target class each was picked for, and the score that chose it."""


@dataclass(frozen=True)
class PoolView:
    """What a strategy sees: arrays over the N rows of a pool. Axes: K targets, D embedding, L labelled frames."""

    available: NDArray[Any]
    """bool [N]: not labelled, not queued, readable."""
    measures: PoolMeasures | None
    """Of the target classes only; None unless the strategy reads scores."""
    embeddings: NDArray[Any]
    """float32 [N, D]."""
    labelled_embeddings: NDArray[Any]
    """float32 [L, D]."""
    sessions: NDArray[Any]
    """int [N]."""
    timestamps_s: NDArray[Any]
    """float [N], NaN without a clock."""
    shown: NDArray[Any] | None
    """bool [N, K]: what a perfect curator sees; None unless the strategy imitates one."""
    seed: int
    strategy: StrategySpec


@dataclass(frozen=True)
class Strategy:
    """How to pick, and what that needs: scores of an ensemble, embeddings, or a curator's eye."""

    pick: Callable[[PoolView, int], Picks]
    needs_scores: bool = True
    needs_embeddings: bool = False
    needs_oracle: bool = False


class _Limits(TypedDict):
    session_ids: NDArray[Any]
    session_cap: int | None
    timestamps_s: NDArray[Any]
    minimum_gap_s: float
    excluded: NDArray[Any]


def _limits(view: PoolView) -> _Limits:
    return {
        "session_ids": view.sessions,
        "session_cap": view.strategy.session_cap,
        "timestamps_s": view.timestamps_s,
        "minimum_gap_s": view.strategy.minimum_gap_s,
        "excluded": ~view.available,
    }


def _round_robin(score: str, view: PoolView, budget: int) -> Picks:
    scores_NK = _scores(score, view)
    rows, classes = acquisition.round_robin(
        scores_NK,
        budget,
        limits=acquisition.Limits(session_cap=view.strategy.session_cap, minimum_gap_s=view.strategy.minimum_gap_s),
        session_ids=view.sessions,
        timestamps_s=view.timestamps_s,
        excluded=~view.available,
    )
    return rows, classes, scores_NK[rows, classes]


def _spread(score: str | None, view: PoolView, budget: int) -> Picks:
    """Greedy: the targets' relative scores summed, times the squared distance to the nearest labelled frame."""
    relative_NK: NDArray[Any] = np.ones((len(view.available), 1))
    if score is not None:
        relative_NK = np.zeros_like(_scores(score, view), np.float64)
        relative_NK[view.available] = acquisition.relative_scores(_scores(score, view)[view.available])
    rows = acquisition.distance_weighted(
        relative_NK.sum(axis=1), view.embeddings, view.labelled_embeddings, budget, **_limits(view)
    )
    return rows, np.argmax(relative_NK[rows], axis=1), relative_NK[rows].sum(axis=1)


def _scores(score: str, view: PoolView) -> NDArray[Any]:
    if view.measures is None:
        raise InvalidInput(f"score {score}: the strategy is not declared to need scores")
    scores_NK: NDArray[Any] = acquisition.SCORES[score](view.measures)
    return scores_NK


def _unscored(rows: NDArray[Any]) -> Picks:
    return rows, np.zeros(len(rows), int), np.zeros(len(rows))


def _uniform(view: PoolView, budget: int) -> Picks:
    """The order of random numbers, one a row, so that who leaves the pool changes nobody else's place."""
    drawn = np.argsort(-np.random.default_rng([view.seed, _UNIFORM_STREAM]).random(len(view.available)), kind="stable")
    return _unscored(acquisition.first_allowed(drawn, budget, **_limits(view)))


def _stratified(view: PoolView, budget: int) -> Picks:
    allowed = np.flatnonzero(view.available)
    dealt = acquisition.stratified_random(view.sessions[allowed], len(allowed), seed=view.seed)
    return _unscored(acquisition.first_allowed(allowed[dealt], budget, **_limits(view)))


def _manual(view: PoolView, budget: int) -> Picks:
    if view.shown is None:
        raise InvalidInput("strategy manual: needs known labels to imitate a curator; use it with --annotator offline")
    film = np.arange(len(view.available))  # a pool's rows are in the order of sessions and frame numbers
    wanted = view.shown.any(axis=1) & view.available
    clips = acquisition.contiguous_clips(view.sessions, film, wanted, len(film), seed=view.seed)
    rows = acquisition.first_allowed(clips, budget, **_limits(view))
    return rows, np.argmax(view.shown[rows], axis=1), np.zeros(len(rows))


STRATEGIES: Mapping[str, Strategy] = {
    "mixdist": Strategy(partial(_spread, "mi"), needs_embeddings=True),
    "epidist": Strategy(partial(_spread, "epishare"), needs_embeddings=True),
    "mi": Strategy(partial(_round_robin, "mi")),
    "mi-max": Strategy(partial(_round_robin, "mi_max")),
    "mi-top": Strategy(partial(_round_robin, "mi_top")),
    "epishare": Strategy(partial(_round_robin, "epishare")),
    "entropy": Strategy(partial(_round_robin, "entropy")),
    "variance": Strategy(partial(_round_robin, "variance")),
    "mass": Strategy(partial(_round_robin, "mass")),
    "core-set": Strategy(partial(_spread, None), needs_scores=False, needs_embeddings=True),
    "stratified": Strategy(_stratified, needs_scores=False),
    "random": Strategy(_uniform, needs_scores=False),
    "manual": Strategy(_manual, needs_scores=False, needs_oracle=True),
}


def strategy_named(name: str) -> Strategy:
    """Give a strategy.

    Raises: InvalidInput listing the known names.
    """
    if name not in STRATEGIES:
        raise InvalidInput(f"strategy {name!r}: known are {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
