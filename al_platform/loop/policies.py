"""Training of driving policies: from a dataset version of scenarios to a policy in the catalog, by a job."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.catalog import policies as policy_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_items
from al_platform.catalog.scenarios import scenarios_held_out, scenarios_matching_among
from al_platform.compute.waiting import finish
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.policies import PolicySpec, PolicyVersion
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.curriculum import curriculum_weights
from al_platform.policies.job import PolicyJob, TrainedPolicy, make_policy_job, write_policy_job
from al_platform.policies.recipes import network_of
from al_platform.policies.scenes import WantedScenes, read_wanted, write_wanted
from al_platform.policies.worker import KIND
from al_platform.storage.named_records import find_record

_ALIKE = ("network", "members", "agents", "roads", "route_points")
"""What a policy shares with the one that it goes on from."""


@dataclass(frozen=True)
class PolicyOutcome:
    """A trained policy, the job that lists all its inputs, and whether it was there already."""

    policy: PolicyVersion
    training_id: str
    curve: str
    """What its learning curve is measured on, in words."""
    cached: bool


def train_policy(context: LoopContext, request: PolicyRequest) -> PolicyOutcome:
    """Train a policy by a job, or find it: equal inputs are one job, and are never trained twice.

    Raises: as `policy_job`; NotFound for a scenario that the store lacks; InvalidInput for scenarios of several
        sizes; TrainingDiverged, StorageUnavailable; Stopped, when it goes on from its checkpoint the next time.
    """
    job = policy_job(context, request)
    with context.catalog.transaction() as tx:
        known = policy_catalog.find_policy(tx, policy_id_of(request, job))
    if known is not None:
        return PolicyOutcome(known, job.training_id, _curve_of(context, job), cached=True)
    cost = finish(
        context.compute,
        job.training_id,
        policy_work(context, job),
        finished=lambda: trained_by(context, job) is not None,
        report=context.report,
    )
    made = keep_policy(context, request, job, cost=cost)
    return PolicyOutcome(made, job.training_id, _curve_of(context, job), cached=False)


def policy_job(context: LoopContext, request: PolicyRequest) -> PolicyJob:
    """Write down all that the training needs.

    Raises: NotFound for an unknown version or parent; InvalidInput for a network that nobody knows, a parent of
        another one, a version without scenarios, one that shares scenarios with the held-out one, or a curriculum
        that cannot be.
    """
    with context.catalog.transaction() as tx:
        parent = require_trainable(tx, request.spec, request.parent_id)
        learned, held_out = _dealt(tx, context, request)
    listed = WantedScenes(tuple(held_out), (1.0,) * len(held_out)) if held_out else None
    job = make_policy_job(
        request.spec,
        seed=request.seed,
        scenes_hash=write_wanted(context.blobs, WantedScenes(tuple(learned), _weights(context, request, learned))),
        held_out_hash=None if listed is None else write_wanted(context.blobs, listed),
        parent_hash=None if parent is None else parent.weights_hash,
    )
    write_policy_job(context.place.files, job)
    return job


def policy_id_of(request: PolicyRequest, job: PolicyJob) -> str:
    """Name a policy by its training and by what it is told to come from."""
    return make_id("pol", job.training_id, request.dataset_version_id, request.parent_id)


def policy_work(context: LoopContext, job: PolicyJob) -> Job:
    """Give the piece of work that a written job describes."""
    return Job(KIND, job.name, context.workplace)


def trained_by(context: LoopContext, job: PolicyJob) -> TrainedPolicy | None:
    """Give what a job left in storage, None as long as it has not ended."""
    return find_record(context.place.files, job.trained_name, TrainedPolicy)


def keep_policy(context: LoopContext, request: PolicyRequest, job: PolicyJob, *, cost: Cost | None) -> PolicyVersion:
    """Enter what a job came to; again changes nothing.

    Raises: InvalidInput where its result is gone.
    """
    trained = trained_by(context, job)
    if trained is None:
        raise InvalidInput(f"training {job.training_id}: its result was deleted meanwhile; train again")
    made = PolicyVersion(
        policy_id=policy_id_of(request, job),
        spec=request.spec,
        dataset_version_id=request.dataset_version_id,
        parent_id=request.parent_id,
        seed=request.seed,
        weights_hash=trained.weights_hash,
        curve_hash=trained.curve_hash,
        environment=trained.environment,
        cost=cost,
        held_out_share=request.held_out_share,
    )
    with context.catalog.transaction() as tx:
        policy_catalog.add_policy(tx, made, now=utc_now())
        return policy_catalog.policy_named(tx, made.policy_id)


def require_trainable(tx: Transaction, recipe: PolicySpec, parent_id: str | None) -> PolicyVersion | None:
    """Check that a policy can be trained by a recipe, and give the one that it goes on from.

    Raises: NotFound for an unknown parent; InvalidInput for a network that nobody knows, or a parent of another one.
    """
    network_of(recipe)
    if parent_id is None:
        return None
    parent = policy_catalog.policy_named(tx, parent_id)
    for name in _ALIKE:
        its, wanted = getattr(parent.spec, name), getattr(recipe, name)
        if its != wanted:
            raise InvalidInput(
                f"parent {parent_id}: has {name} {its} and the recipe {wanted}; give both the same "
                f"{', '.join(_ALIKE)}, or train without a parent"
            )
    return parent


def scenarios_of_version(tx: Transaction, context: LoopContext, version_id: str) -> list[str]:
    """Give the scenarios of a dataset version.

    Raises: NotFound for an unknown version; InvalidInput for one that is empty or holds something else.
    """
    ids = [item.item_id for item in version_items(tx, context.blobs, version_id)]
    if not ids:
        raise InvalidInput(f"dataset version {version_id}: is empty; give one with at least 1 scenario")
    others = sorted(set(ids) - scenarios_matching_among(tx, "", ids))
    if others:
        raise InvalidInput(
            f"dataset version {version_id}: {others[0]} and {len(others) - 1} more of its {len(ids)} items are no "
            "scenarios; give a version of scenarios"
        )
    return ids


def _dealt(tx: Transaction, context: LoopContext, request: PolicyRequest) -> tuple[list[str], list[str]]:
    """The scenarios to learn from, and those held out."""
    given = scenarios_of_version(tx, context, request.dataset_version_id)
    if request.held_out_version_id is None:
        apart = scenarios_held_out(tx, given, request.held_out_share)
        return [name for name in given if name not in apart], [name for name in given if name in apart]
    held_out = scenarios_of_version(tx, context, request.held_out_version_id)
    both = sorted(set(given) & set(held_out))
    if both:
        raise InvalidInput(f"scenario {both[0]} and {len(both) - 1} more: to learn from and held out; split them")
    return given, held_out


def _curve_of(context: LoopContext, job: PolicyJob) -> str:
    if job.held_out_hash is None:
        return "of the loss alone: no session is held out"
    return f"measured on {len(read_wanted(context.blobs, job.held_out_hash).ids)} scenarios that teach nothing"


def _weights(context: LoopContext, request: PolicyRequest, scenario_ids: Sequence[str]) -> tuple[float, ...]:
    """How often each scenario is drawn, 1 on average."""
    weights = curriculum_weights(
        context,
        request.curriculum,
        scenario_ids,
        version_id=request.dataset_version_id,
        among=scenarios_matching_among,
    )
    if weights is None:
        return (1.0,) * len(scenario_ids)
    return tuple((weights * len(weights) / weights.sum()).tolist())
