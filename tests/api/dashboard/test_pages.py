"""Every page shows what there is, and nothing that data says becomes part of a page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from al_platform.domain.access import Scope
from tests.api.conftest import Served
from tests.api.dashboard.conftest import EXPERIMENT, HOSTILE, PAGES, Seeded, logged_in, post
from tests.as_if_judged import CLONED, PRACTISED

EVERYWHERE = (
    "/",
    "/rounds",
    "/pool",
    "/pool/map",
    "/scenarios",
    "/policies",
    "/policies/licences",
    "/learning",
    "/datasets",
    "/models",
    "/annotators",
    "/new-round",
)
UNLABELLED = ("hidden", "submit", "button")


class Page(HTMLParser):
    """What an accessibility check asks of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open_labels = 0
        self.inside_label: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        self._open_labels += tag == "label"
        if self._open_labels:
            self.inside_label.append(found)

    def handle_endtag(self, tag: str) -> None:
        self._open_labels -= tag == "label"

    def of(self, *names: str) -> list[dict[str, str]]:
        return [found for tag, found in self.tags if tag in names]


def seeded_places(seeded: Seeded) -> list[str]:
    round_ = seeded.round
    first = f"/frames/{seeded.frame_id}"
    return [
        *EVERYWHERE,
        f"/rounds/{round_.round_id}",
        f"/rounds/{round_.round_id}?overlay=car",
        f"/rounds/{round_.round_id}/live",
        f"/rounds/{round_.round_id}/yield",
        f"/rounds/{round_.round_id}/twins",
        first,
        f"/similar?like={seeded.frame_id}",
        f"/learning/{EXPERIMENT}",
        f"/lineage/{round_.dataset_version_id}",
        f"/lineage/{round_.ensemble_id}",
        f"/annotators?round_id={round_.round_id}",
        "/pool?colour=split",
        *seeded.judged.all,
    ]


@pytest.mark.parametrize("place", EVERYWHERE)
def test_every_page_of_an_empty_home_says_what_is_missing(empty: Served, place: str) -> None:
    with logged_in(empty) as browser:
        answer = browser.get(PAGES + place)
    assert answer.status_code == 200
    if place not in ("/pool", "/new-round"):
        assert 'class="empty"' in answer.text


def test_a_page_is_asked_for_anew_where_its_round_rests_and_the_page_has_not_seen_it(seeded: Seeded) -> None:
    live = f"{PAGES}/rounds/{seeded.round.round_id}/live"
    with logged_in(seeded.served, Scope.READER) as browser:
        assert browser.get(live, params={"seen": "running"}).headers["hx-refresh"] == "true"
        assert "hx-refresh" not in browser.get(live, params={"seen": "appended"}).headers


def pages_of(seeded: Seeded) -> Iterator[tuple[str, str]]:
    with logged_in(seeded.served, Scope.ADMIN) as browser:
        for place in seeded_places(seeded):
            answer = browser.get(PAGES + place)
            assert answer.status_code == 200, (place, answer.text)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'self';")
            assert "unsafe" not in policy
            yield place, answer.text


def test_every_page_shows_names_as_text_runs_no_script_of_its_own_and_labels_every_field(seeded: Seeded) -> None:
    shown = 0
    for place, text in pages_of(seeded):
        assert "<img src=x" not in text, place
        shown += "&lt;img src=x onerror=alert(1)&gt;" in text
        page = Page(text)
        assert not [found for found in page.of("script") if "src" not in found], place
        assert not page.of("style"), place
        for tag, found in page.tags:
            assert "style" not in found, (place, tag, found)
            assert not [name for name in found if name.startswith(("on", "hx-on"))], (place, tag)
        for found in page.of("img"):
            assert "alt" in found, place
        named = {found["for"] for found in page.of("label") if "for" in found}
        for found in page.of("input", "select", "textarea"):
            labelled = found.get("id") in named or found in page.inside_label
            assert labelled or found.get("type") in UNLABELLED, (place, found)
        for found in page.of("form"):
            assert found.get("method") in ("get", "post"), place
        identities = [found["id"] for _, found in page.tags if "id" in found]
        assert len(identities) == len(set(identities)), place
    assert shown > 4


def test_every_link_of_a_page_leads_somewhere(seeded: Seeded) -> None:
    links = {
        found["href"].replace("&amp;", "&")
        for _, text in pages_of(seeded)
        for found in Page(text).of("a")
        if found.get("href", "").startswith(PAGES)
    }
    assert len(links) > 60
    with logged_in(seeded.served, Scope.ADMIN) as browser:
        for link in sorted(links):
            answer = browser.get(link, follow_redirects=True)
            assert answer.status_code == 200, link


