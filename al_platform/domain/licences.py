"""Driver licences: what is asked of a policy before it drives on, and what was decided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.domain.judging import RATES, JudgeSpec
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class LicenceSpec:
    """What a licence asks for. Every bound is that of a 95 % interval: a policy must be good for sure."""

    name: str
    suite_id: str
    at_most: Mapping[str, float]
    """{rate: the most that its upper bound may be}, for rates of `RATES`."""
    least_progress: float | None = None
    """The least that the lower bound of the mean progress ratio may be."""
    worst_stratum: float | None = None
    """The most that the upper bound of the failure rate may be in any stratum that is large enough."""
    stratum_scenarios: int = 20
    """Strata of fewer scenarios are not looked at: their upper bound says nothing."""
    judged: JudgeSpec = field(default_factory=JudgeSpec)

    def __post_init__(self) -> None:
        """Refuse licences that ask for nothing, or for what is not measured."""
        if not self.name:
            raise InvalidInput("licence without a name: give it one")
        if not self.at_most and self.least_progress is None and self.worst_stratum is None:
            raise InvalidInput(f"licence {self.name!r}: asks for nothing; give a rate, a progress or a worst stratum")
        for rate, limit in (*self.at_most.items(), ("worst stratum", self.worst_stratum)):
            if rate not in (*RATES, "worst stratum"):
                raise InvalidInput(f"rate {rate!r}: must be one of {', '.join(RATES)}")
            if limit is not None and not 0.0 < limit <= 1.0:
                raise InvalidInput(f"{rate} {limit}: must be a share above 0 and at most 1; no bound is ever 0")
        if self.least_progress is not None and not 0.0 < self.least_progress < math.inf:
            raise InvalidInput(f"progress {self.least_progress}: must be a number above 0")
        if self.stratum_scenarios < 1:
            raise InvalidInput(f"strata of {self.stratum_scenarios} scenarios: must be at least 1")


@dataclass(frozen=True)
class LicenceCheck:
    """One thing that was asked for."""

    what: str
    mean: float | None
    """None where no scenario has the measure: nothing is certain then, and the check fails."""
    bound: float | None
    limit: float
    passed: bool
    reason: str
    """In words, whether it passed or not."""


@dataclass(frozen=True)
class Licence:
    """A decision, which never changes. The id is the hash of policy and spec."""

    licence_id: str
    policy_id: str
    evaluation_id: str
    spec: LicenceSpec
    issued: bool
    checks: tuple[LicenceCheck, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused; empty where it was issued."""
        return tuple(check.reason for check in self.checks if not check.passed)
