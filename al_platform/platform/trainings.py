"""Trainings of policies asked of the service: done in a job, whoever restarts meanwhile, and stopped when told to."""

from dataclasses import dataclass

from al_platform.catalog.access import record_change
from al_platform.catalog.runs import keep_idempotency_key
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.operations import OperationState, TrainingWish
from al_platform.domain.policies import PolicySpec, PolicyVersion
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import Conflict, NotFound
from al_platform.loop.policies import policy_id_of, policy_job
from al_platform.platform.home import Platform
from al_platform.platform.idempotency import known_target
from al_platform.platform.policies import policy, version_of
from al_platform.platform.rounds import loop_context
from al_platform.platform.service import Service
from al_platform.platform.taking_on import OperationStatus, enter, find, status_of, take_on


@dataclass(frozen=True)
class WantedPolicy:
    """A policy as it is asked for: scenarios by the id of a dataset version, or by a filter."""

    recipe: PolicySpec
    on: str = ""
    """Scenarios to learn from; empty for all that there are now."""
    held_out: str = ""
    """Scenarios that the learning curve is measured on; empty for none."""
    parent_id: str = ""
    """The policy to go on from; empty for fresh weights."""
    seed: int = 0
    curriculum: tuple[CurriculumShare, ...] = ()

    def request(self, platform: Platform) -> PolicyRequest:
        """Give what is wanted, its scenarios frozen.

        Raises: InvalidInput for a filter that does not parse or matches nothing.
        """
        return PolicyRequest(
            spec=self.recipe,
            dataset_version_id=version_of(platform, self.on),
            held_out_version_id=version_of(platform, self.held_out) if self.held_out else None,
            parent_id=self.parent_id or None,
            seed=self.seed,
            curriculum=self.curriculum,
        )


def ask_for_policy(
    service: Service, wanted: WantedPolicy, *, actor: Actor, key: str
) -> tuple[OperationStatus[PolicyVersion], bool]:
    """Have a policy trained; says too whether the key brought back what it brought before.

    The same training asked for again is the same policy; one that failed or was stopped goes on from its checkpoint.

    Raises: as `loop.policies.policy_job`; IdempotencyMismatch.
    """
    platform, request_hash = service.platform, hash_record(("policy", wanted))
    with service.writing:
        with platform.catalog.transaction() as tx:
            known = known_target(tx, actor, key, request_hash=request_hash)
        if known is not None:
            return training_status(service, known), True
        request = wanted.request(platform)
        policy_id, now = policy_id_of(request, policy_job(loop_context(platform), request)), utc_now()
        with platform.catalog.transaction() as tx:
            entered = enter(tx, policy_id, TrainingWish(request), actor=actor)
            keep_idempotency_key(tx, actor=actor.name, key=key, request_hash=request_hash, target=policy_id, now=now)
    if entered:
        take_on(service, policy_id, again=True)
    return training_status(service, policy_id), False


def training_status(service: Service, policy_id: str) -> OperationStatus[PolicyVersion]:
    """Give how far a policy is, whoever trains it. Raises: NotFound."""
    return status_of(service, policy_id, policy)


def stop_training(service: Service, policy_id: str, *, actor: Actor) -> OperationStatus[PolicyVersion]:
    """Stop a training, which keeps its state: asked for again it goes on from there.

    Raises: NotFound for a training that nobody asked the service for; Conflict for one that has ended,
        or has not begun.
    """
    found = find(service, policy_id)
    if found is None or not isinstance(found.wish, TrainingWish):
        raise NotFound(f"training of {policy_id}: nobody asked for it; POST /v1/policies")
    if found.state is not OperationState.RUNNING:
        raise Conflict(f"training of {policy_id}: is {found.state} ({found.message}); nothing is left to stop")
    if not found.job_key:
        raise Conflict(f"training of {policy_id}: is about to begin ({found.message}); stop it again in a moment")
    service.platform.compute.stop(found.job_key)
    with service.writing, service.platform.catalog.transaction() as tx:
        record_change(tx, actor, "training.stopped", policy_id, now=utc_now())
    take_on(service, policy_id, again=False)
    return training_status(service, policy_id)