def test_the_gallery_tells_why_each_frame_was_picked_and_its_pictures_can_be_had(seeded: Seeded) -> None:
    with logged_in(seeded.served, Scope.READER) as browser:
        text = browser.get(f"{PAGES}/rounds/{seeded.round.round_id}").text
        pictures = [found["src"] for found in Page(text).of("img")]
        assert sum("/pictures/blob/" in picture for picture in pictures) == 6
        heatmaps = [picture for picture in pictures if "/pictures/heatmap/" in picture]
        assert len(heatmaps) == 5  # one pick of six is control, which no class was asked for
        for picture in pictures:
            answer = browser.get(picture)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("image/")
            again = browser.get(picture, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert "drawn by the seed" in text
        assert re.search(r"<b>(person|bicycle)</b> <span class=\"score\"", text)
        without = browser.get(f"{PAGES}/rounds/{seeded.round.round_id}?overlay=").text
        assert "/pictures/heatmap/" not in without


def test_the_pages_of_policies_tell_rank_interval_licence_reason_and_show_both_side_by_side(seeded: Seeded) -> None:
    judged = seeded.judged
    with logged_in(seeded.served, Scope.READER) as browser:
        board = browser.get(f"{PAGES}/policies/suites/{judged.suite_id}").text
        assert re.search(r"100.0\W%.{0,8}\(0.0 to 100.0\)", board)
        assert board.index("expert") < board.index(f"/policies/{CLONED}")
        assert board.count('class="interval"') == 2
        assert ">anybody<" in board
        assert "<form" not in board.partition("<main")[2]  # a reader asks for nothing
        comparison = browser.get(f"{PAGES}/policies/comparisons/{judged.comparison}").text
        assert "is worse than" in comparison
        (clip,) = [found["src"] for found in Page(comparison).of("img")]
        answer = browser.get(clip)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        licences = browser.get(f"{PAGES}/policies/licences").text
        assert "failure: 100.00 % of 1 scenarios, surely at most 100.00 %; asked is 10.00 %" in licences
        alone = browser.get(f"{PAGES}/policies/{PRACTISED}").text
        assert "its parent" in alone
        assert f"/policies/{CLONED}" in alone


def test_an_operator_asks_by_form_and_reads_what_is_wrong_with_it(seeded: Seeded) -> None:
    judged = seeded.judged
    with logged_in(seeded.served) as browser:
        answer = post(browser, f"/policies/suites/{judged.suite_id}/compare", {"before": "expert", "after": CLONED})
        assert answer.headers["location"] == f"{PAGES}/policies/comparisons/{judged.comparison}"
        for place, fields, said in (
            (f"/policies/suites/{judged.suite_id}/compare", {"before": "expert", "after": "expert"}, "with itself"),
            (f"/policies/suites/{judged.suite_id}/evaluate", {"policy": "pol_none"}, "not in the catalog"),
            ("/policies/licences", {"policy": CLONED, "name": "none"}, "was never decided on"),
            ("/policies/suites", {"name": "nothing", "filter": "agents>=1000", "form_id": "1"}, "no scenario matches"),
        ):
            answer = post(browser, place, fields)
            assert (answer.status_code, said in answer.text) == (422, True), answer.text
        answer = post(browser, "/policies/licences", {"policy": CLONED, "name": "anybody"})
        assert answer.headers["location"] == f"{PAGES}/policies/licences"


def test_a_filter_that_does_not_parse_is_said_on_the_page(seeded: Seeded) -> None:
    with logged_in(seeded.served, Scope.READER) as browser:
        answer = browser.get(f"{PAGES}/pool", params={"filter": "colour='<b>'"})
        assert answer.status_code == 422
        assert "no frame carries it" in answer.text
        assert "<b>" not in answer.text.partition('role="alert"')[2].partition("</p>")[0]
        answer = browser.get(f"{PAGES}/pool", params={"filter": HOSTILE})
        assert answer.status_code == 422
        assert "write NAME=A|B" in answer.text
        assert "<img src=x" not in answer.text
        assert browser.get(f"{PAGES}/pool", params={"filter": "split=pool"}).text.count('class="picture"') == 24


def test_what_is_not_there_is_a_page_that_says_so(seeded: Seeded) -> None:
    with logged_in(seeded.served, Scope.READER) as browser:
        for place in ("/rounds/rnd_none", "/frames/none", "/lineage/none", "/learning/none", "/policies/none", "/none"):
            answer = browser.get(PAGES + place)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), place
            assert "To the overview" in answer.text
        assert browser.get(f"{PAGES}/pool?cursor=nonsense").status_code == 422
        assert browser.get(f"{PAGES}/datasets?limit=0").status_code == 422


def test_the_whole_report_may_load_nothing(seeded: Seeded) -> None:
    with logged_in(seeded.served, Scope.READER) as browser:
        answer = browser.get(f"{PAGES}/learning/{EXPERIMENT}/report")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_static_files_are_our_own_and_there(empty: Served) -> None:
    with logged_in(empty) as browser:
        text = browser.get(f"{PAGES}/").text
        for place in re.findall(r'(?:href|src)="(/dashboard/static/[^"]+)"', text):
            assert browser.get(place).status_code == 200
        assert not re.search(r'(?:href|src)="(?:https?:)?//', text)
