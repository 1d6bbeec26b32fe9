"""Rounds as they are asked for."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from al_platform.domain.driving import PolicyModel, usual_strategy
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.domain.runs import RoundRequest
from al_platform.platform.described import described_model
from api.schemas.base import LARGEST, In, Name, Whole
from api.schemas.recipes import CurriculumIn, PolicyIn, curriculum_of

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
    start: Annotated[int, Field(ge=0, le=LARGEST, description="Frames of the start set, where no version is named")] = (
        40
    )
    dataset_version_id: Annotated[str, Field(max_length=200, description="Labels to train on")] = ""
    budget: BudgetIn = BudgetIn()
    strategy: StrategyIn = StrategyIn()
    filter: Annotated[str, Field(max_length=2000, description="Only frames of the pool that match may be picked")] = ""
    curriculum: Annotated[list[CurriculumIn], Field(max_length=50, description="None: every item alike")] = Field(
        default=[]
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST)] = 0
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
            curriculum=curriculum_of(self.curriculum),
        )
        return RoundRequest(wanted, pool=self.pool, test=self.test, start=self.start, scorers=self.scorers)

    def _model(self) -> ModelSpec | PolicyModel:
        if self.policy is not None:
            return self.policy.meant(tuple(self.targets))
        grid = GridSpec(image_height=self.image.height, image_width=self.image.width, cell=self.image.cell)
        return described_model(
            self.classes or self.targets, family=self.family, members=self.members, grid=grid, settings=self.settings
        )

    def _strategy(self) -> StrategySpec:
        asked = StrategySpec(**self.strategy.model_dump())
        if self.policy is None or "name" in self.strategy.model_fields_set:
            return asked
        return replace(asked, name=usual_strategy(tuple(self.targets)))
