"""Judgements asked of the service: kept in the catalog until they are done, whoever restarts meanwhile."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from al_platform.catalog import judgements as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.runs import keep_idempotency_key
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.judgements import (
    ComparisonWish,
    EvaluationWish,
    Judgement,
    JudgementState,
    LicenceWish,
)
from al_platform.domain.judging import EXPERT, Comparison, Evaluation, JudgeSpec, Suite
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.progress import Progress
from al_platform.errors import (
    CatalogBusy,
    ComputeUnavailable,
    CorruptBlob,
    InvalidInput,
    NotFound,
    PlatformError,
    StorageUnavailable,
)
from al_platform.platform import judging, licences
from al_platform.platform.asking import Asked, ask_comparison, ask_evaluation, ask_licence
from al_platform.platform.home import Platform
from al_platform.platform.idempotency import known_target
from al_platform.platform.policies import policy
from al_platform.platform.service import Service
from al_platform.policies.changes import ComparisonSpec

Result = TypeVar("Result")

_LATER = (ComputeUnavailable, StorageUnavailable, CatalogBusy)
"""What passes: the judgement is taken on again."""
_ONE_AT_A_TIME = threading.Lock()
"""Results are entered here alone, so that no two threads enter the same."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Judged(Generic[Result]):
    """What was asked for, how far it is, and its result once it is done."""

    judgement_id: str
    state: JudgementState
    message: str
    """Why it failed, or what it waits for."""
    progress: Progress | None
    result: Result | None


def freeze(service: Service, name: str, filter_text: str, *, actor: Actor, key: str) -> tuple[Suite, bool]:
    """Freeze a suite; says too whether the key brought back what it brought before.

    Raises: as `platform.judging.freeze_suite`; IdempotencyMismatch.
    """
    platform, request_hash = service.platform, hash_record(("suite", name, filter_text))
    with service.writing:
        with platform.catalog.transaction() as tx:
            known = known_target(tx, actor, key, request_hash=request_hash)
        if known is not None:
            return judging.suite(platform, known), True
        made = judging.freeze_suite(platform, name, filter_text)
        now = utc_now()
        with platform.catalog.transaction() as tx:
            keep_idempotency_key(
                tx, actor=actor.name, key=key, request_hash=request_hash, target=made.suite_id, now=now
            )
            record_change(tx, actor, "suite.frozen", made.suite_id, now=now, detail={"name": name})
    return made, False


def ask_for_evaluation(
    service: Service, policy_id: str, suite_name: str, *, spec: JudgeSpec, actor: Actor
) -> Judged[Evaluation]:
    """Have a suite driven; asked again it is the same evaluation, and a failed one is tried once more.

    Raises: NotFound for an unknown policy or suite.
    """
    job = judging.evaluation_job(service.platform, policy_id, suite_name, spec)
    _ask(service, job.evaluation_id, EvaluationWish(policy_id, job.suite_id, spec), actor=actor)
    return evaluation_status(service, job.evaluation_id)


def ask_for_comparison(
    service: Service,
    before: str,
    after: str,
    suite_name: str,
    *,
    spec: JudgeSpec,
    clips: int,
    progress_margin: float,
    actor: Actor,
) -> str:
    """Have two policies compared and give the id that this goes by; asked again it is the same, failed or not.

    Raises: NotFound for an unknown policy or suite; InvalidInput for a policy against itself.
    """
    if before == after:
        raise InvalidInput(f"policy {before}: is compared with itself; name two")
    for each in (before, after):
        if each != EXPERT:
            policy(service.platform, each)
    suite_id = judging.suite(service.platform, suite_name).suite_id
    wish = ComparisonWish(before, after, suite_id, spec, clips, progress_margin)
    _ask(service, wish.wish_id, wish, actor=actor)
    return wish.wish_id


def ask_for_licence(service: Service, policy_id: str, spec: LicenceSpec, *, actor: Actor) -> Judged[Licence]:
    """Have a licence decided; decisions stand for good.

    Raises: NotFound for an unknown policy or suite; InvalidInput for a name under which something else is asked for.
    """
    licences.find_decision(service.platform, policy_id, spec)
    licence_id = licences.licence_id_of(policy_id, spec)
    _ask(service, licence_id, LicenceWish(policy_id, spec), actor=actor)
    return licence_status(service, licence_id)


def evaluation_status(service: Service, evaluation_id: str) -> Judged[Evaluation]:
    """Give how far an evaluation is, whoever asked for it. Raises: NotFound."""
    return _status(service, evaluation_id, judging.evaluation)


