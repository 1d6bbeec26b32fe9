"""PostgreSQL as a process of its own on a free port of this machine, by nobody who could harm it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_START_S = 60.0
_USERS = ("postgres", "nobody")
"""Who runs it where the tests are run by root, whom it refuses."""


class NoPostgres(Exception):
    """It is not installed here; the message says how to change that."""


@contextmanager
def postgres_running() -> Iterator[str]:
    """Run a server over a new, empty cluster and give the address of its database.

    Raises: NoPostgres.
    """
    programs, user = _programs(), _user()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        cluster, port = folder / "cluster", _free_port()
        _run([str(programs / "initdb"), "--no-sync", "--auth=trust", "--username=alp", str(cluster)], user)
        options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(cluster), *options], user=user, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port, process)
            yield f"postgresql://alp@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    for place in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (place / "initdb").exists():
            return place
    found = shutil.which("initdb")
    if found is None:
        raise NoPostgres("initdb is neither below /usr/lib/postgresql nor on the path: apt-get install postgresql")
    return Path(found).parent


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


def _run(command: Sequence[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPostgres(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when the port answers."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise NoPostgres(f"PostgreSQL on port {port} did not answer within {_START_S:.0f} s")
