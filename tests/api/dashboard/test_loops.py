"""Loops on pages: asked for by a form that means what the service takes, shown, paused, gone on with, cancelled."""

import pytest

from al_platform.domain.access import Scope
from al_platform.domain.loops import LoopState
from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput
from al_platform.platform.loops import list_loops
from api.dashboard.routes.new_loop import LOOP_DEFAULTS, RULES, loop_of
from api.schemas.loops import LoopIn
from api.schemas.rounds import RoundIn
from tests.api.conftest import Served
from tests.api.dashboard.conftest import HOSTILE, PAGES, logged_in, post
from tests.api.dashboard.test_new_round import FORM, fields_of

ANOTHER_NAME = {"closing.deadline_s": "deadline_hours"}
FROM_THE_ROUND = "control_share"
NIGHTLY = {**LOOP_DEFAULTS, **FORM, "name": HOSTILE, "trigger.cron": "0 3 * * *", "form_id": "a-form"}


def test_the_form_has_every_field_of_the_schema(empty: Served) -> None:
    rules = {name for name in fields_of(LoopIn) if not name.startswith("round.")} - {FROM_THE_ROUND}
    assert set(RULES) == {ANOTHER_NAME.get(name, name) for name in rules}
    with logged_in(empty) as browser:
        page = browser.get(f"{PAGES}/new-loop").text
    for name in LOOP_DEFAULTS:
        assert f'name="{name}"' in page


def test_what_the_form_first_shows_is_what_the_schema_takes_by_default() -> None:
    shown = loop_of({**LOOP_DEFAULTS, "targets": "person"}).meant()
    assert shown == LoopIn(round=RoundIn(pool="", targets=["person"])).meant()


def test_a_form_means_the_rules_that_it_shows() -> None:
    rules = {
        "name": "nightly",
        "rounds": "9",
        "trigger.cron": "0 3 * * *",
        "trigger.grown_by": "100",
        "closing.share": "0.9",
        "deadline_hours": "24",
        "stopping.labels": "500",
        "stopping.plateau": "4/0.01",
        "stopping.information": "0.001",
        "warm_start": "yes",
        "strategy.control_share": "0.25",
    }
    wanted = loop_of({**LOOP_DEFAULTS, **FORM, **rules}).meant().wanted
    plain = loop_of({**LOOP_DEFAULTS, **FORM}).meant().wanted
    for name in RULES:
        assert loop_of({**LOOP_DEFAULTS, **FORM, name: rules[name]}).meant().wanted != plain, name
    assert (wanted.closing.deadline_s, wanted.warm_start, wanted.rounds) == (86_400.0, True, 9)
    assert wanted.stopping.plateau is not None
    assert (wanted.stopping.plateau.window, wanted.stopping.plateau.gain) == (4, 0.01)
    assert wanted.first.strategy.control_share == 0.25


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rounds": "many"}, "rounds: Input should be a valid integer"),
        ({"deadline_hours": "soon"}, "deadline 'soon': must be a number of hours"),
        ({"stopping.plateau": "2"}, "stopping.plateau.window: Input should be greater than or equal to 3"),
        ({"warm_start": "perhaps"}, "warm_start: Input should be a valid boolean"),
    ],
)
def test_a_field_that_does_not_fit_is_named(changed: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message.replace(".", r"\.")):
        loop_of({**LOOP_DEFAULTS, **FORM, **changed})


def test_a_loop_is_made_once_shown_paused_resumed_and_cancelled(served: Served) -> None:
    with logged_in(served, Scope.OPERATOR) as browser:
        assert "No loop yet." in browser.get(f"{PAGES}/loops").text
        wrong = post(browser, "/new-loop", {**NIGHTLY, "trigger.cron": "nightly"})
        assert wrong.status_code == 422
        assert "must be five fields" in wrong.text
        first, again = (post(browser, "/new-loop", NIGHTLY) for _ in range(2))
        assert first.headers["location"] == again.headers["location"]
        place = first.headers["location"]
        (status,) = list_loops(served.service.platform, None, PageRequest()).items
        assert place == f"{PAGES}/loops/{status.run.loop_id}"
        for verb, state in (("pause", LoopState.PAUSED), ("resume", LoopState.ACTIVE), ("cancel", LoopState.CANCELLED)):
            assert post(browser, f"{place.removeprefix(PAGES)}/{verb}").status_code == 303
            assert f'<span class="state {state}">' in browser.get(place).text
        for path in (place, f"{PAGES}/loops", f"{PAGES}/loops/table", f"{place}/live"):
            page = browser.get(path).text
            assert HOSTILE not in page
    with logged_in(served, Scope.READER) as reader:
        assert "Cancel" not in reader.get(place).text
        assert post(reader, f"{place.removeprefix(PAGES)}/cancel").status_code == 403
