"""Policies over HTTP: listed, driven, compared, licensed and ranked; whoever asks is answered at once."""

import io
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from al_platform.client import ServiceProblem
from al_platform.domain.access import Scope
from al_platform.domain.judging import EXPERT
from al_platform.domain.operations import OperationState
from al_platform.domain.paging import PageRequest
from al_platform.errors import NotFound
from al_platform.platform.failures import drive_picture, failed_scenes
from al_platform.platform.fixes import fix_holds
from al_platform.platform.home import open_platform
from al_platform.platform.judging import compare_policies, freeze_suite
from al_platform.platform.scenarios import scenarios
from al_platform.policies.changes import ComparisonSpec
from sim.varying import VariationSpec
from tests.api.conftest import Served, serving
from tests.api.dashboard.conftest import PAGES, logged_in
from tests.fleet import contents, settings_of
from tests.judged import CURVE, HALT, RACE, SCENES, add_policy_that, make_judged_home

VARIATIONS = 2
PATIENCE_S = 300.0
"""For a loaded machine; nothing waits so long where it works."""


@dataclass(frozen=True)
class Drivers:
    """A server over a home with two policies and a suite of all scenes."""

    served: Served
    racing: str
    halting: str
    scenario: str
    """Of which variations were driven."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("judged") / "home"
    make_judged_home(made)
    return made


@pytest.fixture(scope="module")
def drivers(home: Path) -> Iterator[Drivers]:
    """What is driven was driven before anybody asks: no request of a test waits for a simulator."""
    with open_platform(settings_of(home)) as platform:
        racing, halting = add_policy_that(platform, RACE), add_policy_that(platform, HALT)
        freeze_suite(platform, "all", "")
        compare_policies(platform, EXPERT, racing, "all", wanted=ComparisonSpec(clips=1))
        first = next(iter(scenarios(platform, "", PageRequest(1)).items)).scenario_id
        fix_holds(platform, first, halting, EXPERT, variations=VariationSpec(count=VARIATIONS))
    with serving(home) as served:
        with served.client() as client:
            client.freeze_suite("all", idempotency_key="all")
        yield Drivers(served, racing, halting, first)


def test_policies_come_with_their_curves(drivers: Drivers) -> None:
    with drivers.served.client(Scope.READER) as client:
        assert {policy.policy_id for policy in client.policies(page=1)} == {drivers.racing, drivers.halting}
        found = client.policy(drivers.racing)
        assert found.curve == CURVE.points
        assert (found.spec.network, found.parent_id) == ("xs", None)
        with pytest.raises(ServiceProblem, match="not in the catalog"):
            client.policy("pol_none")


def test_a_suite_is_frozen_once_however_often_it_is_sent(drivers: Drivers) -> None:
    with drivers.served.client() as client:
        (suite,) = client.suites()
        assert (suite.name, suite.scenarios) == ("all", SCENES)
        assert client.freeze_suite("all", idempotency_key="all") == suite == client.suite("all")
        with pytest.raises(ServiceProblem, match="came before with another request"):
            client.freeze_suite("others", "agents>1000", idempotency_key="all")
        with pytest.raises(ServiceProblem, match="no scenario matches"):
            client.freeze_suite("others", "agents>1000", idempotency_key="others")


def test_policies_are_driven_compared_licensed_and_ranked(drivers: Drivers) -> None:
    racing = drivers.racing
    with drivers.served.client(Scope.OPERATOR) as client:
        asked = client.ask_for_comparison(EXPERT, racing, "all", clips=1)
        assert asked.state is OperationState.DONE
        assert asked.comparison is not None
        assert client.ask_for_comparison(EXPERT, racing, "all", clips=1) == asked == client.comparison(asked.asked_id)
        worst = asked.comparison.worse[0]
        with Image.open(io.BytesIO(client.comparison_clip(asked.asked_id, worst.scenario_id))) as clip:
            assert clip.format == "GIF"
        with pytest.raises(ServiceProblem, match="has none"):
            client.comparison_clip(asked.asked_id, "scn_none")

        driven = client.ask_for_evaluation(racing, "all")
        assert driven.evaluation is not None
        assert driven.evaluation_id == asked.comparison.after
        assert [each.evaluation_id for each in client.evaluations(racing)] == [driven.evaluation_id]

        terms = {"suite": "all", "at_most": {"failure": 0.6}}
        refused = client.ask_for_licence(racing, "town", terms=terms)
        assert refused.licence is not None
        assert not refused.licence.issued
        assert "asked is 60.00 %" in refused.licence.reasons[0]
        assert client.ask_for_licence(racing, "town") == refused == client.licence(refused.licence_id)
        issued = client.ask_for_licence(racing, "anybody", terms={"suite": "all", "at_most": {"failure": 1.0}})
        assert issued.licence is not None
        assert issued.licence.issued
        assert [spec.name for spec in client.licence_specs()] == ["anybody", "town"]
        assert [each.spec.name for each in client.licences(racing, page=1)] == ["anybody", "town"]
        with pytest.raises(ServiceProblem, match="asks for something else"):
            client.ask_for_licence(drivers.halting, "town", terms={"suite": "all", "at_most": {"failure": 0.5}})

        ranked = list(client.leaderboard("all", page=1))
        assert [(each.rank, each.evaluation.policy_id, each.licences) for each in ranked] == [
            (1, EXPERT, ()),
            (2, racing, ("anybody",)),
        ]
        assert list(client.leaderboard("all", reactive=True)) == []
    changes = {row["action"] for row in contents(drivers.served.service.platform)["audit_log"]}
    assert {"suite.frozen", "comparison.asked", "licence.asked"} <= changes


def test_whether_a_fix_holds_is_asked_for_once_and_found_again(drivers: Drivers) -> None:
    asked_for = (drivers.scenario, drivers.halting, EXPERT)
    with drivers.served.client(Scope.OPERATOR) as client:
        asked = client.ask_for_fix(*asked_for, variations=VARIATIONS)
        assert (asked.state, asked.before, asked.after) == (OperationState.DONE, drivers.halting, EXPERT)
        assert asked.fix is not None
        assert asked.fix.scenario_id == drivers.scenario
        assert asked.fix.variations <= VARIATIONS
        assert client.fix(asked.asked_id) == asked == client.ask_for_fix(*asked_for, variations=VARIATIONS)
        for ask, said in (
            (lambda: client.ask_for_fix(drivers.scenario, EXPERT, EXPERT), "compared with itself"),
            (lambda: client.ask_for_fix("scn_none", EXPERT, drivers.racing), "scenario scn_none: not in the catalog"),
            (lambda: client.ask_for_fix(drivers.scenario, EXPERT, "pol_none"), "policy pol_none: not in the catalog"),
            (lambda: client.fix("fxw_none"), "nobody asked for it"),
        ):
            with pytest.raises(ServiceProblem, match=said):
                ask()


def test_comparisons_are_listed_newest_first_a_page_at_a_time(drivers: Drivers) -> None:
    with drivers.served.client(Scope.OPERATOR) as client:
        asked = [client.ask_for_comparison(EXPERT, drivers.racing, "all", clips=clips) for clips in (1, 0)]
        listed = list(client.comparisons(page=1))
        assert [each.asked_id for each in listed[:2]] == [each.asked_id for each in reversed(asked)]
        assert {(each.before, each.after, each.state) for each in listed} == {(EXPERT, drivers.racing, asked[0].state)}
        assert len({each.asked_id for each in listed}) == len(listed)


def test_a_training_is_refused_for_what_is_wrong_with_it(drivers: Drivers) -> None:
    recipe = {"members": 1, "agents": 4, "roads": 4, "cloning": {"updates": 1}}
    with drivers.served.client(Scope.OPERATOR) as client:
        for wanted, said in (
            ({"recipe": {**recipe, "practice": {}}}, "both given"),
            ({"recipe": {**recipe, "network": "xxl"}}, "network 'xxl': must be one of"),
            ({"recipe": {**recipe, "members": 2}, "parent_id": drivers.racing}, "has members 1 and the recipe 2"),
            ({"recipe": recipe, "on": "agents>1000"}, "no scenario matches"),
            ({"recipe": {**recipe, "cloning": {"update": 1}}}, "recipe.cloning.update: Extra inputs"),
        ):
            with pytest.raises(ServiceProblem, match=said):
                client.train_policy(wanted, idempotency_key="t")
        with pytest.raises(ServiceProblem, match="policy pol_none: not in the catalog"):
            client.training("pol_none")
        with pytest.raises(ServiceProblem, match="nobody asked for it"):
            client.stop_training(drivers.racing)
        assert client.training(drivers.racing).state is OperationState.DONE
    with drivers.served.client(Scope.READER) as client, pytest.raises(ServiceProblem, match="needs operator"):
        client.train_policy({"recipe": recipe}, idempotency_key="t")


def test_what_cannot_be_judged_is_refused_before_anything_is_kept(drivers: Drivers) -> None:
    before = contents(drivers.served.service.platform)
    with drivers.served.client(Scope.OPERATOR) as client:
        for ask, said in (
            (lambda: client.ask_for_evaluation("pol_none", "all"), "policy pol_none: not in the catalog"),
            (lambda: client.ask_for_evaluation(drivers.racing, "none"), "suite 'none': not in the catalog"),
            (lambda: client.ask_for_comparison(EXPERT, EXPERT, "all"), "compared with itself"),
            (lambda: client.ask_for_comparison(EXPERT, "pol_none", "all"), "policy pol_none: not in the catalog"),
            (lambda: client.ask_for_licence(drivers.racing, "none"), "was never decided on"),
            (lambda: client.ask_for_licence(drivers.racing, "n", terms={"suite": "all"}), "asks for nothing"),
            (lambda: client.evaluation("evl_none"), "not in the catalog"),
            (lambda: client.comparison("cmw_none"), "nobody asked for it"),
            (lambda: client.licence("lic_none"), "nothing was decided"),
        ):
            with pytest.raises(ServiceProblem, match=said):
                ask()
    with drivers.served.client(Scope.READER) as client, pytest.raises(ServiceProblem, match="needs operator"):
        client.ask_for_evaluation(drivers.racing, "all")
    after = contents(drivers.served.service.platform)
    for table in ("operations", "evaluations", "licences", "suites"):
        assert after[table] == before[table]


def test_the_page_of_a_policy_shows_how_it_failed(drivers: Drivers) -> None:
    platform = drivers.served.service.platform
    with drivers.served.client() as client:
        (found,) = client.evaluations(drivers.racing)
    failed = failed_scenes(platform, found.evaluation_id)
    assert sum(scene.share for scene in failed) == pytest.approx(SCENES * found.measures["failure"].mean)
    assert all(scene.reason for scene in failed)
    with logged_in(drivers.served, Scope.READER) as browser:
        text = browser.get(f"{PAGES}/policies/{drivers.racing}").text
        assert f"Where it failed: {len(failed)} of {SCENES} scenarios" in text
        assert all(scene.reason in text for scene in failed)
        addresses = [unescape(one) for one in re.findall(r'src="([^"]*/drive/[^"]+)"', text)]
        assert [scene.scenario_id in one for scene, one in zip(failed, addresses, strict=True)] == [True] * len(failed)
        assert browser.get(addresses[0].replace(failed[0].scenario_id, "scn_other")).status_code == 401
        with Image.open(io.BytesIO(browser.get(addresses[0]).content)) as clip:
            assert (clip.format, clip.width > clip.height) == ("GIF", True)
    with pytest.raises(NotFound, match=r"scn_none: evaluation .* did not drive it"):
        drive_picture(platform, found.evaluation_id, "scn_none")


@pytest.mark.story
def test_whoever_asks_does_not_wait_and_need_not_look_again(tmp_path: Path) -> None:
    """The job runs in a process of its own; a failed one is told, and tried again when it is asked for again."""
    home = tmp_path / "home"
    make_judged_home(home)
    with serving(home, compute="local") as served, served.client() as client:
        client.freeze_suite("all", idempotency_key="all")
        asked = client.ask_for_evaluation(EXPERT, "all")
        assert (asked.state, asked.evaluation) == (OperationState.RUNNING, None)
        _wait_for(lambda: bool(list(client.leaderboard("all"))))
        assert client.evaluation(asked.evaluation_id).state is OperationState.DONE
        folder = served.service.platform.settings.scenarios_folder
        folder.rename(tmp_path / "aside")
        lost = client.ask_for_evaluation(EXPERT, "all", reactive=True).evaluation_id
        _wait_for(lambda: client.evaluation(lost).state is OperationState.FAILED)
        assert "not in the store" in client.evaluation(lost).message
        (tmp_path / "aside").rename(folder)
        assert client.ask_for_evaluation(EXPERT, "all", reactive=True).state is OperationState.RUNNING
        _wait_for(lambda: client.evaluation(lost).state is OperationState.DONE)


@pytest.mark.story
def test_a_training_is_stopped_when_told_to_and_goes_on_when_asked_for_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_judged_home(home)
    wanted = {
        "recipe": {"agents": 4, "roads": 4, "cloning": {"updates": 100_000, "updates_a_draw": 1, "evaluate_every": 1}}
    }
    with serving(home, compute="local") as served, served.client(Scope.OPERATOR) as client:
        asked = client.train_policy(wanted, idempotency_key="first")
        assert (asked.state, asked.policy) == (OperationState.RUNNING, None)
        assert client.train_policy(wanted, idempotency_key="first").policy_id == asked.policy_id
        client.stop_training(asked.policy_id)
        _wait_for(lambda: client.training(asked.policy_id).state is OperationState.FAILED)
        assert "was stopped; what it finished is kept" in client.training(asked.policy_id).message
        again = client.train_policy(wanted, idempotency_key="again")
        assert (again.policy_id, again.state) == (asked.policy_id, OperationState.RUNNING)
        client.stop_training(asked.policy_id)
        _wait_for(lambda: client.training(asked.policy_id).state is OperationState.FAILED)


def _wait_for(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.2)
