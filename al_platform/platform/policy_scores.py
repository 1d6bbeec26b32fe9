"""A pool of scenarios scored by a policy outside of any round: what its drivers disagree on most."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.datasets import freeze_pool, pool_items
from al_platform.catalog.policies import policy_named
from al_platform.catalog.scenarios import scenarios_named
from al_platform.catalog.scores import ScoreSet, add_score_set
from al_platform.domain.clock import utc_now
from al_platform.domain.driving import policy_model
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput
from al_platform.loop.kinds import SCENARIO_ITEMS
from al_platform.loop.scores import place_of, score_pool
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.scoring.read import dense_scores


@dataclass(frozen=True)
class ScoredScenario:
    """A scenario, and of every target the information and the aleatoric share."""

    scenario: ScenarioReference
    information: Mapping[str, float]
    """Nats; of progress the variance in m^2. Higher = more to learn."""
    aleatoric: Mapping[str, float]
    """In [0, 1]: the part of what is open that no training takes away."""


@dataclass(frozen=True)
class PolicyScores:
    """The scores of a pool; `top` are the scenarios with the most information on any target, relative to its mean."""

    score_id: str
    pool_id: str
    scenarios: int
    """How many were scored."""
    top: tuple[ScoredScenario, ...]


def score_scenarios(
    platform: Platform,
    policy_id: str,
    filter_text: str,
    *,
    targets: tuple[str, ...],
    drives: int = 0,
    top: int = 20,
    scorers: int = 1,
) -> PolicyScores:
    """Score the scenarios that a filter matches by the drivers of a policy; what is scored already is found.

    Raises: NotFound for an unknown policy; InvalidInput for a filter that matches nothing, an unknown target, or
        scenarios of which none is in the store; NonFiniteScore naming a scenario.
    """
    model, context = policy_model(policy_id, targets, drives=drives), loop_context(platform, scorers=scorers)
    unknown = [name for name in targets if name not in model.classes]
    if unknown or not targets:
        raise InvalidInput(f"target {', '.join(unknown) or 'none'}: known are {', '.join(model.classes)}, tag:NAME")
    if top < 1:
        raise InvalidInput(f"top {top}: must be at least 1")
    with platform.catalog.transaction() as tx:
        policy_named(tx, policy_id)
        pool_id, _ = freeze_pool(tx, platform.blobs, filter_text, now=utc_now(), matching=SCENARIO_ITEMS.matching)
        job = SCENARIO_ITEMS.job_of(tx, context, model, policy_id, pool_id)
    markers = score_pool(context, job).markers
    dense = dense_scores(place_of(context).files, job, markers, targets)
    scored = int(dense.scored.sum())
    if not scored:
        raise InvalidInput(f"pool {pool_id}: none of its {job.frames} scenarios is in the store; ingest them again")
    with platform.catalog.transaction() as tx:
        add_score_set(tx, ScoreSet(job.score_id, policy_id, pool_id, scored, job.formula, utc_now()), markers)
        information, aleatoric = dense.measures.mi_mean, dense.measures.aleatoric_share
        # What could not be read has no scores; its zeros must not stand among those that were scored.
        most = np.where(dense.scored, _relative(information), -np.inf)
        rows = np.argsort(-most, kind="stable")[: min(top, scored)]
        ids = pool_items(tx, platform.blobs, pool_id)
        found = scenarios_named(tx, [ids[row] for row in rows])
    best = tuple(
        ScoredScenario(
            found[ids[row]],
            dict(zip(targets, information[row].tolist(), strict=True)),
            dict(zip(targets, aleatoric[row].tolist(), strict=True)),
        )
        for row in rows
    )
    return PolicyScores(job.score_id, pool_id, scored, best)


def _relative(information_NK: NDArray[np.float32]) -> NDArray[np.float64]:
    """The most information [N] on any target, over the target's mean, so that targets of several units compare."""
    mean_K = information_NK.mean(axis=0, dtype=np.float64)
    relative_NK: NDArray[np.float64] = information_NK / np.where(mean_K > 0.0, mean_K, 1.0)
    most_N: NDArray[np.float64] = relative_NK.max(axis=1)
    return most_N
