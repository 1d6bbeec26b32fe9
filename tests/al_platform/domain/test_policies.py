import math
from typing import Any

import pytest

from al_platform.domain.hashing import canonical_json
from al_platform.domain.policies import CloningRecipe, PolicySpec, PracticeRecipe
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput

BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no update": (CloningRecipe, {"updates": 0}, "updates 0: must be at least 1"),
    "a rate that is no number": (CloningRecipe, {"learning_rate": math.nan}, "learning_rate nan"),
    "a negative weight": (CloningRecipe, {"value": -1.0}, "value -1.0: must be a number, 0 or more"),
    "a discount of one": (CloningRecipe, {"discount": 1.0}, "discount 1.0: must be at least 0 and below 1"),
    "no iteration": (PracticeRecipe, {"iterations": 0}, "iterations 0"),
    "scenes that cannot be dealt": (PracticeRecipe, {"scenes": 10, "parts": 4}, "10 scenes in 4 parts"),
    "a negative average": (PracticeRecipe, {"averaged": -1}, "averaged -1: must be a number of iterations, 0 for none"),
    "a value before it begins": (PracticeRecipe, {"value_first": -2}, "value_first -2: must be a number of updates"),
    "no clip": (PracticeRecipe, {"clip": 0.0}, "clip 0.0: must be a number greater than 0"),
    "no driver": (PolicySpec, {"members": 0, "cloning": CloningRecipe()}, "members 0"),
    "no recipe": (PolicySpec, {}, "neither given"),
    "two recipes": (PolicySpec, {"cloning": CloningRecipe(), "practice": PracticeRecipe()}, "both given"),
}


@pytest.mark.parametrize(("kind", "given", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_trained_is_refused(kind: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        kind(**given)


def test_a_spec_comes_back_from_its_text() -> None:
    spec = PolicySpec(members=3, practice=PracticeRecipe(cloned=0.5, discount=0.9))
    assert record_from_json(PolicySpec, canonical_json(spec)) == spec


def test_practice_counts_its_steps() -> None:
    assert PracticeRecipe(iterations=10, scenes=8, sequence=4).agent_steps == 320
