"""Rounds as they are answered: how far they are, what they took, what determines them."""

from typing import Any

from pydantic import Field

from al_platform.domain.hashing import to_plain
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import KnownRequest, RoundRun, RunState
from al_platform.platform.submissions import RoundStatus
from api.schemas.base import Out, ProgressOut


class RoundOut(Out):
    """A round: the last step it finished, what the service does about it, what came of it so far."""

    round_id: str = Field(
        examples=["rnd_0a1b2c3d4e5f6a7b8c9d0e1f"],
        description="Until its pool is frozen the id of the request, `req_...`, which names the round for ever",
    )
    state: RoundState
    run_state: RunState | None = Field(description="Null for a round that the service was never asked for")
    stop_requested: bool
    attempts: int
    progress: ProgressOut | None = Field(description="While it is being run")
    message: str
    pool_id: str
    trained_on: str
    test_version_id: str | None
    strategy: str
    targets: list[str]
    queue: str
    budget_frames: int
    seed: int
    ensemble_id: str | None
    dataset_version_id: str | None = Field(description="The version that the round appended")

    @classmethod
    def of(cls, status: RoundStatus) -> "RoundOut":
        """Give a round as it is answered."""
        round_, run = status.round, status.run
        spec = round_.spec
        return cls(
            round_id=round_.round_id,
            state=round_.state,
            run_state=run.state if run else None,
            stop_requested=bool(run and run.stop_requested),
            attempts=run.attempts if run else 0,
            progress=ProgressOut.model_validate(status.progress) if status.progress else None,
            message=(run.message if run else "") or round_.message,
            pool_id=spec.pool_id,
            trained_on=spec.dataset_version_id,
            test_version_id=spec.test_version_id,
            strategy=spec.strategy.name,
            targets=list(spec.targets),
            queue=spec.queue,
            budget_frames=spec.budget.frames,
            seed=spec.seed,
            ensemble_id=round_.ensemble_id,
            dataset_version_id=round_.dataset_version_id,
        )


class RequestOut(Out):
    """A round as it was asked for: what came of it, or what is being done about it."""

    request_id: str = Field(examples=["req_0a1b2c3d4e5f6a7b8c9d0e1f"])
    round_id: str | None = Field(description="Null until its pool is frozen")
    run_state: RunState | None = Field(description="Null once it is a round")
    message: str = Field(description="Why it never came to a round")
    pool: str
    test: str
    submitted_by: str
    submitted_at: str

    @classmethod
    def of(cls, known: KnownRequest, run: RoundRun | None) -> "RequestOut":
        """Give a request as it is answered."""
        return cls(
            request_id=known.request_id,
            round_id=known.round_id,
            run_state=run.state if run else None,
            message=run.message if run else "",
            pool=known.request.pool,
            test=known.request.test,
            submitted_by=known.submitted_by,
            submitted_at=known.submitted_at,
        )


class StepOut(Out):
    """A finished step: when (UTC), how long, whether its result was there already, what it gave."""

    step: str = Field(examples=["train"])
    started_at: str
    seconds: float
    cached: bool
    outputs: dict[str, str | int | float]


class EstimateOut(Out):
    """What a round would take; seconds are null where no past step tells."""

    pool_frames: int
    pool_sessions: int
    available_frames: int
    test_frames: int
    labels: int = Field(description="Frames that people would be asked for, start and test sets included")
    seconds: dict[str, float | None] = Field(
        examples=[{"train": 21.5, "score": 3.1, "label": 1260.0}],
        description="By step; `label` is the working time of people",
    )
    based_on: dict[str, int] = Field(examples=[{"train": 4, "score": 4, "label": 30}])


class SpecOut(Out):
    """Everything that determines a round."""

    spec: dict[str, Any]

    @classmethod
    def of(cls, status: RoundStatus) -> "SpecOut":
        """Give the specification as plain data."""
        return cls(spec=to_plain(status.round.spec))


class VerifiedOut(Out):
    """Whether a round's picks come out again from their stored inputs; if not, how they differ, at most 100 lines."""

    round_id: str
    equal: bool
    differences: list[str]
