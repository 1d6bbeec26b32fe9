"""How driving is judged: suites of scenarios, evaluations on them, and comparisons of two."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EXPERT = "expert"
"""Stands where a policy's id does: the recorded drivers themselves."""

EVENTS = ("collision", "off_route", "off_road", "red_light", "stop_line", "wrong_way")
"""What can happen at a step."""
FAILURES = EVENTS[:2]
"""What a drive fails by."""
RATES = ("failure", "collision", "at_fault", "off_route", "off_road", "red_light", "stop_line", "wrong_way")
"""Measures that are 0 or 1 for a drive."""
PROGRESS = "progress_ratio"

Verdict = Literal["better", "worse", "no difference"]


@dataclass(frozen=True)
class SuiteScenario:
    """A scenario as it was when it was put into a suite."""

    scenario_id: str
    session_id: str
    name: str
    dataset: str
    tags: tuple[str, ...] = ()
    """By which strata are told."""


@dataclass(frozen=True)
class Suite:
    """Scenarios that drivers are judged on, frozen with their tags. The id is the hash of that."""

    suite_id: str
    name: str
    filter: str
    """That it was made by; what the filter matches now may be more."""
    scenarios: int
    scenarios_hash: str
    """Blob that lists them."""


@dataclass(frozen=True)
class JudgeSpec:
    """How drivers are judged on a suite. They take their expected action, and nothing ends an episode."""

    reactive: bool = False
    """Agents that follow the ego brake for it; without, everybody replays the log."""


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
    failures: float
    """How many failed; one that some drivers of a policy failed counts for their share."""

    @property
    def rate(self) -> float:
        """Share that failed, in [0, 1]."""
        return self.failures / self.scenarios


@dataclass(frozen=True)
class Evaluation:
    """How a policy drove a suite. The id is the hash of policy, suite and spec."""

    evaluation_id: str
    policy_id: str
    suite_id: str
    spec: JudgeSpec
    results_hash: str
    """Blob with every drive: its measures, events and poses."""
    measures: Mapping[str, Estimate]
    """Means over scenarios of means over the policy's drivers; without what no scenario has."""
    strata: tuple[Stratum, ...]
    """The worst first."""
    member_failures: tuple[float, ...]
    """Share of scenarios that each driver of the policy failed."""
    seconds: float
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A scenario that two policies drove with different success."""

    scenario_id: str
    session_id: str
    before: float
    """Share of the first policy's drivers that failed, in [0, 1]."""
    after: float
    before_reason: str
    """What happened to the worst of its drivers; "" for nothing."""
    after_reason: str
    clip_hash: str | None = None
    """Blob with a GIF of both, side by side; None where none was drawn."""


@dataclass(frozen=True)
class Comparison:
    """Two policies on one suite, scenario by scenario."""

    comparison_id: str
    suite_id: str
    before: str
    """Evaluation that is compared with."""
    after: str
    differences: Mapping[str, Estimate]
    """After minus before, paired by scenario."""
    verdict: Verdict
    """Of `after`: worse where it fails significantly more often, or gets significantly less far."""
    worse: tuple[Change, ...]
    """By how much, most first."""
    better: tuple[Change, ...]


@dataclass(frozen=True)
class Fix:
    """Whether what one policy does better in a scenario, it does better in scenarios like it."""

    scenario_id: str
    variations: int
    """That were driven; those in which the ego would begin inside of somebody are left out."""
    before: Estimate
    """Share of variations in which the first policy fails."""
    after: Estimate
    difference: Estimate
    """After minus before, paired by variation."""
    passed: bool
    """Whether the second policy drives the scenario itself, as it was recorded, without a failure."""

    @property
    def holds(self) -> bool:
        """Whether the second policy passes the scenario and fails significantly fewer variations of it."""
        return self.passed and self.difference.high < 0.0
