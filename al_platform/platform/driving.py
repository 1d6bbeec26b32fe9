"""How scenarios were driven: events and measures of each, their means with intervals, and where it went worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_platform.domain.scenarios import ScenarioReference

EVENTS = ("collision", "off_route", "off_road", "red_light", "stop_line", "wrong_way")
"""What can happen at a step; the first two are failures."""
FAILURES = EVENTS[:2]
RATES = ("failure", "collision", "at_fault", "off_route", "off_road", "red_light", "stop_line", "wrong_way")
"""Measures that are 0 or 1 for a scenario."""
CONFIDENCE = 0.95
DRAWS = 2000


@dataclass(frozen=True)
class DrivenScenario:
    """One scenario as it was driven."""

    scenario: ScenarioReference
    events: Mapping[str, float]
    """Seconds from the start to the first time of each event that happened."""
    measures: Mapping[str, float]
    """The rates as 0 or 1, and numbers, which are NaN or infinite where there is nothing to measure."""

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


@dataclass(frozen=True)
class Estimate:
    """The mean of a measure over scenarios, with a 95 % interval from a bootstrap over them."""

    mean: float
    low: float
    high: float
    scenarios: int
    """How many have the measure."""


@dataclass(frozen=True)
class Stratum:
    """Scenarios that share a tag, or that carry none and share a data set."""

    name: str
    scenarios: int
    failures: int

    @property
    def rate(self) -> float:
        """Share that failed, in [0, 1]."""
        return self.failures / self.scenarios


def estimates(driven: Sequence[DrivenScenario], *, seed: int = 0) -> dict[str, Estimate]:
    """Give the mean and interval of every measure that at least one scenario has, by name."""
    names = driven[0].measures if driven else ()
    columns = {name: np.array([each.measures[name] for each in driven]) for name in names}
    known = {name: values[np.isfinite(values)] for name, values in columns.items()}
    return {name: estimate(values, seed=seed) for name, values in known.items() if len(values)}


def estimate(values: NDArray[np.float64], *, seed: int = 0, draws: int = DRAWS) -> Estimate:
    """Give the mean of values [N], at least one, and where 95 % of the means of N drawn with replacement lie."""
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def strata(driven: Sequence[DrivenScenario]) -> list[Stratum]:
    """Give the share that failed by tag, the worst first; a scenario counts for each of its tags."""
    counted: dict[str, list[bool]] = {}
    for each in driven:
        for tag in each.scenario.tags or (each.scenario.dataset,):
            counted.setdefault(tag, []).append(each.failed)
    found = [Stratum(tag, len(failed), sum(failed)) for tag, failed in counted.items()]
    return sorted(found, key=lambda stratum: (-stratum.rate, -stratum.scenarios, stratum.name))
