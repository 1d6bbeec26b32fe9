"""A real browser without a window: Debian's Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "chromium"
_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
_PATIENCE_MS = 120_000
"""For a loaded machine; nothing waits so long where it works."""


class NoBrowser(Exception):
    """There is none here; the message says how to have one."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser, and end it after the block.

    Raises: NoBrowser where it is not installed.
    """
    program = shutil.which(CHROMIUM)
    if program is None:
        raise NoBrowser("chromium is not installed: `apt-get install chromium` or run .ci/run")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser, *, width: int, height: int, scheme: str = "light", cookies: object = (), ours: bool = True
) -> Iterator[Page]:
    """A window of this size, "light" or "dark"; nothing may go wrong in it where its pages are ours."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two
    )
    context.set_default_timeout(_PATIENCE_MS)
    if cookies:
        context.add_cookies(cookies)  # type: ignore[arg-type]  # as another context gave them
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    try:
        yield page
    finally:
        context.close()
    assert not (ours and wrong), wrong
