"""Loops: asked for, listed, and what their rounds showed."""

from dataclasses import asdict, replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from al_platform.domain.loops import CONTROL_SHARE, Closing, LoopRound, LoopSpec, LoopState, Plateau, Stopping, Trigger
from al_platform.platform.loops import LoopRequest, LoopStatus
from api.schemas.base import In, Out, Whole
from api.schemas.rounds import EXAMPLE, RoundIn

LOOP_EXAMPLE: dict[str, Any] = {
    "name": "nightly",
    "round": {**EXAMPLE, "strategy": {"name": "mixdist"}},
    "rounds": 30,
    "trigger": {"cron": "0 3 * * *", "grown_by": 1000},
    "closing": {"share": 0.9, "deadline_s": 604800},
    "stopping": {"labels": 1200, "plateau": {"window": 5, "gain": 0.002}},
}


class TriggerIn(In):
    """When the next round begins once the one before is appended: at a tick, with a pool that has grown, or at once."""

    cron: Annotated[str, Field(max_length=100, description="Five fields, UTC; a missed tick is passed over")] = ""
    grown_by: Annotated[int, Field(ge=0, le=2**31 - 1, description="New frames of the pool since the last round")] = 0


class ClosingIn(In):
    """When a round waits for no more labels: a share of them is in, or the deadline has passed and some are."""

    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    deadline_s: Annotated[float, Field(gt=0, le=1e9)] | None = None


class PlateauIn(In):
    """The frozen-test metric surely gains less than `gain` a round over the last `window` rounds."""

    window: Annotated[int, Field(ge=3, le=1000)] = 5
    gain: Annotated[float, Field(ge=-1, le=1)] = 0.002
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.9


class StoppingIn(In):
    """When the loop ends before its number of rounds."""

    labels: Whole | None = None
    plateau: PlateauIn | None = None
    information: Annotated[float, Field(gt=0, le=1, description="Mean nats a cell and target of the pool")] | None = (
        None
    )


class LoopIn(In):
    """A loop: its first round, and the rules by which the others follow."""

    model_config = ConfigDict(json_schema_extra={"examples": [LOOP_EXAMPLE]})

    round: RoundIn
    name: Annotated[str, Field(max_length=200, description="Tells loops apart that begin alike")] = ""
    rounds: Annotated[Whole | None, Field(description="At most so many; null for no limit")] = None
    trigger: TriggerIn = TriggerIn()
    closing: ClosingIn = ClosingIn()
    stopping: StoppingIn = StoppingIn()
    warm_start: Annotated[bool, Field(description="Members begin as those of the round before")] = False
    control_share: Annotated[
        float, Field(ge=0, lt=1, description="Of every round's picks, drawn whatever the scores say")
    ] = CONTROL_SHARE

    def meant(self) -> LoopRequest:
        """Give what is asked for.

        Raises: InvalidInput for a model or a loop that cannot be.
        """
        request, stopping = self.round.meant(), self.stopping
        first = request.wanted
        wanted = LoopSpec(
            first=replace(first, strategy=replace(first.strategy, control_share=self.control_share)),
            rounds=self.rounds,
            name=self.name,
            pool=request.pool,
            trigger=Trigger(**self.trigger.model_dump()),
            closing=Closing(**self.closing.model_dump()),
            stopping=Stopping(
                labels=stopping.labels,
                plateau=Plateau(**stopping.plateau.model_dump()) if stopping.plateau else None,
                information=stopping.information,
            ),
            warm_start=self.warm_start,
            scorers=request.scorers,
        )
        return LoopRequest(wanted, test=request.test, start=request.start)


class LoopRoundOut(Out):
    """A round of a loop. `gain`: positive cells of a picked frame to those of a control frame."""

    number: int
    round_id: str
    begun_at: str
    ended_at: str | None = Field(description="Null while the round is on its way")
    appended: bool
    pool_frames: int
    labels: int
    metric: float | None = Field(description="Mean average precision of the targets on the frozen test set")
    information: float | None
    picked_frames: int
    picked_cells: int
    control_frames: int
    control_cells: int
    gain: float | None

    @classmethod
    def of(cls, round_: LoopRound) -> "LoopRoundOut":
        """Give a round as it is answered."""
        return cls.model_validate(round_)


class LoopOut(Out):
    """A loop: what is done about it, its rules, how far it is."""

    loop_id: str = Field(examples=["loop_0a1b2c3d4e5f6a7b8c9d0e1f"])
    name: str
    state: LoopState
    message: str
    created_by: str
    created_at: str
    next_at: str | None = Field(description="The tick (UTC) that it waits for")
    pool: str
    targets: list[str]
    strategy: str
    control_share: float
    budget_frames: int
    rounds: int | None
    warm_start: bool
    trigger: TriggerIn
    closing: ClosingIn
    stopping: StoppingIn
    begun_rounds: int
    appended_rounds: int
    labels: int
    metric: float | None = Field(description="Of the newest ensemble that was measured")
    gain: float | None = Field(description="Over all rounds; above 1 the strategy finds more than chance")

    @classmethod
    def of(cls, status: LoopStatus) -> "LoopOut":
        """Give a loop as it is answered."""
        run, spec = status.run, status.spec
        appended = [each for each in status.rounds if each.appended]
        metrics = [each.metric for each in appended if each.metric is not None]
        return cls(
            loop_id=run.loop_id,
            name=spec.name,
            state=run.state,
            message=run.message,
            created_by=run.created_by,
            created_at=run.created_at,
            next_at=run.next_at,
            pool=spec.pool,
            targets=list(spec.first.targets),
            strategy=spec.first.strategy.name,
            control_share=spec.first.strategy.control_share,
            budget_frames=spec.first.budget.frames,
            rounds=spec.rounds,
            warm_start=spec.warm_start,
            trigger=TriggerIn(**asdict(spec.trigger)),
            closing=ClosingIn(**asdict(spec.closing)),
            stopping=StoppingIn(**asdict(spec.stopping)),
            begun_rounds=len(status.rounds),
            appended_rounds=len(appended),
            labels=sum(each.labels for each in appended),
            metric=metrics[-1] if metrics else None,
            gain=status.gain,
        )
