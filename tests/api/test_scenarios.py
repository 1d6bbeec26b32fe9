"""Scenarios over HTTP: listed in pages, filtered, described, and drawn once."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from al_platform.client import ServiceProblem
from al_platform.domain.access import Scope
from al_platform.platform.home import open_platform
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.scenarios import generate_scenarios
from al_platform.platform.signing import signer_of
from sim.scenario import Sizes
from tests.al_platform.cli.conftest import Alp, alp
from tests.api.conftest import Served, serving
from tests.api.dashboard.conftest import PAGES, logged_in
from tests.fleet import settings_of

__all__ = ["alp"]

COUNT = 4
SIZES = Sizes(agents=64, steps=31, route_points=256, lanes=4, stops=4, roads=256, tiles=24, grid=20, listed=16)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a home with a few generated scenes."""
    home = tmp_path_factory.mktemp("driven") / "home"
    with open_platform(settings_of(home)) as platform:
        generate_scenarios(platform, COUNT, seed=0, sizes=SIZES)
    with serving(home) as served:
        yield served


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


def test_the_command_line_lists_and_shows_what_a_server_has(driven: Served, alp: Alp) -> None:
    server = ("--server", driven.url, "--key", driven.keys[Scope.READER])
    assert f"{COUNT} scenarios of {COUNT} sessions match" in alp(*server, "scenarios", "list").out
    with driven.client() as client:
        first = next(iter(client.scenarios()))
    assert first.origin in alp(*server, "scenarios", "show", first.scenario_id).out
