"""What is asked of the service about policies: who asked, and what became of it, be it a training or a judgement."""

from dataclasses import dataclass
from enum import StrEnum

from al_platform.domain.ids import make_id
from al_platform.domain.judging import JudgeSpec
from al_platform.domain.licences import LicenceSpec
from al_platform.domain.policy_requests import PolicyRequest

COMPARISON = "cmw"
"""What the ids of wishes for a comparison begin with."""


class OperationState(StrEnum):
    """What became of an operation."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Until it is asked for again."""


@dataclass(frozen=True)
class EvaluationWish:
    """A policy, or the expert, is to drive a suite."""

    policy_id: str
    suite_id: str
    spec: JudgeSpec


@dataclass(frozen=True)
class ComparisonWish:
    """Two policies, of which one may be the expert, are to be compared on a suite."""

    before: str
    after: str
    suite_id: str
    spec: JudgeSpec
    clips: int
    """Scenarios of which a clip is drawn: so many that got worse and so many that got better."""
    progress_margin: float
    """A progress ratio that is lower by less is no regression."""

    @property
    def wish_id(self) -> str:
        """Give its id; that of the comparison is known when both have driven."""
        return make_id(COMPARISON, self)


@dataclass(frozen=True)
class FixWish:
    """A policy that does better in a scenario than another is to show it in variations of the scenario."""

    scenario_id: str
    before: str
    after: str
    spec: JudgeSpec
    variations: int
    seed: int
    """Of the variations."""

    @property
    def wish_id(self) -> str:
        """Give its id; what comes of it has no other."""
        return make_id("fxw", self)


@dataclass(frozen=True)
class TrainingWish:
    """A policy is to be trained."""

    request: PolicyRequest


@dataclass(frozen=True)
class LicenceWish:
    """A licence is to be issued to a policy, or refused."""

    policy_id: str
    spec: LicenceSpec


Wish = EvaluationWish | ComparisonWish | FixWish | TrainingWish | LicenceWish


@dataclass(frozen=True)
class Operation:
    """A wish and how far it is. The id is that of its result, of a comparison and of a fix that of the wish."""

    operation_id: str
    wish: Wish
    asked_by: str
    asked_at: str
    state: OperationState = OperationState.RUNNING
    job_key: str = ""
    """Of the job that runs for it, or ran last."""
    message: str = ""
    """Why it failed, or what it waits for."""
