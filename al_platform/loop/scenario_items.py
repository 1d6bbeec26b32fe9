"""Scenarios as the items of a round: drivers that are trained on them and asked about them, confirmed events."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acquisition import NO_GROUP
from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.policies import policy_named
from al_platform.catalog.scenarios import require_known_scenario_tag, scenario_groups, scenarios_named
from al_platform.datasets.scenarios.store import open_layouts, why_lost
from al_platform.domain.driving import PolicyModel, tags_among
from al_platform.domain.labels import Label
from al_platform.domain.models import ModelSpec
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.domain.rounds import Round, RoundSpec
from al_platform.domain.scores import ScoringJob
from al_platform.domain.triage import Triage
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.policies import require_trainable, scenarios_of_version, train_policy
from al_platform.loop.strategies import strategy_named
from al_platform.loop.train import TrainOutcome
from al_platform.models.records import Unreadable
from al_platform.policies.recipes import network_of
from al_platform.scoring.job import make_job


def sessions_of_scenarios(tx: Transaction, scenario_ids: Sequence[str]) -> dict[str, str]:
    """Give the session of each of these scenarios. Raises: NotFound."""
    return {name: scene.session_id for name, scene in scenarios_named(tx, scenario_ids).items()}


def suited_by_tags(tx: Transaction, targets: Sequence[str], pool: pa.ChunkedArray) -> NDArray[np.bool_] | None:
    """Give for which targets each scenario of a pool may be picked, bool [N, K]; None where no target is a tag.

    For a tag those that carry it, for anything else every one.

    Raises: InvalidInput for a tag that no scenario carries.
    """
    if not tags_among(tuple(targets)):
        return None
    suited = np.ones((len(pool), len(targets)), np.bool_)
    for column, target in enumerate(targets):
        for tag in tags_among((target,)):
            suited[:, column] = scenario_groups(tx, tag, pool) != NO_GROUP
    return suited


def require_drivable(spec: RoundSpec) -> None:
    """Check that a round of scenarios asks for nothing that only frames have.

    Raises: InvalidInput naming what it asks for, and why there is none of it.
    """
    strategy, name = strategy_named(spec.strategy.name), spec.strategy.name
    if strategy.needs_embeddings or spec.strategy.minimum_distance:
        raise InvalidInput(f"strategy {name} with embeddings: scenarios have none; take mi, entropy, random, ...")
    if strategy.needs_oracle:
        raise InvalidInput(f"strategy {name}: imitates a curator of frames; take mi, random, stratified, ...")
    if spec.budget.objects is not None:
        raise InvalidInput(f"object budget {spec.budget.objects}: scenarios have no cells; give a budget of scenarios")
    if spec.test_version_id is not None:
        raise InvalidInput(
            f"test set {spec.test_version_id}: drivers are judged by `alp policy evaluate`; leave it out"
        )
    if spec.initial_ensemble_id is not None:
        raise InvalidInput(f"initial ensemble {spec.initial_ensemble_id}: is of frames; name a policy")
    _require_drivers(spec)


def require_known_drivers(context: LoopContext, spec: RoundSpec) -> None:
    """Check that the drivers are there or can be trained, and that the tags are.

    Raises: NotFound for an unknown policy; InvalidInput for a policy to go on from that has another network, a
        dataset version that nothing can be trained on, or a tag that no scenario carries.
    """
    model = spec.policy_model
    with context.catalog.transaction() as tx:
        if model.training is None:
            policy_named(tx, model.policy_id)
        else:
            require_trainable(tx, model.training.recipe, model.training.parent_id)
            scenarios_of_version(tx, context, spec.dataset_version_id)
        for tag in model.tags:
            require_known_scenario_tag(tx, tag)


def drivers_of(context: LoopContext, spec: RoundSpec) -> TrainOutcome:
    """Give the policy whose drivers are asked, trained on the round's dataset version where the round says how.

    Raises: NotFound for an unknown policy; as `loop.policies.train_policy`.
    """
    model = spec.policy_model
    with context.catalog.transaction() as tx:
        known = dataset_catalog.version_named(tx, spec.dataset_version_id).items
        if model.training is None:
            return TrainOutcome(policy_named(tx, model.policy_id).policy_id, known, cached=True)
    request = PolicyRequest(
        spec=model.training.recipe,
        dataset_version_id=spec.dataset_version_id,
        held_out_share=model.training.held_out,
        parent_id=model.training.parent_id,
        seed=spec.seed,
        curriculum=spec.curriculum,
    )
    made = train_policy(context, request)
    if made.cached:
        return TrainOutcome(made.policy.policy_id, known, cached=True, curve=made.curve)
    return TrainOutcome(made.policy.policy_id, known, False, made.training_id, made.policy.cost, made.curve)


def begin_with_last_drivers(tx: Transaction, wanted: RoundSpec, last: Round) -> RoundSpec:
    """Give a round whose drivers go on from those of the round before."""
    del tx
    model = wanted.policy_model
    if model.training is None:
        return wanted
    return replace(wanted, model=replace(model, training=replace(model.training, parent_id=last.ensemble_id)))


def policy_weights(tx: Transaction, policy_id: str) -> str:
    """Give the hash of a policy's weights. Raises: NotFound."""
    return policy_named(tx, policy_id).weights_hash


def scenario_job(
    tx: Transaction, context: LoopContext, model: ModelSpec | PolicyModel, policy_id: str, pool_id: str
) -> ScoringJob:
    """Give the job of scoring a pool by the drivers of a policy.

    Policies of the same weights that are asked alike share their scores.

    Raises: NotFound for an unknown policy or pool; InvalidInput for a model of frames.
    """
    if not isinstance(model, PolicyModel):
        raise InvalidInput(f"policy {policy_id}: drives scenarios, not frames")
    return make_job(
        replace(model, policy_id="", training=None),
        weights_hash=policy_weights(tx, policy_id),
        pool_manifest_hash=dataset_catalog.pool_rows(tx, context.blobs, pool_id),
        frames=dataset_catalog.pool_size(tx, pool_id),
    )


def lost_scenarios(context: LoopContext, round_: Round, scenario_ids: Sequence[str]) -> Unreadable:
    """Give those of these scenarios that are not in the store, or in a damaged part of it, and why."""
    del round_
    stores, damaged = open_layouts(Path(context.workplace.scenarios_folder))
    lost = [name for name in scenario_ids if not any(name in store for store in stores)]
    return {name: str(why_lost(name, damaged)) for name in lost}


def confirmed_events(context: LoopContext, round_: Round, labels: Sequence[Label]) -> int:
    """Give how many of the events that the round looked for people found to be real."""
    del context
    triages = [label for label in labels if isinstance(label, Triage)]
    return sum(real for triage in triages for event, real in triage.events.items() if event in round_.spec.targets)


def _require_drivers(spec: RoundSpec) -> None:
    """Check that the round says whose drivers are asked, or how they are trained."""
    model = spec.policy_model
    if model.training is not None:
        network_of(model.training.recipe)
        return
    if not model.policy_id:
        raise InvalidInput("drivers: neither a policy nor a recipe is given; name the policy to ask, or train one")
    if spec.curriculum:
        raise InvalidInput("curriculum: the round asks a policy that is trained; give a recipe to train by")
