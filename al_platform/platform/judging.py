"""Policies judged: suites frozen, driven and compared. What drives is a job; its result is kept once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from al_platform.catalog import judging as catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.policies import policy_named
from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.compute.waiting import finish
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Job
from al_platform.domain.judging import EXPERT, Comparison, Evaluation, JudgeSpec, Suite
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import InvalidInput, JobFailed
from al_platform.platform.compiled import keep_compiled
from al_platform.platform.home import Platform
from al_platform.platform.rounds import workplace_of
from al_platform.policies import comparing, evaluating
from al_platform.policies.changes import ComparisonSpec
from al_platform.policies.evaluating import EvaluationJob, JudgedPolicy
from al_platform.policies.suites import suite_scenario
from al_platform.storage.files import NamedFiles
from al_platform.storage.suites import write_scenarios

Result = TypeVar("Result")

_SPEC = JudgeSpec()
_COMPARE = ComparisonSpec()


@dataclass(frozen=True)
class Standing:
    """A policy's place on a leaderboard."""

    rank: int
    """From 1; policies that fail equally often are ranked by progress."""
    evaluation: Evaluation
    licences: tuple[str, ...]
    """That it holds, by name."""


def freeze_suite(platform: Platform, name: str, filter_text: str) -> Suite:
    """Freeze the scenarios that a filter matches now, with their tags, under a name; the same again is the same.

    Raises: InvalidInput for a filter that does not parse or matches nothing, an empty name, a name that another suite
        bears, or scenarios that are a suite under another name.
    """
    if not name or name.startswith("sui_"):
        raise InvalidInput(f"suite {name!r}: its name must not be empty, nor look like an id")
    with platform.catalog.transaction() as tx:
        scenarios = [suite_scenario(reference) for reference in scenarios_of_filter(tx, filter_text)]
        if not scenarios:
            raise InvalidInput(
                f"suite {name!r}: no scenario matches {filter_text!r}; `alp scenarios list` shows what there is"
            )
        scenarios_hash = write_scenarios(platform.blobs, scenarios)
        suite = Suite(make_id("sui", scenarios_hash), name, filter_text, len(scenarios), scenarios_hash)
        named, same = catalog.find_suite(tx, name), catalog.find_suite(tx, suite.suite_id)
        if named is not None and named.suite_id != suite.suite_id:
            raise InvalidInput(
                f"suite {name!r}: is frozen with {named.scenarios} scenarios, and {filter_text!r} matches others now "
                f"({suite.scenarios}); leave out the filter to use it, or give another name"
            )
        if same is not None and same.name != name:
            raise InvalidInput(f"suite {name!r}: its scenarios are suite {same.name!r} already; use that")
        catalog.add_suite(tx, suite, now=utc_now())
        return named or suite


def suite(platform: Platform, which: str) -> Suite:
    """Give a suite by its name or id. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return catalog.suite_named(tx, which)


def suites(platform: Platform, page: PageRequest) -> Page[Suite]:
    """Give suites by name."""
    with platform.catalog.transaction() as tx:
        return catalog.suites_page(tx, page)


def evaluation(platform: Platform, evaluation_id: str) -> Evaluation:
    """Give an evaluation. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        return catalog.evaluation_named(tx, evaluation_id)


def evaluations(platform: Platform, policy_id: str, page: PageRequest) -> Page[Evaluation]:
    """Give evaluations by suite, of one policy or ("") of all."""
    with platform.catalog.transaction() as tx:
        return catalog.evaluations_of_page(tx, policy_id, page)


def evaluate_policy(platform: Platform, policy_id: str, suite_name: str, *, spec: JudgeSpec = _SPEC) -> Evaluation:
    """Drive a suite by a policy, or by the expert, and keep how that went; what was driven before is only looked up.

    Raises: NotFound for an unknown policy or suite, or a scenario that the store lost; InvalidInput for weights of
        another network size; what ended the job.
    """
    job = evaluation_job(platform, policy_id, suite_name, spec)
    return known_evaluation(platform, job) or keep_evaluation(platform, driven(platform, job))


