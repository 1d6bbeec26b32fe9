"""Rounds: asked for, estimated, watched; the queues they fill."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from al_platform.domain.driving import PolicyModel, policy_model
from al_platform.domain.hashing import to_plain
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.domain.rounds import Budget, CurriculumShare, RoundSpec, RoundState, StrategySpec
from al_platform.domain.runs import KnownRequest, RoundRequest, RoundRun, RunState
from al_platform.platform.described import described_model
from al_platform.platform.submissions import RoundStatus
from api.schemas.base import In, Out

_LARGEST = 2**31 - 1
Name = Annotated[str, Field(min_length=1, max_length=200)]
Whole = Annotated[int, Field(ge=1, le=_LARGEST)]
EXAMPLE: dict[str, Any] = {
    "pool": "dataset=synthetic,split=pool",
    "test": "dataset=synthetic,split=test",
    "targets": ["person", "bicycle"],
    "budget": {"frames": 40},
    "strategy": {"name": "mixdist"},
}


class ImageIn(In):
    """Size to which frames are brought, and of a square cell, in pixels."""

    width: Annotated[int, Field(ge=1, le=8192)] = 320
    height: Annotated[int, Field(ge=1, le=8192)] = 224
    cell: Annotated[int, Field(ge=1, le=8192)] = 16


class BudgetIn(In):
    """Frames to label at most; with `objects`, until so many positive cells are paid for."""

    frames: Whole = 40
    objects: Whole | None = None


class StrategyIn(In):
    """How frames are picked, and the limits that hold for it."""

    name: Name = "mixdist"
    session_cap: Whole | None = None
    minimum_gap_s: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    minimum_distance: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    group_quota: Whole | None = None
    group_tag: Annotated[str, Field(max_length=200)] = ""
    control_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    guard: Annotated[
        float | None,
        Field(gt=0, lt=1, description="Chance of a bad recording from which a scenario is picked only as control"),
    ] = None


class PolicyIn(In):
    """Whose drivers a round of scenarios asks, and by how many drives with drawn actions; 0: one by the likeliest."""

    policy_id: Name
    drives: Annotated[int, Field(ge=0, le=64)] = 0


class CurriculumIn(In):
    """How much of every batch is drawn from the labelled frames that a filter matches, relative to other shares."""

    share: Annotated[float, Field(ge=0, le=1e9)]
    filter: Annotated[str, Field(max_length=2000, description="Empty for every frame")] = ""


class RoundIn(In):
    """A round: train on labels, score a pool, pick, have labelled, append."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    pool: Annotated[str, Field(max_length=2000, description="Filter of the frames to pick from")]
    targets: Annotated[
        list[Name], Field(max_length=100, description="Classes to find, in the order of the round-robin")
    ]
    test: Annotated[str, Field(max_length=2000, description="Filter of the frozen test set; empty for none")] = ""
    classes: Annotated[list[Name], Field(max_length=100, description="Classes the model learns; none: the targets")] = (
        Field(default=[])
    )
    start: Annotated[
        int, Field(ge=0, le=_LARGEST, description="Frames of the start set, where no version is named")
    ] = 40
    dataset_version_id: Annotated[str, Field(max_length=200, description="Labels to train on")] = ""
    budget: BudgetIn = BudgetIn()
    strategy: StrategyIn = StrategyIn()
    filter: Annotated[str, Field(max_length=2000, description="Only frames of the pool that match may be picked")] = ""
    curriculum: Annotated[list[CurriculumIn], Field(max_length=50, description="None: every frame alike")] = Field(
        default=[]
    )
    seed: Annotated[int, Field(ge=0, le=_LARGEST)] = 0
    family: Name = "prefix-heads"
    members: Annotated[int, Field(ge=1, le=64)] = 8
    policy: Annotated[
        PolicyIn | None,
        Field(
            description="Makes it a round of scenarios; its targets are outcomes, action, surprise, progress, tag:NAME"
        ),
    ] = None
    image: ImageIn = ImageIn()
    settings: Annotated[
        dict[str, str | int | float],
        Field(
            max_length=50, description="Recipe and sizes: steps, learning_rate, hidden, ...", examples=[{"steps": 250}]
        ),
    ] = Field(default={})
    annotator: Annotated[Name, Field(description="Who labels, by the name of the tool", examples=["label-studio"])] = (
        "offline"
    )
    queue: Name = "main"
    scorers: Annotated[int, Field(ge=1, le=64, description="Processes that score the pool")] = 1

    def meant(self) -> RoundRequest:
        """Give what is asked for.

        Raises: InvalidInput for a model or a round that cannot be.
        """
        wanted = RoundSpec(
            model=self._model(),
            dataset_version_id=self.dataset_version_id,
            pool_id="",
            targets=tuple(self.targets),
            budget=Budget(self.budget.frames, self.budget.objects),
            strategy=self._strategy(),
            seed=self.seed,
            annotator=self.annotator,
            queue=self.queue,
            filter=self.filter,
            curriculum=tuple(CurriculumShare(part.filter, part.share) for part in self.curriculum),
        )
        return RoundRequest(wanted, pool=self.pool, test=self.test, start=self.start, scorers=self.scorers)

    def _model(self) -> ModelSpec | PolicyModel:
        if self.policy is not None:
            return policy_model(self.policy.policy_id, tuple(self.targets), drives=self.policy.drives)
        grid = GridSpec(image_height=self.image.height, image_width=self.image.width, cell=self.image.cell)
        return described_model(
            self.classes or self.targets, family=self.family, members=self.members, grid=grid, settings=self.settings
        )

    def _strategy(self) -> StrategySpec:
        asked = StrategySpec(**self.strategy.model_dump())
        return replace(asked, name="mi") if self.policy and "name" not in self.strategy.model_fields_set else asked


class ProgressOut(Out):
    """`done` of `total` in the units that the stage counts."""

    stage: str = Field(examples=["train"])
    done: int
    total: int
    note: str = Field(default="", description="Losses, or speed and what limits it", examples=["validation loss 0.21"])
    seconds_left: float | None = Field(default=None, description="As long as the stage will take yet; null: unknown")


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


class TaskOut(Out):
    """A frame in a labelling queue; rank 0 is seen first, a score is higher where there is more to learn."""

    task_id: str = Field(examples=["tsk_0a1b2c3d4e5f6a7b8c9d0e1f"])
    round_id: str
    item_id: str
    for_class: str
    rank: int
    score: float
    state: str = Field(examples=["sent"])


class TaskChange(In):
    """Another place in the queue, or `withdrawn`."""

    rank: Annotated[int, Field(ge=0, le=_LARGEST)] | None = None
    state: Literal["withdrawn"] | None = None


class QueueOut(Out):
    """A queue and how many of its tasks are in each state."""

    queue: str = Field(examples=["main"])
    tasks: dict[str, int] = Field(examples=[{"sent": 12, "labeled": 28}])
