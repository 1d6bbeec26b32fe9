"""The expert driven again through the scenarios of the store: what the metrics say of people is their measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.domain.judging import JudgeSpec
from al_platform.domain.progress import Progress
from al_platform.errors import CorruptBlob, InvalidInput
from al_platform.platform.compiled import keep_compiled
from al_platform.platform.home import Platform
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.suites import by_layout, suite_scenario, whole_by_layout
from al_platform.policies.wheel import drive_scenarios, expert_by_actions, expert_wheel


class ReplayBy(Enum):
    """How the expert is driven again."""

    LOG = "log"
    """The ego is put where it was recorded."""
    ACTIONS = "actions"
    """A car drives by the discrete actions that keep nearest to the recording."""


@dataclass(frozen=True)
class Replay:
    """What came of the scenarios that a filter matches."""

    driven: list[DrivenScenario]
    """By session and name."""
    faults: Mapping[str, str]
    """Why the others were not driven, by id: the store has lost them, or they were changed."""


def replay_scenarios(
    platform: Platform, filter_text: str = "", *, by: ReplayBy = ReplayBy.LOG, batch: int = 16
) -> Replay:
    """Drive the expert through every scenario that a filter matches, `batch` at a time.

    Raises: InvalidInput for a filter that does not parse, a batch below 1, or when nothing matches; where not a
        single one can be driven, NotFound for what the store has lost or CorruptBlob for what is damaged.
    """
    if batch < 1:
        raise InvalidInput(f"batch of {batch}: must be at least 1")
    with platform.catalog.transaction() as tx:
        wanted = [suite_scenario(reference) for reference in scenarios_of_filter(tx, filter_text)]
    if not wanted:
        raise InvalidInput(f"filter {filter_text!r}: no scenario matches; `alp scenarios list` shows what there is")
    keep_compiled(platform.settings.cache_folder / "xla")
    wheel = expert_wheel(JudgeSpec()) if by is ReplayBy.LOG else expert_by_actions()
    folder = platform.settings.scenarios_folder
    whole, faults = whole_by_layout(folder, wanted)
    if not whole:
        by_layout(folder, wanted)
        raise CorruptBlob(next(iter(faults.values())))
    driven: dict[str, DrivenScenario] = {}
    total = len(wanted) - len(faults)
    platform.report(Progress("replay", 0, total))
    for store, scenarios in whole:
        for part in drive_scenarios(store, scenarios, wheel, batch=batch):
            driven |= {each.driven.scenario.scenario_id: each.driven for each in part}
            platform.report(Progress("replay", len(driven), total))
    kept = [driven[scenario.scenario_id] for scenario in wanted if scenario.scenario_id in driven]
    return Replay(kept, faults)
