"""Triage: what it refuses, what it rejects, and that labels of both kinds come back as what they were."""

from dataclasses import replace

import pytest

from al_platform.domain.driving import PolicyModel, policy_model
from al_platform.domain.hashing import canonical_json
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation, Box, label_from_json
from al_platform.domain.models import ModelSpec
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import Budget, RoundSpec
from al_platform.domain.triage import Triage, Verdict
from al_platform.errors import InvalidInput

GOOD = Triage("scn_1", Verdict.ACCEPT, "people", tags=("it's",), difficulty=3, text='"é"', events={"collision": False})
FRAME = Annotation("frm_1", ("person",), "people", boxes=(Box("person", 0, 0, 1, 1),), width=4, height=4)


@pytest.mark.parametrize("label", [GOOD, FRAME, Triage("scn_2", Verdict.REJECT, "x"), Annotation("f", ("a",), "x")])
def test_a_label_comes_back_as_what_it_was(label: Triage | Annotation) -> None:
    assert label_from_json(canonical_json(label)) == label
    assert label.item_id in canonical_json(label)


def test_what_is_said_anew_of_a_scenario_is_another_label() -> None:
    others = [replace(GOOD, revision=2), replace(GOOD, events={}), replace(GOOD, verdict=Verdict.DUPLICATE)]
    assert len({annotation_id(each) for each in (GOOD, *others)}) == 4


@pytest.mark.parametrize(
    ("verdict", "text", "said"),
    [
        (Verdict.ACCEPT, "fine", ""),
        (Verdict.REJECT, "", "bad recording"),
        (Verdict.DUPLICATE, "as scn_2", "duplicate: as scn_2"),
    ],
)
def test_a_scenario_that_is_not_accepted_says_why(verdict: Verdict, text: str, said: str) -> None:
    assert replace(GOOD, verdict=verdict, text=text).rejected == said


@pytest.mark.parametrize("difficulty", [0, 6])
def test_difficulty_is_one_to_five(difficulty: int) -> None:
    with pytest.raises(InvalidInput, match=f"difficulty {difficulty} of scn_1: must be 1 to 5"):
        replace(GOOD, difficulty=difficulty)


@pytest.mark.parametrize("model", [ModelSpec(("person",)), policy_model("pol_1", ("person",)), PolicyModel("pol_1", 3)])
def test_a_round_keeps_the_kind_of_its_model(model: ModelSpec | PolicyModel) -> None:
    target = model.classes[0]
    spec = RoundSpec(model, "dsv_1", "pool_1", (target,), Budget(3))
    again = record_from_json(RoundSpec, canonical_json(spec))
    assert (again, type(again.model)) == (spec, type(model))


def test_tags_among_the_targets_get_scores_of_their_own() -> None:
    model = policy_model("pol_1", ("collision", "tag:night", "tag:it's"))
    assert model.classes[-2:] == ("tag:night", "tag:it's")
    assert (model.classes[0], len(model.classes)) == ("collision", 11)


def test_a_round_asks_its_model_for_what_it_is() -> None:
    drives = RoundSpec(PolicyModel("pol_1"), "", "", ("action",), Budget(1))
    looks = RoundSpec(ModelSpec(("person",)), "", "", ("person",), Budget(1))
    assert (drives.policy_model.policy_id, looks.frame_model.classes) == ("pol_1", ("person",))
    with pytest.raises(InvalidInput, match="its drivers look at no frames"):
        assert drives.frame_model
    with pytest.raises(InvalidInput, match="nobody drives in it"):
        assert looks.policy_model


@pytest.mark.parametrize(
    ("broken", "message"),
    [({"drives": -1}, "drives -1"), ({"tags": ("a", "a")}, "named once"), ({"tags": ("",)}, "must have a name")],
)
def test_drivers_that_nobody_can_ask_are_refused(broken: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        PolicyModel("pol_1", **broken)  # type: ignore[arg-type]
