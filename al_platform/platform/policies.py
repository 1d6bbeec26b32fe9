"""Training of driving policies: from a dataset version of scenarios to a policy in the catalog."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_platform.catalog import policies as policy_catalog
from al_platform.catalog.datasets import add_version, version_items
from al_platform.catalog.scenarios import scenarios_matching
from al_platform.compute.waiting import finish
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Cost, Job
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.policies import PolicySpec, PolicyVersion
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.rounds import workplace_of
from al_platform.policies.curve import Curve, read_curve
from al_platform.policies.job import PolicyJob, TrainedPolicy, make_policy_job, write_policy_job
from al_platform.policies.recipes import network_of
from al_platform.policies.scenes import WantedScenes, write_wanted
from al_platform.policies.worker import KIND
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record
from al_platform.training.sampling import mixed_weights


@dataclass(frozen=True)
class PolicyRequest:
    """A wish for a policy: how it is trained, on which scenarios, and what it goes on from."""

    spec: PolicySpec
    dataset_version_id: str
    """Scenarios to learn from."""
    held_out_version_id: str | None = None
    """Scenarios that the learning curve is measured on; None for a curve of the loss alone."""
    parent_id: str | None = None
    """The policy to go on from; None for fresh weights."""
    seed: int = 0
    curriculum: tuple[CurriculumShare, ...] = ()
    """How much of what is learned from is drawn from which scenarios, such as newly accepted or hard ones; empty:
    every scenario alike."""

    def __post_init__(self) -> None:
        """Refuse seeds that no generator takes."""
        if not 0 <= self.seed < 2**32:
            raise InvalidInput(f"seed {self.seed}: must be at least 0 and below 2^32")


def train_policy(platform: Platform, request: PolicyRequest) -> PolicyVersion:
    """Train a policy by a job, or find it: equal inputs are one job, and are never trained twice.

    Raises: NotFound for an unknown version, parent or a scenario that the store lacks; InvalidInput for a version
        without scenarios, one that shares scenarios with the held-out one, weights that are all 0, scenarios of
        several sizes, or a parent of another network; TrainingDiverged, StorageUnavailable; Stopped, when it goes on
        from its checkpoint the next time.
    """
    network_of(request.spec)
    job = _job_of(platform, request)
    policy_id = make_id("pol", job.training_id, request.dataset_version_id, request.parent_id)
    with platform.catalog.transaction() as tx:
        known = policy_catalog.find_policy(tx, policy_id)
    if known is not None:
        return known
    files = NamedFiles(platform.settings.storage_url)
    cost = finish(
        platform.compute,
        job.training_id,
        Job(KIND, job.name, workplace_of(platform.settings)),
        finished=lambda: find_record(files, job.trained_name, TrainedPolicy) is not None,
        report=platform.report,
    )
    trained = find_record(files, job.trained_name, TrainedPolicy)
    if trained is None:
        raise InvalidInput(f"training {job.training_id}: its result was deleted meanwhile; train again")
    return _keep(platform, request, policy_id, trained=trained, cost=cost)


def scenario_version(platform: Platform, filter_text: str, *, purpose: str = "policy") -> DatasetVersion:
    """Make the dataset version of all scenarios that a filter matches, taken in without triage.

    Raises: InvalidInput for a filter that does not parse or matches nothing.
    """
    with platform.catalog.transaction() as tx:
        ids = scenarios_matching(tx, filter_text)["scenario_id"].to_pylist()
        if not ids:
            raise InvalidInput(f"filter {filter_text!r}: no scenario matches; `alp scenarios list` shows what there is")
        items = [DatasetItem(scenario_id, "") for scenario_id in ids]
        return add_version(
            tx, platform.blobs, parent_id=None, additions=items, purpose=purpose, round_id=None, now=utc_now()
        )


def policies(platform: Platform) -> list[PolicyVersion]:
    """Give every policy, oldest first."""
    with platform.catalog.transaction() as tx:
        return policy_catalog.all_policies(tx)


def policies_page(platform: Platform, page: PageRequest) -> Page[PolicyVersion]:
    """Give policies, newest first."""
    with platform.catalog.transaction() as tx:
        return policy_catalog.policies_page(tx, page)


def policy(platform: Platform, policy_id: str) -> PolicyVersion:
    """Give a policy.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        return policy_catalog.policy_named(tx, policy_id)


def curve_of(platform: Platform, policy_id: str) -> Curve:
    """Give the learning curve of a policy.

    Raises: NotFound for an unknown id; CorruptBlob where the curve was damaged.
    """
    return read_curve(platform.blobs, policy(platform, policy_id).curve_hash)


def _job_of(platform: Platform, request: PolicyRequest) -> PolicyJob:
    """Write down all that the training needs."""
    learned = _scenario_ids(platform, request.dataset_version_id)
    held_out = _scenario_ids(platform, request.held_out_version_id) if request.held_out_version_id else []
    both = sorted(set(learned) & set(held_out))
    if both:
        raise InvalidInput(f"scenario {both[0]} and {len(both) - 1} more: to learn from and held out; split them")
    parent = None if request.parent_id is None else policy(platform, request.parent_id)
    job = make_policy_job(
        request.spec,
        seed=request.seed,
        scenes_hash=write_wanted(platform.blobs, WantedScenes(tuple(learned), _weights(platform, request, learned))),
        held_out_hash=write_wanted(platform.blobs, WantedScenes(tuple(held_out), (1.0,) * len(held_out)))
        if held_out
        else None,
        parent_hash=None if parent is None else parent.weights_hash,
    )
    write_policy_job(NamedFiles(platform.settings.storage_url), job)
    return job


def _scenario_ids(platform: Platform, version_id: str) -> list[str]:
    with platform.catalog.transaction() as tx:
        items = version_items(tx, platform.blobs, version_id)
    if not items:
        raise InvalidInput(f"dataset version {version_id}: is empty; give one with at least 1 scenario")
    return [item.item_id for item in items]


def _weights(platform: Platform, request: PolicyRequest, scenario_ids: Sequence[str]) -> tuple[float, ...]:
    """How often each scenario is drawn, 1 on average."""
    if not request.curriculum:
        return (1.0,) * len(scenario_ids)
    groups = []
    with platform.catalog.transaction() as tx:
        for part in request.curriculum:
            matching = set(scenarios_matching(tx, part.filter)["scenario_id"].to_pylist())
            groups.append(np.flatnonzero([scenario_id in matching for scenario_id in scenario_ids]))
            if part.share > 0.0 and not groups[-1].size:
                raise InvalidInput(
                    f"curriculum {part.filter!r}: matches none of the {len(scenario_ids)} scenarios; widen it, or "
                    "leave it out until some are accepted"
                )
    weights = mixed_weights(groups, [part.share for part in request.curriculum], len(scenario_ids))
    return tuple((weights * len(weights) / weights.sum()).tolist())


def _keep(
    platform: Platform, request: PolicyRequest, policy_id: str, *, trained: TrainedPolicy, cost: Cost | None
) -> PolicyVersion:
    made = PolicyVersion(
        policy_id=policy_id,
        spec=request.spec,
        dataset_version_id=request.dataset_version_id,
        parent_id=request.parent_id,
        seed=request.seed,
        weights_hash=trained.weights_hash,
        curve_hash=trained.curve_hash,
        environment=trained.environment,
        cost=cost,
    )
    with platform.catalog.transaction() as tx:
        policy_catalog.add_policy(tx, made, now=utc_now())
        return policy_catalog.policy_named(tx, policy_id)