def licence_status(service: Service, licence_id: str) -> Judged[Licence]:
    """Give how far a decision is, whoever asked for it. Raises: NotFound."""
    return _status(service, licence_id, licences.licence)


def comparison_status(service: Service, wish_id: str) -> tuple[ComparisonWish, Judged[Comparison]]:
    """Give what is compared and how far that is. Raises: NotFound for what nobody asked the service for."""
    found = _find(service, wish_id)
    if found is None or not isinstance(found.wish, ComparisonWish):
        raise NotFound(f"comparison {wish_id}: nobody asked for it; POST /v1/comparisons")
    done = found.state is JudgementState.DONE
    result = _taken_on(service.platform, found.wish, again=False).result if done else None
    return found.wish, _judged(service, found, result if isinstance(result, Comparison) else None)


def judgements_under_way(service: Service) -> list[tuple[Judgement, Progress | None]]:
    """Give what is being judged, each with how far its job is."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.judgements_in(tx, JudgementState.RUNNING, limit=_AT_ONCE)
    return [(each, _progress(service.platform, each)) for each in found]


def take_on_judgements(service: Service) -> None:
    """Take everything that was asked for as far as it goes now; called again and again by the service."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.judgements_in(tx, JudgementState.RUNNING, limit=_AT_ONCE)
    for each in found:
        _take_on(service, each.judgement_id, again=False)


def _ask(
    service: Service, judgement_id: str, wish: EvaluationWish | ComparisonWish | LicenceWish, *, actor: Actor
) -> None:
    kind, now = type(wish).__name__.removesuffix("Wish").lower(), utc_now()
    with service.writing, service.platform.catalog.transaction() as tx:
        known = catalog.find_judgement(tx, judgement_id)
        if known is not None and known.state is not JudgementState.FAILED:
            return
        catalog.save_judgement(tx, Judgement(judgement_id, wish, actor.name, now))
        record_change(tx, actor, f"{kind}.asked", judgement_id, now=now)
    _take_on(service, judgement_id, again=True)


def _take_on(service: Service, judgement_id: str, *, again: bool) -> None:
    with _ONE_AT_A_TIME:
        before = _find(service, judgement_id)
        if before is None or before.state is not JudgementState.RUNNING:
            return
        after = _after(service.platform, before, again=again)
        if after != before:
            with service.writing, service.platform.catalog.transaction() as tx:
                catalog.save_judgement(tx, after)


def _after(platform: Platform, before: Judgement, *, again: bool) -> Judgement:
    try:
        asked = _taken_on(platform, before.wish, again=again)
    except PlatformError as error:
        passes = isinstance(error, _LATER) and not isinstance(error, CorruptBlob)
        state = JudgementState.RUNNING if passes else JudgementState.FAILED
        return replace(before, state=state, message=str(error))
    state = JudgementState.RUNNING if asked.result is None else JudgementState.DONE
    return replace(before, state=state, job_key=asked.key, message="")


def _taken_on(
    platform: Platform, wish: EvaluationWish | ComparisonWish | LicenceWish, *, again: bool
) -> Asked[Evaluation] | Asked[Comparison] | Asked[Licence]:
    if isinstance(wish, EvaluationWish):
        return ask_evaluation(platform, wish.policy_id, wish.suite_id, spec=wish.spec, again=again)
    if isinstance(wish, LicenceWish):
        return ask_licence(platform, wish.policy_id, wish.spec, again=again)
    wanted = ComparisonSpec(wish.progress_margin, wish.clips)
    return ask_comparison(platform, wish.before, wish.after, wish.suite_id, spec=wish.spec, wanted=wanted, again=again)


def _status(service: Service, judgement_id: str, result_of: Callable[[Platform, str], Result]) -> Judged[Result]:
    found = _find(service, judgement_id)
    if found is None or found.state is JudgementState.DONE:
        return Judged(judgement_id, JudgementState.DONE, "", None, result_of(service.platform, judgement_id))
    return _judged(service, found, None)


def _judged(service: Service, found: Judgement, result: Result | None) -> Judged[Result]:
    running = found.state is JudgementState.RUNNING
    progress = _progress(service.platform, found) if running else None
    return Judged(found.judgement_id, found.state, found.message, progress, result)


def _find(service: Service, judgement_id: str) -> Judgement | None:
    with service.platform.catalog.transaction() as tx:
        return catalog.find_judgement(tx, judgement_id)


def _progress(platform: Platform, judgement: Judgement) -> Progress | None:
    return platform.compute.status(judgement.job_key).progress if judgement.job_key else None