def compare_policies(
    platform: Platform,
    before: str,
    after: str,
    suite_name: str,
    *,
    spec: JudgeSpec = _SPEC,
    wanted: ComparisonSpec = _COMPARE,
) -> Comparison:
    """Compare two policies, of which one may be the expert, on a suite: paired differences, and what got worse.

    Raises: as `evaluate_policy`; InvalidInput for a policy against itself.
    """
    if before == after:
        raise InvalidInput(f"policy {before}: is compared with itself; name two")
    chosen = suite(platform, suite_name)
    first, second = (evaluate_policy(platform, each, suite_name, spec=spec) for each in (before, after))
    files = NamedFiles(platform.blobs.url)
    job = comparing.make_comparison_job(first, second, scenarios_hash=chosen.scenarios_hash, spec=wanted)
    comparing.write_comparison_job(files, job)
    found = _finished(
        platform,
        judging_work(platform, comparing.KIND, job.name),
        key=job.comparison_id,
        find=lambda: comparing.find_comparison(files, job),
    )
    if found is None:
        raise JobFailed(f"comparison {job.comparison_id}: its result was deleted meanwhile; compare again")
    return found


def leaderboard(platform: Platform, suite_name: str, page: PageRequest, *, spec: JudgeSpec = _SPEC) -> Page[Standing]:
    """Rank the policies that drove a suite: by failure rate, then by progress. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        chosen = catalog.suite_named(tx, suite_name)
        found = catalog.evaluations_page(tx, chosen.suite_id, spec, page)
        ahead = catalog.better_evaluations(tx, found.items[0]) if found.items else 0
        standings = [
            Standing(ahead + place, each, catalog.licences_held(tx, each.policy_id))
            for place, each in enumerate(found.items, start=1)
        ]
    return Page(tuple(standings), found.after)


def judged_policy(tx: Transaction, policy_id: str) -> JudgedPolicy:
    """Give who is judged: a policy, or the expert. Raises: NotFound."""
    if policy_id == EXPERT:
        return JudgedPolicy(EXPERT)
    policy = policy_named(tx, policy_id)
    return JudgedPolicy(policy_id, policy.spec.network, policy.weights_hash)


def evaluation_job(platform: Platform, policy_id: str, suite_name: str, spec: JudgeSpec) -> EvaluationJob:
    """Give the job of driving a suite by a policy or the expert. Raises: NotFound."""
    with platform.catalog.transaction() as tx:
        judged, chosen = judged_policy(tx, policy_id), catalog.suite_named(tx, suite_name)
    return evaluating.make_evaluation_job(
        judged, suite_id=chosen.suite_id, scenarios_hash=chosen.scenarios_hash, spec=spec
    )


def known_evaluation(platform: Platform, job: EvaluationJob) -> Evaluation | None:
    """Give what a job came to as far as the catalog has it."""
    with platform.catalog.transaction() as tx:
        return catalog.find_evaluation(tx, job.evaluation_id)


def keep_evaluation(platform: Platform, evaluation: Evaluation) -> Evaluation:
    """Enter what a job came to; again changes nothing."""
    with platform.catalog.transaction() as tx:
        catalog.add_evaluation(tx, evaluation, now=utc_now())
    return evaluation


def driven(platform: Platform, job: EvaluationJob) -> Evaluation:
    """Give the result of a job, which is run unless it is there. Raises: what ended the job."""
    files = NamedFiles(platform.blobs.url)
    evaluating.write_evaluation_job(files, job)
    found = _finished(
        platform,
        judging_work(platform, evaluating.KIND, job.name),
        key=job.evaluation_id,
        find=lambda: evaluating.find_evaluation(files, job),
    )
    if found is None:
        raise JobFailed(f"evaluation {job.evaluation_id}: its result was deleted meanwhile; evaluate again")
    return found


def judging_work(platform: Platform, kind: str, name: str) -> Job:
    """Give the piece of work that a record in storage describes."""
    keep_compiled(platform.settings.cache_folder / "xla")
    return Job(kind, name, workplace_of(platform.settings))


def _finished(platform: Platform, job: Job, *, key: str, find: Callable[[], Result | None]) -> Result | None:
    """What a job came to, run unless it is there; None where that was deleted at once."""
    finish(platform.compute, key, job, finished=lambda: find() is not None, report=platform.report)
    return find()
