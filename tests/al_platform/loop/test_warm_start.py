"""Drivers that go on from those of the round before, and loops that could not."""

from dataclasses import replace
from pathlib import Path

import pytest

from al_platform.domain.driving import PolicyTraining, policy_model
from al_platform.domain.loops import LoopSpec
from al_platform.domain.policies import PolicySpec, PracticeRecipe
from al_platform.domain.rounds import Budget, Round, RoundSpec
from al_platform.errors import InvalidInput
from al_platform.loop.kinds import SCENARIO_ITEMS
from al_platform.platform.home import open_platform
from tests.fleet import settings_of

TARGETS = ("collision",)
TRAINING = PolicyTraining(PolicySpec(practice=PracticeRecipe()), "pol_clone")
SPEC = RoundSpec(policy_model("", TARGETS, training=TRAINING), "dsv_1", "pool_1", TARGETS, Budget(1))


def test_drivers_go_on_from_those_of_the_round_before_by_the_same_recipe(tmp_path: Path) -> None:
    with open_platform(settings_of(tmp_path / "home")) as platform, platform.catalog.transaction() as tx:
        after = SCENARIO_ITEMS.begin_with_last(tx, SPEC, Round("rnd_1", SPEC, ensemble_id="pol_last"))
        asking = replace(SPEC, model=policy_model("pol_1", TARGETS))
        assert SCENARIO_ITEMS.begin_with_last(tx, asking, Round("rnd_1", asking, ensemble_id="pol_1")) == asking
    assert after.policy_model.training == replace(TRAINING, parent_id="pol_last")


def test_a_policy_that_is_only_asked_cannot_begin_anywhere() -> None:
    assert LoopSpec(SPEC, 2, warm_start=True).warm_start
    with pytest.raises(InvalidInput, match="policy pol_1 is only asked; give a recipe to train by"):
        LoopSpec(replace(SPEC, model=policy_model("pol_1", TARGETS)), 2, warm_start=True)
