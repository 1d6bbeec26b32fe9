"""How driving policies are asked for: recipes, what is drawn how often, and whose drivers a round asks."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from al_platform.domain.driving import HELD_OUT, PolicyModel, policy_model, training_of
from al_platform.domain.policies import CloningRecipe, PolicySpec, PracticeRecipe, Rewards
from al_platform.domain.rounds import NEW, CurriculumShare
from api.schemas.base import LARGEST, In, Name, Whole

_CLONING, _PRACTICE, _REWARDS, _POLICY = (
    CloningRecipe(),
    PracticeRecipe(),
    Rewards(),
    PolicySpec(cloning=CloningRecipe()),
)
PolicyId = Annotated[str, Field(max_length=200, examples=["pol_0a1b2c3d4e5f6a7b8c9d0e1f"])]
Rate = Annotated[float, Field(gt=0, le=1e3)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Reward = Annotated[float, Field(ge=-1e6, le=1e6)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seen = Annotated[int, Field(ge=1, le=4096)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]


class CloningIn(In):
    """Cloned from what recorded egos saw, did and earned."""

    updates: Whole = _CLONING.updates
    batch_steps: Whole = _CLONING.batch_steps
    learning_rate: Rate = _CLONING.learning_rate
    value: Weight = _CLONING.value
    smoothing_bins: Weight = _CLONING.smoothing_bins
    clip_surprise: Weight = _CLONING.clip_surprise
    gusts: Share = _CLONING.gusts
    discount: Share = _CLONING.discount
    scenes: Whole = _CLONING.scenes
    updates_a_draw: Whole = _CLONING.updates_a_draw
    evaluate_every: Whole = _CLONING.evaluate_every


class PracticeIn(In):
    """Practised on the simulator."""

    iterations: Whole = _PRACTICE.iterations
    scenes: Whole = _PRACTICE.scenes
    sequence: Whole = _PRACTICE.sequence
    learning_rate: Rate = _PRACTICE.learning_rate
    clip: Rate = _PRACTICE.clip
    value: Weight = _PRACTICE.value
    entropy: Weight = _PRACTICE.entropy
    cloned: Weight = _PRACTICE.cloned
    trace: Annotated[float, Field(ge=0, le=1)] = _PRACTICE.trace
    passes: Whole = _PRACTICE.passes
    parts: Whole = _PRACTICE.parts
    averaged: Count = _PRACTICE.averaged
    value_first: Count = _PRACTICE.value_first
    hard: Annotated[float, Field(ge=1, le=1e6)] = _PRACTICE.hard
    kept_advantages: Share = _PRACTICE.kept_advantages
    discount: Share = _PRACTICE.discount
    drawn: Whole = _PRACTICE.drawn
    iterations_a_draw: Whole = _PRACTICE.iterations_a_draw
    evaluate_every: Whole = _PRACTICE.evaluate_every


class RewardsIn(In):
    """What a step earns; metres, m/s, (m/s^2)^2 and events."""

    progress: Reward = _REWARDS.progress
    over_speed: Reward = _REWARDS.over_speed
    acceleration: Reward = _REWARDS.acceleration
    lateral_acceleration: Reward = _REWARDS.lateral_acceleration
    collision: Reward = _REWARDS.collision
    off_route: Reward = _REWARDS.off_route
    off_road: Reward = _REWARDS.off_road
    red_light: Reward = _REWARDS.red_light
    stop_line: Reward = _REWARDS.stop_line
    wrong_way: Reward = _REWARDS.wrong_way


class RecipeIn(In):
    """Everything that determines a policy besides its scenarios, its parent and its seed; cloning or practice."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"members": 3, "cloning": {"updates": 2000}}]})

    network: Annotated[Name, Field(description="xs, s, m or l")] = _POLICY.network
    members: Annotated[int, Field(ge=1, le=64)] = _POLICY.members
    agents: Seen = _POLICY.agents
    roads: Seen = _POLICY.roads
    route_points: Seen = _POLICY.route_points
    reactive: bool = _POLICY.reactive
    rewards: RewardsIn = RewardsIn()
    cloning: CloningIn | None = None
    practice: PracticeIn | None = None

    def meant(self) -> PolicySpec:
        """Give what is asked for.

        Raises: InvalidInput for both or none of cloning and practice, and for numbers that do not go together.
        """
        plain = self.model_dump(exclude={"rewards", "cloning", "practice"})
        return PolicySpec(
            **plain,
            rewards=Rewards(**self.rewards.model_dump()),
            cloning=CloningRecipe(**self.cloning.model_dump()) if self.cloning else None,
            practice=PracticeRecipe(**self.practice.model_dump()) if self.practice else None,
        )


class PolicyIn(In):
    """Whose drivers a round of scenarios asks: those of a policy, or what a recipe trains on the round's scenarios."""

    policy_id: Annotated[PolicyId, Field(description="Empty where a recipe is given")] = ""
    drives: Annotated[
        int, Field(ge=0, le=64, description="Of each scene with drawn actions; 0: one by the expected")
    ] = 0
    recipe: Annotated[RecipeIn | None, Field(description="Trains the drivers of every round")] = None
    parent_id: Annotated[PolicyId, Field(description="Policy that the recipe goes on from; empty: fresh weights")] = ""
    held_out: Annotated[
        float,
        Field(
            ge=0, lt=1, description="Share of the sessions that the recipe does not learn from: the learning curve's"
        ),
    ] = HELD_OUT

    def meant(self, targets: tuple[str, ...]) -> PolicyModel:
        """Give the drivers that are asked for.

        Raises: InvalidInput for a policy beside a recipe, a parent without one, or a recipe that cannot be.
        """
        recipe = self.recipe.meant() if self.recipe else None
        training = training_of(recipe, self.parent_id, held_out=self.held_out)
        return policy_model(self.policy_id, targets, drives=self.drives, training=training)


class CurriculumIn(In):
    """How much of every batch is drawn from the labelled items that a filter matches, relative to other shares."""

    share: Annotated[float, Field(ge=0, le=1e9)]
    filter: Annotated[
        str, Field(max_length=2000, description=f"Empty for every item, `{NEW}` for what the last round added")
    ] = ""


def curriculum_of(parts: Sequence[CurriculumIn]) -> tuple[CurriculumShare, ...]:
    """Give the shares that are asked for."""
    return tuple(CurriculumShare(part.filter, part.share) for part in parts)
