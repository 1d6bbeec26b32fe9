"""What the service answers about policies, as frozen records."""

from dataclasses import dataclass

from al_platform.client.records import ProgressRecord
from al_platform.domain.judging import Comparison, Evaluation, Fix
from al_platform.domain.licences import Licence
from al_platform.domain.operations import OperationState
from al_platform.domain.policies import CurvePoint, PolicyVersion


@dataclass(frozen=True, kw_only=True)
class PolicyRecord(PolicyVersion):
    """A policy with its learning curve."""

    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class AskedPolicyRecord:
    """A policy that is trained and how far that is; None until it is done."""

    policy_id: str
    state: OperationState
    message: str
    progress: ProgressRecord | None
    policy: PolicyVersion | None


@dataclass(frozen=True)
class ListedComparisonRecord:
    """A comparison that was asked for."""

    asked_id: str
    before: str
    after: str
    suite_id: str
    state: OperationState
    message: str
    asked_by: str
    asked_at: str


@dataclass(frozen=True)
class AskedFixRecord:
    """Whether a fix holds and how far that is; None until it is known."""

    asked_id: str
    scenario_id: str
    before: str
    after: str
    state: OperationState
    message: str
    progress: ProgressRecord | None
    fix: Fix | None


@dataclass(frozen=True)
class StandingRecord:
    """A policy's place on a leaderboard, with the licences that it holds."""

    rank: int
    evaluation: Evaluation
    licences: tuple[str, ...]


@dataclass(frozen=True)
class AskedEvaluationRecord:
    """An evaluation and how far it is; None until it is done."""

    evaluation_id: str
    state: OperationState
    message: str
    progress: ProgressRecord | None
    evaluation: Evaluation | None


@dataclass(frozen=True)
class AskedComparisonRecord:
    """What is compared and how far that is; None until it is done."""

    asked_id: str
    before: str
    after: str
    suite_id: str
    state: OperationState
    message: str
    progress: ProgressRecord | None
    comparison: Comparison | None


@dataclass(frozen=True)
class AskedLicenceRecord:
    """A decision and how far it is; None until it is made."""

    licence_id: str
    state: OperationState
    message: str
    progress: ProgressRecord | None
    licence: Licence | None
