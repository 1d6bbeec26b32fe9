"""Driving policies as they are asked for and answered."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from al_platform.domain.hashing import to_plain
from al_platform.domain.policies import CurvePoint, PolicyVersion
from al_platform.platform.taking_on import OperationStatus
from al_platform.platform.trainings import WantedPolicy
from api.schemas.base import In, Out
from api.schemas.judging import AskedOut, progress_out
from api.schemas.recipes import CurriculumIn, PolicyId, RecipeIn, curriculum_of

Scenes = Annotated[
    str, Field(max_length=2000, description="Dataset version, `dsv_...`, or filter of scenarios; empty for all")
]
_POLICY = "pol_0a1b2c3d4e5f6a7b8c9d0e1f"


class CostOut(Out):
    """What a training took: wall time, time of all its processors (s), and the most memory at once (bytes)."""

    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int


class PolicyOut(Out):
    """A trained policy and what it came from; `spec` is everything that determines it besides its scenarios."""

    policy_id: str = Field(examples=[_POLICY])
    spec: dict[str, Any] = Field(examples=[{"network": "xs", "members": 3, "cloning": {"updates": 4000}}])
    dataset_version_id: str = Field(description="The scenarios that it was trained on")
    parent_id: str | None = Field(description="The policy that it went on from; null for fresh weights")
    seed: int
    weights_hash: str
    curve_hash: str
    environment: dict[str, str]
    cost: CostOut | None

    @classmethod
    def of(cls, policy: PolicyVersion) -> "PolicyOut":
        """Give a policy as it is answered."""
        return cls(**_facts(policy))


class PolicyWantedIn(In):
    """A policy to train: by which recipe, on which scenarios, going on from which policy."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"recipe": {"members": 3, "cloning": {"updates": 2000}}, "on": "dataset=generated"}]
        }
    )

    recipe: RecipeIn
    on: Scenes = ""
    held_out: Annotated[Scenes, Field(description="Measures the learning curve; empty for none")] = ""
    parent_id: Annotated[PolicyId, Field(description="Policy to go on from; empty for fresh weights")] = ""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    curriculum: Annotated[list[CurriculumIn], Field(max_length=50, description="None: every scenario alike")] = Field(
        default=[]
    )

    def meant(self) -> WantedPolicy:
        """Give what is asked for.

        Raises: InvalidInput for a recipe that cannot be.
        """
        return WantedPolicy(
            recipe=self.recipe.meant(),
            on=self.on,
            held_out=self.held_out,
            parent_id=self.parent_id,
            seed=self.seed,
            curriculum=curriculum_of(self.curriculum),
        )


class AskedPolicyOut(AskedOut):
    """A policy that is trained and how far that is; null until it is done."""

    policy_id: str = Field(examples=[_POLICY])
    policy: PolicyOut | None

    @classmethod
    def of(cls, asked: OperationStatus[PolicyVersion]) -> "AskedPolicyOut":
        """Give how far a training is as it is answered."""
        return cls(
            policy_id=asked.operation_id,
            state=asked.state,
            message=asked.message,
            progress=progress_out(asked.progress),
            policy=None if asked.result is None else PolicyOut.of(asked.result),
        )


class CurvePointOut(Out):
    """How good a policy was after so much training: means over its drivers, on held-out scenarios."""

    step: int = Field(description="Updates of cloning, iterations of practice")
    agent_steps: int = Field(description="Steps that each driver learned from so far")
    measures: dict[str, float] = Field(examples=[{"failure": 0.08, "progress_ratio": 0.99}])
    terms: dict[str, float] = Field(description="Of the loss", examples=[{"loss": 1.72}])


class PolicyWithCurveOut(PolicyOut):
    """A trained policy with its learning curve."""

    curve: list[CurvePointOut]

    @classmethod
    def with_curve(cls, policy: PolicyVersion, points: tuple[CurvePoint, ...]) -> "PolicyWithCurveOut":
        """Give a policy and its curve as they are answered."""
        return cls(**_facts(policy), curve=[CurvePointOut.model_validate(point) for point in points])


def _facts(policy: PolicyVersion) -> dict[str, Any]:
    return {**{name: getattr(policy, name) for name in PolicyOut.model_fields}, "spec": to_plain(policy.spec)}
