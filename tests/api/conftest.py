"""A real server on a free loopback port, over a home of its own, and keys for every scope."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher

from al_platform.client import Client
from al_platform.domain.access import Scope
from al_platform.platform.access import FIRST_START, KeyRing
from al_platform.platform.home import open_platform
from al_platform.platform.service import Service, running_service
from al_platform.settings import ServiceSettings, Settings
from api.app import create_app
from tests.fleet import CLASSES, MEMBERS, POOL, START, STEPS, TARGETS, TEST, settings_of

ROUND = {
    "pool": POOL,
    "test": TEST,
    "targets": list(TARGETS),
    "classes": list(CLASSES),
    "members": MEMBERS,
    "image": {"width": 192, "height": 128, "cell": 16},
    "start": START,
    "budget": {"frames": 6},
    "settings": {"steps": STEPS, "projection": 16, "hidden": 8},
}
"""The body of the round that `tests.fleet.round_spec` specifies."""

GENEROUS = ServiceSettings(requests_per_second=1e6, burst=1_000_000, failures_per_minute=1_000_000)


@dataclass(frozen=True)
class Served:
    """A running server, what lies behind it, and a key of each scope."""

    url: str
    service: Service
    keys: dict[Scope, str]

    def http(self, scope: Scope | None = Scope.ADMIN) -> httpx.Client:
        """Give connections with the key of a scope, None for no key; not to be closed by hand."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60.0)

    def client(self, scope: Scope = Scope.ADMIN) -> Client:
        """Give the typed client with the key of a scope."""
        return Client(self.url, key=self.keys[scope])


@contextmanager
def serving(
    home: Path,
    service_settings: ServiceSettings = GENEROUS,
    *,
    settings: Settings | None = None,
    port: int = 0,
    compute: str = "inline",
) -> Iterator[Served]:
    """Serve a home by uvicorn in a thread, on any free port or this one, until the block ends."""
    with (
        open_platform(settings or settings_of(home), compute=compute) as platform,
        running_service(platform) as service,
    ):
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        makers = KeyRing(platform.catalog, writing=service.writing, hasher=cheap)
        keys = {scope: makers.make(f"the {scope}", scope, actor=FIRST_START)[1] for scope in Scope}
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            port = listener.getsockname()[1]
            config = uvicorn.Config(create_app(service, service_settings), log_config=None, access_log=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                while not server.started:
                    assert thread.is_alive()
                    time.sleep(0.01)
                yield Served(f"http://127.0.0.1:{port}", service, keys)
            finally:
                server.should_exit = True
                thread.join()


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    """A server over a home of the test's own."""
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def shared(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a module that change nothing another would see."""
    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("shared") / "home"))
    with serving(home) as running:
        yield running
