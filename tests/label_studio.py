"""A real Label Studio server for tests: installed once per machine, started from a template, stopped by its own id."""

import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

VERSION = "1.23.2"
CACHE = Path.home() / ".cache" / "al-platform-tests" / f"label-studio-{VERSION}"
USER, PASSWORD, TOKEN = "annotator@example.org", "correct-horse-battery", "a" * 40
START_S, STOP_S = 900.0, 30.0
"""The very first start makes the database, which takes minutes on a busy machine."""


class CannotInstall(Exception):
    """The server cannot be installed here; the message says why."""


@dataclass
class Server:
    """One server with its own data; it can be killed and started again on the same port."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def http(self) -> httpx.Client:
        """What an annotator's browser would use."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Token {TOKEN}"},
            timeout=120.0,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        require_free(self.port)
        command = [
            str(CACHE / "venv" / "bin" / "label-studio"),
            "start",
            "--no-browser",
            "--internal-host",
            "127.0.0.1",
        ]
        command += ["--port", str(self.port), "--enable-legacy-api-token", "--log-level", "WARNING"]
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=_environment(self.data), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Label Studio did not start: {(self.data / 'server.log').read_text()[-2000:]}")
            time.sleep(0.3)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it; SIGKILL leaves it no time to finish anything."""
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def ask(self, method: str, path: str, body: object = None, **parameters: Any) -> Any:
        """Ask the server something that must succeed."""
        response = self.http.request(method, path, json=body, params=parameters)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return response.json() if response.content else None

    def tasks(self, queue: str) -> list[dict[str, Any]]:
        """All tasks of a queue's projects, oldest first."""
        return [task for project in self.projects(queue) for task in self.export(project["id"])]

    def export(self, project_id: int) -> list[dict[str, Any]]:
        """All tasks of a project."""
        found = self.ask("GET", f"/api/projects/{project_id}/export", exportType="JSON", download_all_tasks="true")
        return sorted(found, key=lambda task: task["id"])

    def projects(self, queue: str) -> list[dict[str, Any]]:
        """The projects of a queue, oldest first."""
        found = self.ask("GET", "/api/projects", page_size=1000)["results"]
        return sorted((its for its in found if f"Queue {queue} of" in its["description"]), key=lambda its: its["id"])

    def annotate(self, task_id: int, result: Sequence[Mapping[str, Any]], **more: Any) -> int:
        """Label a task as an annotator would; gives the annotation's id."""
        body = {"result": list(result), "lead_time": 7.5, **more}
        return int(self.ask("POST", f"/api/tasks/{task_id}/annotations", body)["id"])

    def change(self, annotation_id: int, **changes: Any) -> None:
        """Change an annotation that is there."""
        self.ask("PATCH", f"/api/annotations/{annotation_id}", changes)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5.0).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def running_server(data: Path) -> Iterator[Server]:
    """Give a server with fresh data below `data`.

    Raises: CannotInstall.
    """
    template = ensure_template()
    shutil.copytree(template, data)
    server = Server(data, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ensure_template() -> Path:
    """Give a data folder of a server that was started once, installing and starting it where nobody has.

    Raises: CannotInstall with the installer's words.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    template = CACHE / "template"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "installed").exists():
            _install()
            (CACHE / "installed").touch()
        if not template.is_dir():
            _make_template(template)
    return template


def free_port() -> int:
    """Give a port that nobody listens on; the server would silently take another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """Refuse a port that somebody listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _install() -> None:
    uv = _uv()
    python = CACHE / "venv" / "bin" / "python"
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    _run([*uv, "venv", "--quiet", "--clear", "--python", base, str(CACHE / "venv")])
    _run([*uv, "pip", "install", "--quiet", "--python", str(python), f"label-studio=={VERSION}"])


def _uv() -> list[str]:
    local = Path(__file__).parents[1] / ".uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(local) if local.exists() else None)
    if found is None and importlib.util.find_spec("uv") is None:
        raise CannotInstall("uv is neither on the path nor in .uv: `make dev-env` fetches it")
    return [found] if found else [sys.executable, "-m", "uv"]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall(f"{' '.join(command[:4])} ... failed: {done.stderr.strip()[-500:]}")


def _make_template(template: Path) -> None:
    unfinished = template.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    server = Server(unfinished, free_port())
    try:
        server.start()
    finally:
        server.stop()
    unfinished.rename(template)


def _environment(data: Path) -> dict[str, str]:
    files = data / "files"
    files.mkdir(exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LABEL_STUDIO_", "PYTHON"))},
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_USERNAME": USER,
        "LABEL_STUDIO_PASSWORD": PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": TOKEN,
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files),
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "COLLECT_ANALYTICS": "false",
        "SSRF_PROTECTION_ENABLED": "false",
    }
