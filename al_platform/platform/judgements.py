"""Judgements asked of the service: suites driven, policies compared, fixes tried, licences decided."""

from al_platform.catalog import operations as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.runs import keep_idempotency_key
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.judging import EXPERT, Comparison, Evaluation, Fix, JudgeSpec, Suite
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.operations import COMPARISON, ComparisonWish, EvaluationWish, FixWish, LicenceWish, Operation
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform import judging, licences
from al_platform.platform.idempotency import known_target
from al_platform.platform.policies import policy
from al_platform.platform.scenarios import scenario
from al_platform.platform.service import Service
from al_platform.platform.taking_on import OperationStatus, ask, find, result_again, status_of, status_with


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
) -> OperationStatus[Evaluation]:
    """Have a suite driven; asked again it is the same evaluation, and a failed one is tried once more.

    Raises: NotFound for an unknown policy or suite.
    """
    job = judging.evaluation_job(service.platform, policy_id, suite_name, spec)
    ask(service, job.evaluation_id, EvaluationWish(policy_id, job.suite_id, spec), actor=actor)
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
    _require_two(service, before, after)
    suite_id = judging.suite(service.platform, suite_name).suite_id
    wish = ComparisonWish(before, after, suite_id, spec, clips, progress_margin)
    ask(service, wish.wish_id, wish, actor=actor)
    return wish.wish_id


def ask_for_fix(
    service: Service,
    scenario_id: str,
    before: str,
    after: str,
    *,
    spec: JudgeSpec,
    variations: int,
    seed: int,
    actor: Actor,
) -> str:
    """Have variations of a scenario driven by two policies and give the id that this goes by, as a comparison does.

    Raises: NotFound for an unknown policy or scenario; InvalidInput for a policy against itself.
    """
    _require_two(service, before, after)
    scenario(service.platform, scenario_id)
    wish = FixWish(scenario_id, before, after, spec, variations, seed)
    ask(service, wish.wish_id, wish, actor=actor)
    return wish.wish_id


def ask_for_licence(service: Service, policy_id: str, spec: LicenceSpec, *, actor: Actor) -> OperationStatus[Licence]:
    """Have a licence decided; decisions stand for good.

    Raises: NotFound for an unknown policy or suite; InvalidInput for a name under which something else is asked for.
    """
    licences.find_decision(service.platform, policy_id, spec)
    licence_id = licences.licence_id_of(policy_id, spec)
    ask(service, licence_id, LicenceWish(policy_id, spec), actor=actor)
    return licence_status(service, licence_id)


def evaluation_status(service: Service, evaluation_id: str) -> OperationStatus[Evaluation]:
    """Give how far an evaluation is, whoever asked for it. Raises: NotFound."""
    return status_of(service, evaluation_id, judging.evaluation)


def licence_status(service: Service, licence_id: str) -> OperationStatus[Licence]:
    """Give how far a decision is, whoever asked for it. Raises: NotFound."""
    return status_of(service, licence_id, licences.licence)


def comparison_status(service: Service, wish_id: str) -> tuple[ComparisonWish, OperationStatus[Comparison]]:
    """Give what is compared and how far that is. Raises: NotFound for what nobody asked the service for."""
    found = find(service, wish_id)
    if found is None or not isinstance(found.wish, ComparisonWish):
        raise NotFound(f"comparison {wish_id}: nobody asked for it; POST /v1/comparisons")
    result = result_again(service.platform, found)
    return found.wish, status_with(service, found, result if isinstance(result, Comparison) else None)


def comparisons_page(service: Service, page: PageRequest) -> Page[Operation]:
    """Give the comparisons that were asked for, newest first."""
    with service.platform.catalog.transaction() as tx:
        return catalog.operations_page(tx, COMPARISON, page)


def fix_status(service: Service, wish_id: str) -> tuple[FixWish, OperationStatus[Fix]]:
    """Give whether a fix holds, or how far that is. Raises: NotFound for what nobody asked the service for."""
    found = find(service, wish_id)
    if found is None or not isinstance(found.wish, FixWish):
        raise NotFound(f"fix {wish_id}: nobody asked for it; POST /v1/fixes")
    result = result_again(service.platform, found)
    return found.wish, status_with(service, found, result if isinstance(result, Fix) else None)


def _require_two(service: Service, before: str, after: str) -> None:
    if before == after:
        raise InvalidInput(f"policy {before}: is compared with itself; name two")
    for each in (before, after):
        if each != EXPERT:
            policy(service.platform, each)
