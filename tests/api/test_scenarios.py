"""Scenarios over HTTP: listed in pages, filtered, described, and drawn once."""

import io
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from PIL import Image

from al_platform.catalog.annotations import add_annotations
from al_platform.catalog.tasks import tasks_of
from al_platform.client import ServiceProblem
from al_platform.client.records import EventPrecisionRecord, TriageRecord
from al_platform.domain.access import Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.driving import policy_model
from al_platform.domain.rounds import Budget, Round, RoundSpec, StrategySpec
from al_platform.domain.triage import Triage, Verdict
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.rounds import prepare_round, run_one_round
from al_platform.platform.scenarios import generate_scenarios
from al_platform.platform.signing import signer_of
from sim.scenario import Sizes
from tests.al_platform.cli.conftest import Alp, alp
from tests.api.conftest import Served, serving
from tests.api.dashboard.conftest import PAGES, logged_in
from tests.fleet import settings_of
from tests.scenes import POLICY, keep_drivers, untrained

__all__ = ["alp"]

COUNT, PICKS = 4, 2
TARGETS = ("off_route", "action")
SIZES = Sizes(agents=64, steps=31, route_points=256, lanes=4, stops=4, roads=256, tiles=24, grid=20, listed=16)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a home with a few generated scenes, two of which a round picked."""
    home = tmp_path_factory.mktemp("driven") / "home"
    with open_platform(settings_of(home)) as platform:
        generate_scenarios(platform, COUNT, seed=0, sizes=SIZES)
        keep_drivers(platform, untrained(1))
        strategy = StrategySpec("random", guard=0.5)
        wanted = RoundSpec(policy_model(POLICY, TARGETS), "", "", TARGETS, Budget(PICKS), strategy)
        said_again(platform, run_one_round(platform, prepare_round(platform, wanted, pool="", test="", start=1)))
    with serving(home) as served:
        yield served


def said_again(platform: Platform, round_: Round) -> None:
    """People looked again: the first pick is a bad recording that shows no event, the second is good and shows one."""
    with platform.catalog.transaction() as tx:
        first, second = tasks_of(tx, round_.round_id)
        said = [
            Triage(first.item_id, Verdict.REJECT, "people", revision=2, events={"off_route": False}),
            Triage(second.item_id, Verdict.ACCEPT, "people", revision=2, events={"off_route": True}),
        ]
        add_annotations(tx, said, task_ids=[first.task_id, second.task_id], now=utc_now())


def test_pages_give_every_scenario_once(driven: Served) -> None:
    with driven.client(Scope.READER) as client:
        one_by_one = list(client.scenarios(page=1))
        assert one_by_one == list(client.scenarios())
        assert len({found.scenario_id for found in one_by_one}) == COUNT
        assert (client.count_scenarios().scenarios, client.count_scenarios("agents>=1000").scenarios) == (COUNT, 0)
        assert client.scenario(one_by_one[0].scenario_id) == one_by_one[0]
        assert one_by_one[0].origin == "generated/0/0"


def test_a_filter_gives_the_scenarios_that_it_matches(driven: Served) -> None:
    with driven.client() as client:
        first = next(iter(client.scenarios()))
        tagged = list(client.scenarios(f"{first.tags[0]}=1"))
        assert first in tagged
        assert all(first.tags[0] in found.tags for found in tagged)
        with pytest.raises(ServiceProblem, match="known"):
            list(client.scenarios("colour=blue"))


def test_pictures_are_drawn_once_and_not_sent_twice(driven: Served) -> None:
    with driven.client() as client, driven.http() as http:
        scenario_id = next(iter(client.scenarios())).scenario_id
        with Image.open(io.BytesIO(client.scenario_thumbnail(scenario_id))) as picture:
            assert (picture.format, picture.size) == ("PNG", (240, 240))
        assert client.scenario_thumbnail(scenario_id) == client.scenario_thumbnail(scenario_id)
        with Image.open(io.BytesIO(client.scenario_clip(scenario_id))) as clip:
            assert (clip.format, getattr(clip, "n_frames", 1)) == ("GIF", 11)
        address = f"/v1/scenarios/{scenario_id}/thumbnail"
        have = http.get(address).headers["etag"]
        assert http.get(address, headers={"If-None-Match": have}).status_code == 304
        with pytest.raises(ServiceProblem, match="not in the catalog"):
            client.scenario_thumbnail("scn_none")


def test_a_signed_address_shows_one_picture_of_one_scenario(driven: Served) -> None:
    links = PictureLinks(signer_of(driven.service.platform.settings.home))
    with driven.client() as client:
        first, second, *_ = (found.scenario_id for found in client.scenarios())
    address = links.scene(first, "above")
    assert httpx.get(driven.url + address).headers["content-type"] == "image/png"
    assert httpx.get(driven.url + address.replace(first, second)).status_code == 401
    assert httpx.get(driven.url + address.replace("above", "clip")).status_code == 401


def test_the_pages_show_every_scenario_and_each_one_alone(driven: Served) -> None:
    with driven.client() as client:
        found = list(client.scenarios())
    with logged_in(driven) as browser:
        text = browser.get(f"{PAGES}/scenarios").text
        assert all(f"{PAGES}/scenarios/{one.scenario_id}" in text for one in found)
        assert "No scenario matches" in browser.get(f"{PAGES}/scenarios?filter=agents>=1000").text
        assert browser.get(f"{PAGES}/scenarios?filter=colour=blue").status_code == 422
        alone = browser.get(f"{PAGES}/scenarios/{found[0].scenario_id}")
        assert found[0].origin in alone.text
        assert all(tag in alone.text for tag in found[0].tags)
        assert browser.get(f"{PAGES}/scenarios/scn_none").status_code == 404


def test_a_round_of_scenarios_shows_from_above_what_it_picked_and_why(driven: Served) -> None:
    with driven.client(Scope.READER) as client:
        (round_,) = client.rounds()
        picks = list(client.selections(round_.round_id))
    assert len(picks) == PICKS
    with logged_in(driven, Scope.READER) as browser:
        for asked, kind in (("", "image/png"), ("?moving=true", "image/gif")):
            text = browser.get(f"{PAGES}/rounds/{round_.round_id}{asked}").text
            pictures = [unescape(found) for found in re.findall(r'<img src="([^"]+)"', text)]
            assert len(pictures) == PICKS
            assert browser.get(pictures[0]).headers["content-type"] == kind
            for pick in picks:
                assert f"{PAGES}/scenarios/{pick.item_id}" in text
                assert f"picked for {pick.for_class}" in text
                assert f'<span class="badge low">{pick.rank + 1}</span>' in text
        assert f"{PAGES}/policies/{POLICY}" in text
        assert "Nothing was measured" in browser.get(f"{PAGES}/policies/{POLICY}").text
        assert f"{PAGES}/policies/{POLICY}" in browser.get(f"{PAGES}/policies").text


def test_what_people_said_of_a_round_is_told_by_its_page_the_service_and_the_command_line(
    driven: Served, alp: Alp
) -> None:
    with driven.client(Scope.READER) as client:
        (round_,) = client.rounds()
        said = client.triage(round_.round_id)
    assert said == TriageRecord(PICKS, 1, 1, 0, (EventPrecisionRecord("off_route", 1, 1, 0.5),))
    idle = "kept 0 scenarios away; idle: 0 verdicts, 0 of bad recordings; needs 20, 5 of either kind"
    with logged_in(driven, Scope.READER) as browser:
        text = re.sub(r"<[^>]+>|\s+", " ", browser.get(f"{PAGES}/rounds/{round_.round_id}").text)
    for shown in ("Told of 2 of 2", "Bad recordings 1", "Duplicates 0", "off route 1 1 50", idle):
        assert shown in re.sub(r"\s+", " ", text), shown
    printed = alp("--server", driven.url, "--key", driven.keys[Scope.READER], "round", "show", round_.round_id).out
    assert "triage of 2 scenarios: 1 accepted, 1 bad recordings, 0 duplicates\n  off_route: real in 1 of 2" in printed
    assert f"guard {idle}" in printed


def test_the_command_line_lists_and_shows_what_a_server_has(driven: Served, alp: Alp) -> None:
    server = ("--server", driven.url, "--key", driven.keys[Scope.READER])
    assert f"{COUNT} scenarios of {COUNT} sessions match" in alp(*server, "scenarios", "list").out
    with driven.client() as client:
        first = next(iter(client.scenarios()))
    assert first.origin in alp(*server, "scenarios", "show", first.scenario_id).out
