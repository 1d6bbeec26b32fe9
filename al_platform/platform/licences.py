"""Driver licences: issued or refused on what a policy did on a frozen suite, once and for all."""

from collections.abc import Iterator

from al_platform.catalog import judging as catalog
from al_platform.catalog.policies import policy_named
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.judging import PROGRESS, Estimate, Evaluation
from al_platform.domain.licences import Licence, LicenceCheck, LicenceSpec
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import NotFound
from al_platform.platform.home import Platform
from al_platform.platform.judging import evaluate_policy
from al_platform.policies.driven import surely_at_most


def license_policy(platform: Platform, policy_id: str, spec: LicenceSpec) -> Licence:
    """Issue or refuse a licence, with every reason; asked again, the decision is the same.

    Raises: NotFound for an unknown policy or suite; InvalidInput for a name under which something else is asked for,
        and as `platform.judging.evaluate_policy`.
    """
    decided = find_decision(platform, policy_id, spec)
    if decided is not None:
        return decided
    evaluation = evaluate_policy(platform, policy_id, spec.suite_id, spec=spec.judged)
    licence = decide(licence_id_of(policy_id, spec), spec, evaluation)
    with platform.catalog.transaction() as tx:
        catalog.add_licence_spec(tx, spec, now=utc_now())
        catalog.add_licence(tx, licence, now=utc_now())
    return licence


def licence_id_of(policy_id: str, spec: LicenceSpec) -> str:
    """Give the id of a decision: the same question has the same."""
    return make_id("lic", policy_id, spec)


def find_decision(platform: Platform, policy_id: str, spec: LicenceSpec) -> Licence | None:
    """Give what was decided, None where nothing was yet.

    Raises: NotFound for an unknown policy or suite; InvalidInput for a name under which something else is asked for.
    """
    with platform.catalog.transaction() as tx:
        policy_named(tx, policy_id)
        catalog.suite_named(tx, spec.suite_id)
        catalog.check_licence_spec(tx, spec)
        return catalog.find_licence(tx, licence_id_of(policy_id, spec))


def decide(licence_id: str, spec: LicenceSpec, evaluation: Evaluation) -> Licence:
    """Hold an evaluation against what a licence asks for."""
    checks = tuple(_checks(spec, evaluation))
    return Licence(
        licence_id=licence_id,
        policy_id=evaluation.policy_id,
        evaluation_id=evaluation.evaluation_id,
        spec=spec,
        issued=all(check.passed for check in checks),
        checks=checks,
    )


def licence_spec(platform: Platform, name: str) -> LicenceSpec:
    """Give what the licence of this name asks for. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        found = catalog.find_licence_spec(tx, name)
    if found is None:
        raise NotFound(f"licence {name!r}: was never decided on; say what it asks for, such as --most failure=0.1")
    return found


def licence_specs(platform: Platform, page: PageRequest) -> Page[LicenceSpec]:
    """Give what licences ask for, by name."""
    with platform.catalog.transaction() as tx:
        return catalog.licence_specs_page(tx, page)


def licence(platform: Platform, licence_id: str) -> Licence:
    """Give a decision. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return catalog.licence_named(tx, licence_id)


def licences(platform: Platform, policy_id: str, page: PageRequest) -> Page[Licence]:
    """Give decisions by name, of one policy or ("") of all."""
    with platform.catalog.transaction() as tx:
        return catalog.licences_page(tx, policy_id, page)


def _checks(spec: LicenceSpec, evaluation: Evaluation) -> Iterator[LicenceCheck]:
    for rate, limit in sorted(spec.at_most.items()):
        yield _rate_check(rate.replace("_", " "), evaluation.measures.get(rate), limit)
    if spec.least_progress is not None:
        yield _progress_check(evaluation.measures.get(PROGRESS), spec.least_progress)
    if spec.worst_stratum is not None:
        yield _stratum_check(spec, evaluation, spec.worst_stratum)


def _rate_check(what: str, found: Estimate | None, limit: float) -> LicenceCheck:
    if found is None:
        return LicenceCheck(what, None, None, limit, passed=False, reason=f"{what}: no scenario has it")
    # The bootstrap of what was never seen has no width, and two scenarios would be enough for a licence.
    bound = surely_at_most(found.mean, found.scenarios)
    said = f"{what}: {_percent(found.mean)} of {found.scenarios} scenarios, surely at most {_percent(bound)}"
    return _decided(what, found.mean, bound, limit, passed=bound <= limit, said=f"{said}; asked is {_percent(limit)}")


def _progress_check(found: Estimate | None, limit: float) -> LicenceCheck:
    what = "progress"
    if found is None:
        return LicenceCheck(what, None, None, limit, passed=False, reason=f"{what}: no scenario has it")
    said = f"{what}: {_percent(found.mean)}, surely at least {_percent(found.low)}; asked is {_percent(limit)}"
    return _decided(what, found.mean, found.low, limit, passed=found.low >= limit, said=said)


def _stratum_check(spec: LicenceSpec, evaluation: Evaluation, limit: float) -> LicenceCheck:
    large = [stratum for stratum in evaluation.strata if stratum.scenarios >= spec.stratum_scenarios]
    if not large:
        said = f"worst stratum: no tag has {spec.stratum_scenarios} scenarios"
        return LicenceCheck("worst stratum", None, None, limit, passed=False, reason=said)
    bounds = {stratum.name: surely_at_most(stratum.rate, stratum.scenarios) for stratum in large}
    worst = max(large, key=lambda stratum: bounds[stratum.name])
    said = (
        f"worst stratum {worst.name}: {_percent(worst.rate)} of {worst.scenarios} scenarios failed, "
        f"surely at most {_percent(bounds[worst.name])}; asked is {_percent(limit)}"
    )
    bound = bounds[worst.name]
    return _decided(f"worst stratum {worst.name}", worst.rate, bound, limit, passed=bound <= limit, said=said)


def _decided(what: str, mean: float, bound: float, limit: float, *, passed: bool, said: str) -> LicenceCheck:
    return LicenceCheck(what, mean, bound, limit, passed=passed, reason=said)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
