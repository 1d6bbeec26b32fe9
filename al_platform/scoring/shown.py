"""The drive in which drivers saw an event: what people are shown before they say whether it is real."""

from collections.abc import Iterator, Mapping

from al_platform.datasets.scenarios.store import Scenarios
from al_platform.domain.driving import PolicyModel
from al_platform.domain.judging import JudgeSpec, SuiteScenario
from al_platform.policies.stored import Drivers
from al_platform.policies.wheel import Drive, Wheel, drive_scenarios, wheels_of
from al_platform.scoring.drives import drawing, guides_of
from al_platform.scoring.scenarios import BATCH, seeds_of
from sim.rolling import RolloutSpec
from sim.scenario.record import Scenario


def drives_showing(
    drivers: Drivers, model: PolicyModel, store: Scenarios, events: Mapping[SuiteScenario, str]
) -> dict[str, Drive]:
    """Give for each scenario, by id, the first drive in which its event came about, as the drivers were asked.

    Drivers and drives go in the order in which they were scored. A scenario is left out where none of them shows it,
    as rounding may have it that a number was on the other side of a limit then.
    """
    found: dict[str, Drive] = {}
    for number in range(max(1, model.drives)):
        for member in range(drivers.members):
            left = [scenario for scenario in events if scenario.scenario_id not in found]
            for start in range(0, len(left), BATCH):
                chunk = left[start : start + BATCH]
                for drive in _driven(drivers, model, store, chunk, member=member, number=number):
                    scenario = drive.driven.scenario
                    if events[scenario] in drive.driven.events:
                        found[scenario.scenario_id] = drive
    return found


def _driven(
    drivers: Drivers, model: PolicyModel, store: Scenarios, scenarios: list[SuiteScenario], *, member: int, number: int
) -> Iterator[Drive]:
    """One driver's drives of at most BATCH scenarios, filled up so that all batches are one program."""
    filled = [*scenarios, *[scenarios[-1]] * (BATCH - len(scenarios))]
    wheel = wheels_of(drivers, JudgeSpec(reactive=True))[member]
    if model.drives:
        wheel = _drawing(drivers, [each.scenario_id for each in filled], member=member, number=number)
    (drives,) = drive_scenarios(store, filled, wheel, batch=BATCH)
    yield from drives[: len(scenarios)]


def _drawing(drivers: Drivers, scenario_ids: list[str], *, member: int, number: int) -> Wheel:
    """A driver who draws what to do, by the seeds that scoring gave to these scenarios."""
    policy = drawing(drivers.network, drivers.member(member), actions=drivers.actions)
    guides = guides_of(seeds_of(scenario_ids), number)

    def guide(scenarios: Scenario) -> object:
        del scenarios  # the seeds follow from the ids
        return guides

    spec = RolloutSpec(reactive=True, actions=drivers.actions, observation=drivers.observation)
    return Wheel(policy, guide=guide, spec=spec, member=member)
