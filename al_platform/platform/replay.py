"""The expert driven again through the scenarios of the store: what the metrics say of people is their measure."""

from enum import Enum

from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.domain.judging import JudgeSpec
from al_platform.domain.progress import Progress
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.suites import by_layout, suite_scenario
from al_platform.policies.wheel import drive_scenarios, expert_by_actions, expert_wheel


class ReplayBy(Enum):
    """How the expert is driven again."""

    LOG = "log"
    """The ego is put where it was recorded."""
    ACTIONS = "actions"
    """A car drives by the discrete actions that keep nearest to the recording."""


def replay_scenarios(
    platform: Platform, filter_text: str = "", *, by: ReplayBy = ReplayBy.LOG, batch: int = 16
) -> list[DrivenScenario]:
    """Drive the expert through every scenario that a filter matches, `batch` at a time; by session and name.

    Raises: InvalidInput for a filter that does not parse, a batch below 1, or when nothing matches; NotFound for
        a scenario that the store has lost; CorruptBlob for one that is damaged.
    """
    if batch < 1:
        raise InvalidInput(f"batch of {batch}: must be at least 1")
    with platform.catalog.transaction() as tx:
        wanted = [suite_scenario(reference) for reference in scenarios_of_filter(tx, filter_text)]
    if not wanted:
        raise InvalidInput(f"filter {filter_text!r}: no scenario matches; `alp scenarios list` shows what there is")
    wheel = expert_wheel(JudgeSpec()) if by is ReplayBy.LOG else expert_by_actions()
    driven: dict[str, DrivenScenario] = {}
    platform.report(Progress("replay", 0, len(wanted)))
    for store, scenarios in by_layout(platform.settings.scenarios_folder, wanted):
        for part in drive_scenarios(store, scenarios, wheel, batch=batch):
            driven |= {each.driven.scenario.scenario_id: each.driven for each in part}
            platform.report(Progress("replay", len(driven), len(wanted)))
    return [driven[scenario.scenario_id] for scenario in wanted]
