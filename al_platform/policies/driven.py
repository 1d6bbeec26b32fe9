"""How scenarios were driven: events and measures of each drive, their means with intervals, and where it went worst.

Axes: D drives, U scenarios (each variation of one counts as one).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from al_platform.domain.judging import Estimate, Stratum, SuiteScenario

CONFIDENCE = 0.95
DRAWS = 2000

Array = NDArray[np.float64]
Unit = tuple[str, int]
"""A scenario and the number of its variation: what is drawn when an interval is made."""


@dataclass(frozen=True)
class DrivenScenario:
    """One scenario as one driver drove it."""

    scenario: SuiteScenario
    events: Mapping[str, float]
    """Seconds from the start to the first time of each event that happened."""
    measures: Mapping[str, float]
    """The rates as 0 or 1, and numbers, which are NaN or infinite where there is nothing to measure."""
    member: int = 0
    """Which driver of a policy."""
    variation: int = 0

    @property
    def unit(self) -> Unit:
        """What it is a drive of."""
        return self.scenario.scenario_id, self.variation

    @property
    def failed(self) -> bool:
        """Whether it collided or left the route."""
        return self.measures["failure"] > 0.0

    @property
    def reason(self) -> str:
        """What happened and when, earliest first: `collision at 3.2 s (at fault), off route at 4.0 s`."""
        fault = " (at fault)" if self.measures["at_fault"] > 0.0 else " (not at fault)"
        return ", ".join(
            f"{event.replace('_', ' ')} at {second:.1f} s{fault if event == 'collision' else ''}"
            for event, second in sorted(self.events.items(), key=lambda item: item[1])
        )


def units_of(driven: Sequence[DrivenScenario]) -> list[Unit]:
    """Give what was driven, each once, in the order in which it first comes."""
    return list(dict.fromkeys(each.unit for each in driven))


def columns_of(driven: Sequence[DrivenScenario]) -> dict[str, Array]:
    """Give {measure: [U]}: means over the drivers of each scenario that have the measure, NaN where none has."""
    places = {unit: place for place, unit in enumerate(units_of(driven))}
    rows_D = np.array([places[each.unit] for each in driven], np.int64)
    found = {}
    for name in driven[0].measures if driven else ():
        values_D = np.array([each.measures[name] for each in driven])
        known = np.isfinite(values_D)
        sums = np.bincount(rows_D[known], values_D[known], len(places))
        counts = np.bincount(rows_D[known], minlength=len(places))
        found[name] = np.divide(sums, counts, out=np.full(len(places), np.nan), where=counts > 0)
    return found


def estimates(driven: Sequence[DrivenScenario], *, seed: int = 0) -> dict[str, Estimate]:
    """Give the mean and interval of every measure that at least one scenario has, by name."""
    return _estimates(columns_of(driven), seed)


def paired_differences(
    before: Sequence[DrivenScenario], after: Sequence[DrivenScenario], *, seed: int = 0
) -> dict[str, Estimate]:
    """Give the mean and interval of every measure's difference, after minus before, over scenarios that have both.

    Both must have driven the same: a scenario's two drives are drawn together.
    """
    places = {unit: place for place, unit in enumerate(units_of(after))}
    order = np.array([places[unit] for unit in units_of(before)], np.int64)
    first, second = columns_of(before), columns_of(after)
    # rounded, so that the last digits of equal drives are no significant difference
    return _estimates({name: np.round(second[name][order] - first[name], 12) for name in first}, seed)


def estimate(values: Array, *, seed: int = 0, draws: int = DRAWS) -> Estimate:
    """Give the mean of values [N], at least one, and where 95 % of the means of N drawn with replacement lie."""
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def surely_at_most(share: float, scenarios: int) -> float:
    """Give the exact upper bound of a rate of which this share was seen, in (0, 1]: of none in N, about 3.7 / N.

    A bootstrap of a rate that was never seen has no width; whoever has to be sure asks this.
    Source: Clopper and Pearson 1934. Shares of drivers count as shares of a scenario, which errs to the safe side.
    """
    failed = share * scenarios
    if failed >= scenarios:
        return 1.0
    return float(betaincinv(failed + 1.0, scenarios - failed, (1.0 + CONFIDENCE) / 2.0))


def strata(driven: Sequence[DrivenScenario]) -> list[Stratum]:
    """Give the share that failed by tag, the worst first; a scenario counts for each of its tags."""
    failures = columns_of(driven).get("failure", np.zeros(0))
    scenarios = {each.unit: each.scenario for each in driven}
    counted: dict[str, list[float]] = {}
    for scenario, failed in zip(scenarios.values(), failures.tolist(), strict=True):
        for tag in scenario.tags or (scenario.dataset,):
            counted.setdefault(tag, []).append(failed)
    found = [Stratum(tag, len(failed), sum(failed)) for tag, failed in counted.items()]
    return sorted(found, key=lambda stratum: (-stratum.rate, -stratum.scenarios, stratum.name))


def member_failures(driven: Sequence[DrivenScenario]) -> tuple[float, ...]:
    """Give the share of scenarios that each driver failed."""
    by_member: dict[int, list[bool]] = {}
    for each in driven:
        by_member.setdefault(each.member, []).append(each.failed)
    return tuple(sum(by_member[member]) / len(by_member[member]) for member in sorted(by_member))


def _estimates(columns: Mapping[str, Array], seed: int) -> dict[str, Estimate]:
    known = {name: values[np.isfinite(values)] for name, values in columns.items()}
    return {name: estimate(values, seed=seed) for name, values in known.items() if len(values)}
