"""The schema of recipes says what recipes are."""

from dataclasses import MISSING, fields

import pytest

from al_platform.domain.policies import CloningRecipe, PolicySpec, PracticeRecipe, Rewards
from al_platform.errors import InvalidInput
from api.schemas.base import In
from api.schemas.recipes import CloningIn, PolicyIn, PracticeIn, RecipeIn, RewardsIn


@pytest.mark.parametrize(
    ("schema", "record"), [(CloningIn, CloningRecipe), (PracticeIn, PracticeRecipe), (RewardsIn, Rewards)]
)
def test_the_schema_has_every_number_of_a_recipe_and_its_default(schema: type[In], record: type) -> None:
    assert schema().model_dump() == {field.name: field.default for field in fields(record)}


def test_a_recipe_without_numbers_is_the_one_by_default() -> None:
    assert set(RecipeIn.model_fields) == {field.name for field in fields(PolicySpec)}
    assert all(field.default is not MISSING or field.default_factory is not MISSING for field in fields(PolicySpec))
    assert RecipeIn(cloning=CloningIn()).meant() == PolicySpec(cloning=CloningRecipe())
    assert RecipeIn(practice=PracticeIn(), members=3).meant() == PolicySpec(members=3, practice=PracticeRecipe())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (PolicyIn(policy_id="pol_1", recipe=RecipeIn(cloning=CloningIn())), "policy pol_1: given beside a recipe"),
        (PolicyIn(recipe=RecipeIn(cloning=CloningIn(), practice=PracticeIn())), "both given"),
        (PolicyIn(recipe=RecipeIn()), "neither given"),
        (PolicyIn(recipe=RecipeIn(cloning=CloningIn(updates_a_draw=7))), "evaluate_every 500: must be a multiple"),
        (PolicyIn(parent_id="pol_1"), "policy pol_1: to go on from, but no recipe is given"),
    ],
)
def test_drivers_that_cannot_be_are_refused(asked: PolicyIn, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        asked.meant(("collision",))
