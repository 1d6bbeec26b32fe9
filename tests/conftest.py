"""Shared by all tests: where the real recordings lie, and a small home that every test gets a copy of."""

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from al_platform.domain.hashing import hash_bytes
from tests.azurite import CONTAINER, NoAzurite, azurite_running, make_container

if TYPE_CHECKING:
    from al_platform.platform.home import Platform
    from tests.label_studio import Server

REAL_DATA = Path(os.environ.get("ALP_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_configure() -> None:
    """Keep what XLA compiles for the session, where every test and every process that a test starts finds it.

    A folder that the environment names is used instead, and stays. Not the homes' own: tests throw those away.
    """
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # workers are told by the process that starts them
        os.environ["JAX_COMPILATION_CACHE_DIR"] = mkdtemp(prefix="compiled-")
        atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    from al_platform.platform.compiled import keep_compiled  # noqa: PLC0415  jax is told by the environment

    keep_compiled(Path(os.environ["JAX_COMPILATION_CACHE_DIR"]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None and item.get_closest_marker("story") is None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings; the test is skipped, with the reason, where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real recordings not found at {REAL_DATA}: set ALP_REAL_DATA to their folder")
    return REAL_DATA


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """A connection string to an emulated Azure account with a container; skipped, with the reason, without npm."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(azurite_running())
        except NoAzurite as reason:
            pytest.skip(f"no Azure storage to test against: {reason}")
        make_container(connection)
        yield connection


@pytest.fixture
def azure_url(azurite: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty place of the test's own in it, reached as users reach theirs: by the environment."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite)
    return f"az://{CONTAINER}/{hash_bytes(str(tmp_path).encode())}"


@pytest.fixture(scope="session")
def fleet_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The home of `tests.fleet`, made once for all workers; nobody writes to it."""
    from tests.fleet import make_home  # noqa: PLC0415  what needs jax is imported by the tests that need it

    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    home = shared / "fleet"
    with (shared / "fleet.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            make_home(shared / "unfinished-fleet")
            (shared / "unfinished-fleet").rename(home)
    return home


@pytest.fixture
def home(fleet_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own."""
    return Path(shutil.copytree(fleet_home, tmp_path / "home"))


@pytest.fixture
def platform(home: Path) -> "Iterator[Platform]":
    """The test's own home, open."""
    from al_platform.platform.home import open_platform  # noqa: PLC0415
    from tests.fleet import settings_of  # noqa: PLC0415

    with open_platform(settings_of(home)) as opened:
        yield opened


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Server]":
    """A running Label Studio; the tests that want it are skipped, with the reason, where it cannot be installed."""
    from tests.label_studio import CannotInstall, running_server  # noqa: PLC0415

    try:
        with running_server(tmp_path_factory.mktemp("label-studio") / "data") as server:
            yield server
    except CannotInstall as error:
        pytest.skip(f"Label Studio cannot be installed: {error}")
