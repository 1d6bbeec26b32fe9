"""Fixes: whether what a policy does better in a scenario, it does better in all that is like it."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from al_platform.domain.judging import Fix
from al_platform.domain.operations import FixWish
from al_platform.platform.taking_on import OperationStatus
from api.schemas.base import In, Name, Out
from api.schemas.judging import AskedOut, EstimateOfMeasureOut, PolicyName, Reactive, progress_out

_EXAMPLE: dict[str, Any] = {
    "scenario_id": "scn_0a1b2c3d4e5f6a7b8c9d0e1f",
    "before": "pol_1",
    "after": "pol_2",
    "variations": 16,
}


class FixIn(In):
    """A scenario that a policy fails, and another that is to be better at it and at its variations."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    scenario_id: Name
    before: PolicyName
    after: PolicyName
    variations: Annotated[int, Field(ge=1, le=256, description="Scenes like it: another start, speed and timing")] = 16
    seed: Annotated[int, Field(ge=0, lt=2**31, description="Of the variations")] = 0
    reactive: Reactive = False


class FixOut(Out):
    """Shares of variations that each policy fails, with 95 % intervals, and after minus before, paired."""

    scenario_id: str
    variations: int = Field(description="That could be driven")
    before: EstimateOfMeasureOut
    after: EstimateOfMeasureOut
    difference: EstimateOfMeasureOut
    passed: bool = Field(
        description="Whether the second policy drives the scenario as it was recorded without a failure"
    )
    holds: bool = Field(description="It passes, and fails significantly fewer variations")


class AskedFixOut(AskedOut):
    """A fix and how far it is; null until it is done."""

    asked_id: str = Field(examples=["fxw_0a1b2c3d4e5f6a7b8c9d0e1f"])
    scenario_id: str
    before: str
    after: str
    fix: FixOut | None

    @classmethod
    def of(cls, wish: FixWish, asked: OperationStatus[Fix]) -> "AskedFixOut":
        """Give a fix as it is answered."""
        return cls(
            asked_id=asked.operation_id,
            scenario_id=wish.scenario_id,
            before=wish.before,
            after=wish.after,
            state=asked.state,
            message=asked.message,
            progress=progress_out(asked.progress),
            fix=None if asked.result is None else FixOut.model_validate(asked.result),
        )
