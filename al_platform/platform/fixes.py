"""Whether what a policy does better in a scenario, it does better in all that is like it."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.catalog.scenarios import scenario_named
from al_platform.domain.judging import Evaluation, Fix, JudgeSpec, SuiteScenario
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.judging import driven, judged_policy
from al_platform.policies.driven import estimates, paired_differences
from al_platform.policies.evaluating import EvaluationJob, make_evaluation_job
from al_platform.policies.results import read_drives
from al_platform.policies.suites import suite_scenario
from al_platform.policies.wheel import Drive
from al_platform.storage.suites import write_scenarios
from sim.varying import VariationSpec

_SPEC = JudgeSpec()
_VARY = VariationSpec()


@dataclass(frozen=True)
class FixQuestion:
    """A scenario, and the jobs in which two policies drive it and its variations: before, after."""

    scenario: SuiteScenario
    jobs: tuple[EvaluationJob, EvaluationJob]


def fix_holds(
    platform: Platform,
    scenario_id: str,
    before: str,
    after: str,
    *,
    variations: VariationSpec = _VARY,
    spec: JudgeSpec = _SPEC,
) -> Fix:
    """Drive variations of a scenario by two policies and say whether the second is better at all that is like it.

    Raises: NotFound for an unknown policy or scenario; InvalidInput where no variation can be driven.
    """
    question = fix_question(platform, scenario_id, before, after, variations=variations, spec=spec)
    return fix_of(platform, question, [driven(platform, job) for job in question.jobs])


def fix_question(
    platform: Platform, scenario_id: str, before: str, after: str, *, variations: VariationSpec, spec: JudgeSpec
) -> FixQuestion:
    """Give what has to be driven. Raises: NotFound for an unknown policy or scenario."""
    with platform.catalog.transaction() as tx:
        scenario = suite_scenario(scenario_named(tx, scenario_id))
        policies = [judged_policy(tx, policy_id) for policy_id in (before, after)]
    listed = write_scenarios(platform.blobs, [scenario])
    first, second = (
        make_evaluation_job(judged, suite_id="", scenarios_hash=listed, spec=spec, variations=variations)
        for judged in policies
    )
    return FixQuestion(scenario, (first, second))


def fix_of(platform: Platform, question: FixQuestion, results: Sequence[Evaluation]) -> Fix:
    """Give what the drives of both policies, before and after, say.

    Raises: InvalidInput where no variation can be driven.
    """
    drives = [read_drives(platform.blobs, each.results_hash, [question.scenario]) for each in results]
    recorded = [drive.driven for drive in drives[1] if drive.driven.variation == 0]
    varied = [_that_can_be_driven(part) for part in drives]
    scenario_id = question.scenario.scenario_id
    if not varied[0]:
        raise InvalidInput(
            f"scenario {scenario_id}: the ego begins inside of somebody in every variation; vary it less"
        )
    first, second = ([drive.driven for drive in part] for part in varied)
    return Fix(
        scenario_id=scenario_id,
        variations=len({each.variation for each in first}),
        before=estimates(first)["failure"],
        after=estimates(second)["failure"],
        difference=paired_differences(first, second)["failure"],
        passed=not any(each.failed for each in recorded),
    )


def _that_can_be_driven(drives: list[Drive]) -> list[Drive]:
    """The variations in which the ego does not begin inside of somebody."""
    return [drive for drive in drives if drive.driven.variation > 0 and not drive.overlaps]
