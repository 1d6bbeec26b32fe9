"""Suites, evaluations, comparisons and leaderboards as they are asked for and answered."""

from typing import Annotated

from pydantic import ConfigDict, Field

from al_platform.domain.judging import Verdict
from al_platform.domain.operations import OperationState
from al_platform.domain.progress import Progress
from api.schemas.base import In, Name, Out, ProgressOut

_SUITE = "sui_0a1b2c3d4e5f6a7b8c9d0e1f"
_POLICY = "pol_0a1b2c3d4e5f6a7b8c9d0e1f"
_MEASURES = {"failure": {"mean": 0.02, "low": 0.01, "high": 0.04, "scenarios": 300}}
PolicyName = Annotated[Name, Field(description="Id of a policy, or `expert` for the recorded drivers")]
SuiteName = Annotated[Name, Field(description="Name or id of a suite")]
Reactive = Annotated[bool, Field(description="Agents that follow the ego brake for it")]


class SuiteIn(In):
    """Scenarios to freeze as a suite to judge policies on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "town", "filter": "dataset=generated,crossing-lights=1"}]}
    )

    name: Name
    filter: Annotated[str, Field(max_length=2000, description="Of scenarios; empty for all that there are now")] = ""


class SuiteOut(Out):
    """Scenarios that drivers are judged on, frozen with their tags."""

    suite_id: str = Field(examples=[_SUITE])
    name: str = Field(examples=["town"])
    filter: str = Field(description="That it was made by; what it matches now may be more")
    scenarios: int
    scenarios_hash: str


class JudgeSpecOut(Out):
    """How drivers are judged."""

    reactive: bool


class EstimateOfMeasureOut(Out):
    """The mean of a measure over scenarios, with a 95 % interval from a bootstrap over them."""

    mean: float
    low: float
    high: float
    scenarios: int = Field(description="How many have the measure")


class StratumOut(Out):
    """Scenarios that share a tag; one that some drivers of a policy failed counts for their share."""

    name: str = Field(examples=["jaywalker"])
    scenarios: int
    failures: float


class EvaluationOut(Out):
    """How a policy drove a suite: means with intervals, strata with the worst first."""

    evaluation_id: str = Field(examples=["evl_0a1b2c3d4e5f6a7b8c9d0e1f"])
    policy_id: str = Field(examples=[_POLICY])
    suite_id: str = Field(examples=[_SUITE])
    spec: JudgeSpecOut
    results_hash: str
    measures: dict[str, EstimateOfMeasureOut] = Field(examples=[_MEASURES])
    strata: list[StratumOut]
    member_failures: list[float] = Field(description="Share of scenarios that each driver of the policy failed")
    seconds: float
    environment: dict[str, str]


class EvaluationIn(In):
    """A policy that is to drive a suite."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"policy_id": _POLICY, "suite": "town"}]})

    policy_id: PolicyName
    suite: SuiteName
    reactive: Reactive = False


class AskedOut(Out):
    """How far an operation is. A failed one is tried once more when it is asked for again."""

    state: OperationState
    message: str = Field(description="Why it failed, or what it waits for")
    progress: ProgressOut | None


def progress_out(progress: Progress | None) -> ProgressOut | None:
    """Give how far a job is as it is answered; null where nothing runs."""
    return None if progress is None else ProgressOut.model_validate(progress)


class AskedEvaluationOut(AskedOut):
    """An evaluation and how far it is; null until it is done."""

    evaluation_id: str = Field(examples=["evl_0a1b2c3d4e5f6a7b8c9d0e1f"])
    evaluation: EvaluationOut | None


class ComparisonIn(In):
    """Two policies that are to be compared on a suite."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"before": "expert", "after": _POLICY, "suite": "town", "clips": 6}]}
    )

    before: PolicyName
    after: PolicyName
    suite: SuiteName
    reactive: Reactive = False
    clips: Annotated[
        int, Field(ge=0, le=50, description="Scenarios to draw that got worse, and as many that got better")
    ] = 6
    progress_margin: Annotated[
        float, Field(ge=0, le=10, description="A progress ratio that is lower by less is no regression")
    ] = 0.02


class ChangeOut(Out):
    """A scenario that two policies drove with different success: share of drivers that failed, and what happened."""

    scenario_id: str
    session_id: str
    before: float
    after: float
    before_reason: str = Field(examples=[""])
    after_reason: str = Field(examples=["collision after 3.2 s"])
    clip_hash: str | None = Field(description="Of a GIF of both side by side; null where none was drawn")


class ComparisonOut(Out):
    """Two policies on one suite, paired by scenario; the most changed first."""

    comparison_id: str = Field(examples=["cmp_0a1b2c3d4e5f6a7b8c9d0e1f"])
    suite_id: str = Field(examples=[_SUITE])
    before: str = Field(description="Evaluation that is compared with")
    after: str
    differences: dict[str, EstimateOfMeasureOut] = Field(description="After minus before", examples=[_MEASURES])
    verdict: Verdict
    worse: list[ChangeOut]
    better: list[ChangeOut]


class ListedComparisonOut(Out):
    """A comparison that was asked for, and how far it was when the service last looked."""

    asked_id: str = Field(examples=["cmw_0a1b2c3d4e5f6a7b8c9d0e1f"])
    before: str = Field(examples=["expert"])
    after: str = Field(examples=[_POLICY])
    suite_id: str = Field(examples=[_SUITE])
    state: OperationState
    message: str
    asked_by: str
    asked_at: str


class AskedComparisonOut(AskedOut):
    """What is compared and how far that is; null until it is done."""

    asked_id: str = Field(examples=["cmw_0a1b2c3d4e5f6a7b8c9d0e1f"])
    before: str = Field(examples=["expert"])
    after: str = Field(examples=[_POLICY])
    suite_id: str = Field(examples=[_SUITE])
    comparison: ComparisonOut | None


class StandingOut(Out):
    """A policy's place on a leaderboard."""

    rank: int
    evaluation: EvaluationOut
    licences: list[str] = Field(description="That it holds, by name", examples=[["town"]])
