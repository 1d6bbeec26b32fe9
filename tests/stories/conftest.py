"""What stories are told with: a browser, and PostgreSQL where services find it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser import NoBrowser, chromium
from tests.postgres import NoPostgres, postgres_running


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser; the test is skipped, with the reason, where there is none."""
    try:
        with chromium() as running:
            yield running
    except NoBrowser as reason:
        pytest.skip(f"no browser: {reason}")


@pytest.fixture
def workflows(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a PostgreSQL that services find in their environment; skipped, with the reason, without one."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres_running())
        except NoPostgres as reason:
            pytest.skip(f"no PostgreSQL to test against: {reason}")
        monkeypatch.setenv("ALP_WORKFLOWS_URL", url)
        yield url
