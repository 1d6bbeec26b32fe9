"""The pages as people use them, in a real browser: by mouse and keyboard, light and dark, wide and narrow."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from al_platform.domain.access import Scope
from tests.api.conftest import Served, serving
from tests.browser import NoBrowser, chromium, window
from tests.fleet import CLASSES, IMAGE, MEMBERS, POOL, SETTINGS, START, TARGETS, TEST

pytestmark = pytest.mark.story

WIDTH, HEIGHT, _ = re.split(r"\D", IMAGE)
FORM = {
    "Pool": POOL,
    "Frozen test set": TEST,
    "Targets": ",".join(TARGETS),
    "Classes of the model": ",".join(CLASSES),
    "Frames to label": "6",
    "Frames of the start set": str(START),
    "Members": str(MEMBERS),
    "Image width, px": WIDTH,
    "Image height, px": HEIGHT,
    "Settings": ",".join(SETTINGS),
}
LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
PAGES = ("Overview", "Loops", "Pool", "Scenarios", "Learning curves", "Datasets", "Models", "Annotators")

WITHOUT_NAME = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
    .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim() ||
                     one.querySelector('img[alt], [aria-label], title')))
    .map(one => one.outerHTML)"""
"""Fields, buttons and links that a screen reader could not name."""

TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    """A server over a home of the test's own."""
    with serving(home) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser; the test is skipped, with the reason, where there is none."""
    try:
        with chromium() as running:
            yield running
    except NoBrowser as reason:
        pytest.skip(f"no browser: {reason}")


def log_in(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/dashboard/")
    page.get_by_label("API key").fill(served.keys[Scope.OPERATOR])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def submit_round(page: Page) -> None:
    page.get_by_role("link", name="New round", exact=True).click()
    for label, value in FORM.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_text("60 frames of 12 sessions")).to_be_visible()
    page.get_by_role("button", name="Submit round").click()


def require_drawn(page: Page) -> None:
    """Every picture of the gallery is there, once it is scrolled to."""
    for image in page.locator("#gallery img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("one => one.naturalWidth") > 0


def looked_at(page: Page) -> None:
    """What holds for every page in every window."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate(WITHOUT_NAME) == []
    assert not page.evaluate(TOO_WIDE), page.url
    assert page.locator("main h1").count() == 1


def test_a_round_is_asked_for_watched_looked_at_and_more_like_it_is_sent_to_a_queue(
    served: Served, browser: Browser
) -> None:
    with window(browser, width=1280, height=900, scheme="light") as page:
        log_in(page, served)
        submit_round(page)
        expect(page.locator("#live .state.appended")).to_be_visible()
        expect(page).to_have_url(re.compile("/rounds/rnd_"))
        expect(page.get_by_text("Hard negatives")).to_be_visible()
        cards = page.locator("#gallery li")
        expect(cards).to_have_count(6)
        expect(page.locator("#gallery img.heat")).to_have_count(6)
        page.get_by_role("navigation", name="Disagreement").get_by_role("link", name="car").click()
        expect(page).to_have_url(re.compile("overlay=car"))
        expect(page.locator("#gallery img.heat[src*='class=car']")).to_have_count(6)
        require_drawn(page)
        page.get_by_role("navigation", name="Disagreement").get_by_role("link", name="off").click()
        expect(page.locator("#gallery img.heat")).to_have_count(0)
        looked_at(page)
        cards.first.get_by_role("link", name="more like this").click()
        page.locator("fieldset.vote").nth(1).get_by_label("like", exact=True).check()
        page.locator("fieldset.vote").nth(2).get_by_label("unlike").check()
        page.get_by_role("button", name="Search again").first.click()
        expect(page.locator("li.like")).to_have_count(2)
        expect(page.locator("li.unlike")).to_have_count(1)
        page.get_by_label("Queue").fill("alike")
        page.get_by_role("button", name="Send what is marked alike").click()
        expect(page.locator("#live .state.appended")).to_be_visible()
        expect(page.get_by_text("alike, offline")).to_be_visible()
        cookies = page.context.cookies()
    for width, scheme in LOOKS:
        with window(browser, width=width, height=844, scheme=scheme, cookies=cookies) as page:
            visit_all(page, served)


def visit_all(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/dashboard/")
    for name in PAGES:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")).to_have_text(name)
        looked_at(page)
    page.goto(f"{served.url}/dashboard/")
    page.get_by_role("link", name=re.compile("^rnd_")).first.click()
    expect(page.locator("#gallery li").first).to_be_visible()
    looked_at(page)


def test_everything_can_be_reached_by_the_keyboard(served: Served, browser: Browser) -> None:
    with window(browser, width=1280, height=900, scheme="light") as page:
        log_in(page, served)
        page.goto(f"{served.url}/dashboard/pool")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Filter")).to_be_focused()
        page.keyboard.type("split=test")
        page.keyboard.press("Enter")
        expect(page.locator(".counts")).to_contain_text("20 frames")
        page.get_by_role("button", name="Log out").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label("API key")).to_be_focused()
