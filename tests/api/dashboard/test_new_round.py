"""The form asks for everything that the service takes, and means the same."""

import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from al_platform.domain.access import Scope
from al_platform.domain.driving import PolicyTraining, policy_model
from al_platform.domain.paging import PageRequest
from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.errors import InvalidInput
from al_platform.platform.submissions import requests_page
from api.dashboard.routes.new_round import DEFAULTS, round_of
from api.schemas.rounds import RoundIn
from tests.api.conftest import ROUND, Served
from tests.api.dashboard.conftest import HOSTILE, PAGES, logged_in, post

FORM = {
    "pool": "split=pool",
    "test": "split=test",
    "targets": "person, bicycle",
    "classes": "person,bicycle,car",
    "start": "12",
    "budget.frames": "6",
    "members": "2",
    "image.width": "192",
    "image.height": "128",
    "settings": "steps=50, projection=16,hidden=8",
}


WRITTEN_OUT = ("policy",)
"""What may be left out of a body and whose fields the form has one by one."""


def fields_of(kind: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in kind.model_fields.items():
        inner: Any = get_args(field.annotation)[0] if name in WRITTEN_OUT else field.annotation
        deeper = isinstance(inner, type) and issubclass(inner, BaseModel)
        found |= fields_of(inner, f"{prefix}{name}.") if deeper else {prefix + name}
    return found


def test_the_form_has_every_field_of_the_schema(empty: Served) -> None:
    assert set(DEFAULTS) == fields_of(RoundIn)
    with logged_in(empty) as browser:
        page = browser.get(f"{PAGES}/new-round").text
    for name in DEFAULTS:
        assert f'name="{name}"' in page


def test_what_the_form_first_shows_is_what_the_schema_takes_by_default() -> None:
    assert round_of({**DEFAULTS, "targets": "person"}) == RoundIn(pool="", targets=["person"])


def test_a_form_means_the_round_of_the_same_body() -> None:
    body = RoundIn.model_validate(ROUND)
    assert round_of({**DEFAULTS, **FORM}).meant() == body.meant()
    of_scenarios = {"policy.policy_id": "pol_1", "policy.drives": "2", "targets": "collision", "strategy.name": "mi"}
    meant = round_of({**DEFAULTS, **FORM, **of_scenarios}).meant().wanted.model
    assert meant == policy_model("pol_1", ("collision",), drives=2)
    trained = {
        **of_scenarios,
        "policy.policy_id": "",
        "policy.recipe": '{"cloning": {}}',
        "policy.parent_id": "pol_2",
        "policy.held_out": "0.2",
    }
    meant = round_of({**DEFAULTS, **FORM, **trained}).meant().wanted.model
    recipe = PolicyTraining(PolicySpec(cloning=CloningRecipe()), "pol_2", 0.2)
    assert meant == policy_model("", ("collision",), drives=2, training=recipe)
    part = {
        "curriculum": "2 split=pool,weather=rain\n\n1\n",
        "strategy.group_quota": "3",
        "strategy.group_tag": "weather",
    }
    curriculum = round_of({**DEFAULTS, **FORM, **part}).meant().wanted
    assert [(share.share, share.filter) for share in curriculum.curriculum] == [
        (2.0, "split=pool,weather=rain"),
        (1.0, ""),
    ]
    assert curriculum.strategy.group_quota == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budget.frames": "many"}, "budget.frames: Input should be a valid integer"),
        ({"strategy.control_share": "2"}, "strategy.control_share: Input should be less than 1"),
        ({"settings": "steps"}, "settings 'steps': write NAME=NUMBER"),
        ({"policy.recipe": "members=3"}, "policy.recipe: Expecting value: line 1 column 1 (char 0); write JSON"),
        (
            {"policy.recipe": '{"cloning": {"update": 3}}'},
            "policy.recipe.cloning.update: Extra inputs are not permitted",
        ),
        ({"curriculum": "much split=pool"}, "curriculum.0.share: Input should be a valid number"),
        ({"seed": ""}, "seed: Input should be a valid integer"),
    ],
)
def test_a_field_that_does_not_fit_is_named(changed: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        round_of({**DEFAULTS, **FORM, **changed})


def test_an_estimate_is_shown_and_keeps_nothing(shared: Served) -> None:
    with logged_in(shared) as browser:
        answer = post(browser, "/new-round/estimate", {**DEFAULTS, **FORM})
        assert answer.status_code == 200
        assert "60 frames of 12 sessions" in answer.text
        wrong = post(browser, "/new-round/estimate", {**DEFAULTS, **FORM, "pool": f"colour={HOSTILE}"})
        assert 'role="alert"' in wrong.text
        assert "<img src=x" not in wrong.text
    assert not requests_page(shared.service, PageRequest(10)).items


def test_a_form_that_is_wrong_comes_back_as_it_was_filled(shared: Served) -> None:
    with logged_in(shared) as browser:
        answer = post(browser, "/new-round", {**DEFAULTS, **FORM, "targets": HOSTILE, "queue": HOSTILE})
    assert answer.status_code == 422
    assert "is not a class of the model" in answer.text or "not a class of the model" in answer.text
    assert answer.text.count("&lt;img src=x onerror=alert(1)&gt;") >= 2
    assert "<img src=x" not in answer.text


def test_the_same_form_sent_twice_is_one_round_that_can_be_cancelled(served: Served) -> None:
    fields = {**DEFAULTS, **FORM, "settings": "steps=4000,projection=16,hidden=8", "form_id": "a-form"}
    with logged_in(served, Scope.OPERATOR) as browser:
        first, again = (post(browser, "/new-round", fields) for _ in range(2))
        assert first.status_code == again.status_code == 303
        assert len(requests_page(served.service, PageRequest(10)).items) == 1
        page = browser.get(first.headers["location"], follow_redirects=True)
        assert page.status_code == 200
        assert "Cancel" in page.text
        place = str(page.url.path).removeprefix(PAGES)
        assert post(browser, f"{place}/cancel").status_code == 303
        while served.service.runner.waiting:
            pass
        assert "cancelled" in browser.get(str(page.url), follow_redirects=True).text
