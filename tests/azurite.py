"""Azurite, the emulator of Azure Blob storage, as a process of its own on a free port of this machine."""

import fcntl
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALLED = Path(__file__).parents[1] / ".azurite"
"""Where npm keeps it; ignored by git, removed by `make clean`."""

VERSION = "3.35.0"
CONTAINER = "frames"

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's own, the same everywhere and in its manual; it opens nothing else."""

_START_S = 60.0


class NoAzurite(Exception):
    """It cannot be installed here; the message says why."""


@contextmanager
def azurite_running() -> Iterator[str]:
    """Install Azurite where it is missing, run it, and give a connection string to it.

    Raises: NoAzurite where npm is missing or cannot install it.
    """
    program = _installed()
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        command = [str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder]
        flags = ["--silent", "--disableTelemetry", "--disableProductStyleUrl", "--skipApiVersionCheck"]
        process = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield (
                f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
                f"BlobEndpoint=http://127.0.0.1:{port}/{_ACCOUNT};"
            )
        finally:
            process.terminate()
            process.wait()


def make_container(connection: str) -> None:
    """Make the container that tests write to."""
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415  of the extra `azure`

    with BlobServiceClient.from_connection_string(connection) as client:
        client.create_container(CONTAINER)


def _installed() -> Path:
    npm, program = shutil.which("npm"), INSTALLED / "node_modules" / ".bin" / "azurite-blob"
    if npm is None:
        raise NoAzurite("npm is not on the path: install Node.js to run the tests against Azure storage")
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(INSTALLED), f"azurite@{VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NoAzurite(f"npm could not install azurite {VERSION}: {done.stderr.strip()[-300:]}")
    return program


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


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
    raise NoAzurite(f"azurite on port {port} did not answer within {_START_S:.0f} s")
