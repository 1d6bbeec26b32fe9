"""Strategies: what is picked from a scored pool. One line a strategy in `STRATEGIES`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import acquisition
from al_platform.catalog.selection import FleetPool, select_rows
from al_platform.catalog.shards import shards_at
from al_platform.domain.rounds import RoundSpec, StrategySpec
from al_platform.errors import InvalidInput
from al_platform.scoring.fetch import ClassFiles
from al_platform.scoring.measures import PoolMeasures

_UNIFORM_STREAM = 3
"""Keeps these draws apart from those of the start set, which have the same seed."""


@dataclass(frozen=True)
class Picks:
    """Rows in the order of picking, the target class each was picked for or CONTROL, and the score that chose it."""

    rows: NDArray[Any]
    classes: NDArray[Any]
    scores: NDArray[Any]
    score_rows: int = 0
    """Rows of scores, each of one frame and class, that were read for it."""


@dataclass(frozen=True)
class PoolView:
    """What a strategy sees: arrays over the N rows of a pool. Axes: K targets, D embedding, L labelled frames."""

    available: NDArray[Any]
    """bool [N]: not labelled, not queued, readable."""
    scores: ClassFiles | None
    """Files with the scores of each target class; None unless the strategy reads the best of them."""
    measures: PoolMeasures | None
    """Of the target classes only; None unless the strategy reads all of them."""
    embeddings: NDArray[Any]
    """float32 [N, D]."""
    labelled_embeddings: NDArray[Any]
    """float32 [L, D]."""
    sessions: NDArray[Any]
    """int [N]."""
    timestamps_s: NDArray[Any]
    """float [N], NaN without a clock."""
    suited: NDArray[Any] | None
    """bool [N, K]: for which targets a row may be picked; None: for every one. Control takes no heed of it."""
    groups: NDArray[Any]
    """int [N]: codes of what a quota counts, NO_GROUP for none."""
    shown: NDArray[Any] | None
    """bool [N, K]: what a perfect curator sees; None unless the strategy imitates one."""
    seed: int
    strategy: StrategySpec
    guarded: int = 0
    """Available rows that a noise guard lets be picked for no target."""
    listed: NDArray[Any] | None = None
    """int: rows picked by hand, in order; None where the strategy picks."""

    @property
    def open(self) -> NDArray[Any]:
        """bool [N]: available, and suited to a target or picked by hand."""
        if self.suited is None or self.listed is not None:
            return self.available
        opened: NDArray[Any] = self.available & self.suited.any(axis=1)
        return opened


class Reads(Enum):
    """What a strategy reads of the scores of a pool."""

    NOTHING = "nothing"
    BEST = "best"
    """The best of every class, from files."""
    ALL = "all"
    """All measures of every frame, in memory."""


LIMITS = ("session_cap", "minimum_gap_s", "minimum_distance", "group_quota", "control_share")
"""The fields of a StrategySpec that limit what is picked."""


@dataclass(frozen=True)
class Strategy:
    """How to pick, what that needs (scores, embeddings, a curator's eye), and which limits it cannot keep, and why."""

    pick: Callable[[PoolView, int], Picks]
    reads: Reads = Reads.BEST
    needs_embeddings: bool = False
    needs_oracle: bool = False
    cannot_keep: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_scores(self) -> bool:
        """Whether the pool has to be scored."""
        return self.reads is not Reads.NOTHING


def _limits(view: PoolView) -> acquisition.Limits:
    return acquisition.Limits(**{name: getattr(view.strategy, name) for name in LIMITS})


def _best(score: str, view: PoolView, budget: int) -> Picks:
    """Round-robin over the classes, of which only the heads of the rankings are read."""
    if view.scores is None:
        raise InvalidInput(f"score {score}: the strategy is not declared to read scores")
    pool = FleetPool(allowed=view.available, groups=view.groups, embeddings=view.embeddings, suited=view.suited)
    shards = shards_at(view.scores, score=score)
    found = select_rows(shards, budget, limits=_limits(view), pool=pool, seed=view.seed)
    return Picks(found.rows, found.classes, found.scores, score_rows=found.rows_read)


def _spread(score: str | None, view: PoolView, budget: int) -> Picks:
    """Greedy: the targets' relative scores summed, times the squared distance to the nearest labelled frame."""
    relative_NK: NDArray[Any] = np.ones((len(view.available), 1))
    score_rows = 0
    if score is not None:
        scores_NK = _scores(score, view)
        relative_NK, score_rows = np.zeros_like(scores_NK, np.float64), scores_NK.size
        relative_NK[view.available] = acquisition.relative_scores(scores_NK[view.available])
    if view.suited is not None:
        relative_NK = relative_NK * view.suited
    rows, control = acquisition.distance_weighted(
        relative_NK.sum(axis=1),
        view.embeddings,
        view.labelled_embeddings,
        budget,
        limits=_limits(view),
        session_ids=view.sessions,
        timestamps_s=view.timestamps_s,
        group_codes=view.groups,
        excluded=~view.open,
        seed=view.seed,
    )
    classes = np.where(control, acquisition.CONTROL, np.argmax(relative_NK[rows], axis=1))
    return Picks(rows, classes, np.where(control, 0.0, relative_NK[rows].sum(axis=1)), score_rows)


def _scores(score: str, view: PoolView) -> NDArray[Any]:
    if view.measures is None:
        raise InvalidInput(f"score {score}: the strategy is not declared to read all scores")
    scores_NK: NDArray[Any] = acquisition.SCORES[score](view.measures)
    return scores_NK


def _in_order(ranking: NDArray[Any], view: PoolView, budget: int) -> Picks:
    """The first rows of a ranking that the limits allow; without scores, each for the first target it is suited to."""
    if not ranking.size:
        return Picks(ranking, ranking, np.zeros(0))
    places_N1 = np.full((len(view.available), 1), len(ranking))
    places_N1[ranking, 0] = np.arange(len(ranking))
    rows, classes = acquisition.round_robin(
        -places_N1.astype(np.float64),
        budget,
        limits=_limits(view),
        session_ids=view.sessions,
        timestamps_s=view.timestamps_s,
        group_codes=view.groups,
        embeddings_ND=view.embeddings,
        excluded=~view.available | (places_N1[:, 0] == len(ranking)),
        suited_NK=view.open[:, None],
        seed=view.seed,
    )
    if view.suited is not None and view.listed is None:
        classes = np.where(classes == acquisition.CONTROL, classes, np.argmax(view.suited[rows], axis=1))
    return Picks(rows, classes, np.zeros(len(rows)))


def _uniform(view: PoolView, budget: int) -> Picks:
    """The order of random numbers, one a row, so that who leaves the pool changes nobody else's place."""
    drawn = np.argsort(-np.random.default_rng([view.seed, _UNIFORM_STREAM]).random(len(view.available)), kind="stable")
    return _in_order(drawn, view, budget)


def _stratified(view: PoolView, budget: int) -> Picks:
    allowed = np.flatnonzero(view.available)
    dealt = acquisition.stratified_random(view.sessions[allowed], len(allowed), seed=view.seed)
    return _in_order(allowed[dealt], view, budget)


def _manual(view: PoolView, budget: int) -> Picks:
    if view.shown is None:
        raise InvalidInput("strategy manual: needs known labels to imitate a curator; use it with --annotator offline")
    film = np.arange(len(view.available))  # a pool's rows are in the order of sessions and frame numbers
    shown = view.shown if view.suited is None else view.shown & view.suited
    wanted = shown.any(axis=1) & view.available
    clips = acquisition.contiguous_clips(view.sessions, film, wanted, len(film), seed=view.seed)
    picks = _in_order(clips, view, budget)
    return replace(picks, classes=np.argmax(shown[picks.rows], axis=1))


_CURATOR_CANNOT = {"control_share": "a curator sees every frame that he picks"}

STRATEGIES: Mapping[str, Strategy] = {
    "mixdist": Strategy(partial(_spread, "mi"), Reads.ALL, needs_embeddings=True),
    "epidist": Strategy(partial(_spread, "epishare"), Reads.ALL, needs_embeddings=True),
    "mi": Strategy(partial(_best, "mi")),
    "mi-max": Strategy(partial(_best, "mi_max")),
    "mi-top": Strategy(partial(_best, "mi_top")),
    "epishare": Strategy(partial(_best, "epishare")),
    "entropy": Strategy(partial(_best, "entropy")),
    "variance": Strategy(partial(_best, "variance")),
    "mass": Strategy(partial(_best, "mass")),
    "core-set": Strategy(partial(_spread, None), Reads.NOTHING, needs_embeddings=True),
    "stratified": Strategy(_stratified, Reads.NOTHING),
    "random": Strategy(_uniform, Reads.NOTHING),
    "manual": Strategy(_manual, Reads.NOTHING, needs_oracle=True, cannot_keep=_CURATOR_CANNOT),
}


def strategy_named(name: str) -> Strategy:
    """Give a strategy.

    Raises: InvalidInput listing the known names.
    """
    if name not in STRATEGIES:
        raise InvalidInput(f"strategy {name!r}: known are {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def picks_of(view: PoolView, budget: int) -> Picks:
    """Give the picks of the view's strategy, or of what was picked by hand what is available, for the first target."""
    if view.listed is not None:
        return _in_order(view.listed, view, budget)
    return strategy_named(view.strategy.name).pick(view, budget)


def reads_of(spec: RoundSpec) -> Reads:
    """Give what a round reads of the scores of its pool; nothing where its frames were picked by hand."""
    return Reads.NOTHING if spec.listed else strategy_named(spec.strategy.name).reads


def require_kept(spec: StrategySpec) -> None:
    """Check that a strategy is known and can keep its limits.

    Raises: InvalidInput saying which it cannot keep, why, and which strategies can.
    """
    for name, reason in strategy_named(spec.name).cannot_keep.items():
        if getattr(spec, name):
            others = ", ".join(other for other, strategy in STRATEGIES.items() if name not in strategy.cannot_keep)
            limit = f"{name} {getattr(spec, name)}"
            raise InvalidInput(f"strategy {spec.name}: cannot keep {limit}, {reason}; leave it out or take {others}")
