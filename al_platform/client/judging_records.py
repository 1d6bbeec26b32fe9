"""What the service answers about policies, as frozen records."""

from dataclasses import dataclass

from al_platform.client.records import ProgressRecord
from al_platform.domain.judgements import JudgementState
from al_platform.domain.judging import Comparison, Evaluation
from al_platform.domain.licences import Licence
from al_platform.domain.policies import CurvePoint, PolicyVersion


@dataclass(frozen=True, kw_only=True)
class PolicyRecord(PolicyVersion):
    """A policy with its learning curve."""

    curve: tuple[CurvePoint, ...]


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
    state: JudgementState
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
    state: JudgementState
    message: str
    progress: ProgressRecord | None
    comparison: Comparison | None


@dataclass(frozen=True)
class AskedLicenceRecord:
    """A decision and how far it is; None until it is made."""

    licence_id: str
    state: JudgementState
    message: str
    progress: ProgressRecord | None
    licence: Licence | None
