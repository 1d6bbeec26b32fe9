"""Our pages as people use them: the way in, the forms, and what holds for every page in every window."""

import re
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.fleet import CLASSES, IMAGE, MEMBERS, POOL, SETTINGS, START, TARGETS, TEST

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
"""The round of `tests.fleet.round_spec`, by the labels of its fields."""
WIDTHS = (1280, 390)
LOOKS = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
PAGES = ("Overview", "Loops", "Pool", "Scenarios", "Learning curves", "Datasets", "Models", "Annotators")

WITHOUT_NAME = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
    .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim() ||
                     one.querySelector('img[alt], [aria-label], title')))
    .map(one => one.outerHTML)"""
"""Fields, buttons and links that a screen reader could not name."""

COMPUTED_MS = 900_000
"""How long may be trained and scored on a loaded machine; nothing waits so long where it works."""

TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


def log_in(page: Page, url: str, key: str) -> None:
    """Come in with a key."""
    page.goto(f"{url}/dashboard/")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def fill(page: Page, fields: Mapping[str, str]) -> None:
    """Write into the fields of these labels."""
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)


def looked_at(page: Page) -> None:
    """What holds for every page in every window."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate(WITHOUT_NAME) == []
    assert not page.evaluate(TOO_WIDE), page.url
    assert page.locator("main h1").count() == 1


def pictured(page: Page, path: Path) -> None:
    """Look at a page in every width, and keep pictures of it: `path`, the width, `.png`."""
    usual = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        looked_at(page)
        page.screenshot(path=f"{path}-{width}.png", full_page=True)
    assert usual is not None
    page.set_viewport_size(usual)


def visit_all(page: Page, url: str) -> None:
    """Go through all pages, and to the newest round and loop."""
    page.goto(f"{url}/dashboard/")
    for name in PAGES:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")).to_have_text(name)
        looked_at(page)
    page.goto(f"{url}/dashboard/")
    page.get_by_role("link", name=re.compile("^rnd_")).first.click()
    expect(page.locator("#gallery li").first).to_be_visible()
    looked_at(page)


def require_drawn(page: Page) -> None:
    """Every picture of the gallery is there, once it is scrolled to."""
    for image in page.locator("#gallery img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("one => one.naturalWidth") > 0
