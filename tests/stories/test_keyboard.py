"""The pages without a mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from al_platform.domain.access import Scope
from tests.api.conftest import Served, serving
from tests.browser import window
from tests.stories.pages import log_in

pytestmark = pytest.mark.story


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    """A server over a home of the test's own."""
    with serving(home) as running:
        yield running


def test_everything_can_be_reached_by_the_keyboard(served: Served, browser: Browser) -> None:
    with window(browser, width=1280, height=900) as page:
        log_in(page, served.url, served.keys[Scope.OPERATOR])
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
