"""A server that is down, slow, wrong or refuses us: the reason is told, and a later try goes on."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from al_platform.errors import LabelingUnavailable
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_config import frame_config
from tests.al_platform.labeling.label_studio_tasks import CLASSES, tasks, tool
from tests.label_studio import free_port

Reply = tuple[int, str]
PERSONAL = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln"


@contextmanager
def server(reply: Callable[[BaseHTTPRequestHandler], Reply]) -> Iterator[str]:
    """A real HTTP server that answers what `reply` says; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            status, body = reply(self)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815  so the library wants them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


PROJECTS = json.dumps({"next": None, "results": []})


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ((500, "oops"), r"answered GET /api/projects with 500: 'oops'"),
        ((503, ""), "with 503"),
        ((404, "<html>"), "with 404"),
        ((200, "<html>welcome"), r"with what it should not \(no JSON\): '<html>welcome'"),
        ((200, "[1, 2]"), "with what it should not"),
        ((200, '{"next": null, "results": [{"id": "one"}]}'), r"\d fields are wrong"),
        ((200, '{"results": NaN}'), "with what it should not"),
        ((401, "{}"), "refuses the token .* set ALP_LABEL_STUDIO_TOKEN"),
        ((403, "{}"), "refuses the token"),
    ],
)
def test_an_answer_that_is_none_is_told_and_the_tasks_wait(reply: Reply, told: str) -> None:
    with server(lambda request: reply) as url:
        for ask in (lambda it: it.send(tasks("a", 1)), lambda it: list(it.collect(tasks("a", 1)))):
            with pytest.raises(LabelingUnavailable, match=told) as raised:
                ask(tool(url, "token", "queue"))
            assert "nothing is lost" in str(raised.value)
            assert "token-" not in str(raised.value)


def test_a_server_that_is_down_is_told() -> None:
    with pytest.raises(LabelingUnavailable, match=r"http://127.0.0.1:\d+: cannot be reached"):
        tool(f"http://127.0.0.1:{free_port()}", "token", "queue").send(tasks("a", 1))


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(LabelingUnavailable, match="cannot be reached"):
        tool("http://[nowhere", "token", "queue").send(tasks("a", 1))


def test_a_server_that_does_not_answer_in_time_is_told() -> None:
    let_go = threading.Event()

    def wait(request: BaseHTTPRequestHandler) -> Reply:
        let_go.wait()
        return 500, ""

    with server(wait) as url:
        with pytest.raises(LabelingUnavailable, match=r"did not answer GET /api/projects in 0.2 s"):
            tool(url, "token", "queue", timeout_s=0.2).send(tasks("a", 1))
        let_go.set()


def test_a_connection_that_breaks_in_the_middle_of_an_answer_is_told() -> None:
    def break_off(request: BaseHTTPRequestHandler) -> Reply:
        request.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        return 200, ""

    with server(break_off) as url, pytest.raises(LabelingUnavailable, match="cannot be reached"):
        tool(url, "token", "queue").send(tasks("a", 1))


def test_a_config_that_someone_cut_down_is_told_and_nothing_is_sent() -> None:
    keys: list[str] = []
    made: list[str] = []

    def reply(request: BaseHTTPRequestHandler) -> Reply:
        if request.command == "POST":
            made.append(request.path)
            return 500, ""
        project = {"id": 4, "title": "main", "label_config": "<View/>", "description": f"found by key {keys[0]}: x"}
        return 200, json.dumps({"next": None, "results": [project]})

    with server(reply) as url:
        sender = tool(url, "token", "queue")
        keys.extend(queue.key for queue in sender._by_queue(tasks("a", 1)))
        with pytest.raises(LabelingUnavailable, match=r"project 4 \(main\): its config lacks .* put it back under"):
            sender.send(tasks("a", 1))
        assert not made


def test_an_export_that_a_job_queue_makes_is_waited_for_and_one_that_failed_is_told() -> None:
    keys, states = list[str](), ["in_progress", "completed", "failed"]

    def reply(request: BaseHTTPRequestHandler) -> Reply:
        if request.command == "DELETE":
            return 204, ""
        if request.path.startswith("/api/dm/views"):
            return 201, '{"id": 1, "data": {}}'
        if "/download" in request.path:
            return 200, "[]"
        if "/exports" in request.path:
            return 200, json.dumps({"id": 2, "status": states.pop(0)})
        config = frame_config(CLASSES)
        project = {"id": 4, "title": "main", "label_config": config, "description": f"found by key {keys[0]}: x"}
        return 200, json.dumps({"next": None, "results": [project]})

    with server(reply) as url:
        reader = tool(url, "token", "queue")
        keys.extend(queue.key for queue in reader._by_queue(tasks("a", 1)))
        assert not list(reader.collect(tasks("a", 1), since="2026-01-01T00:00:00.000000Z"))
        with pytest.raises(LabelingUnavailable, match="export 2 of project 4 is failed; the tasks wait"):
            list(reader.collect(tasks("a", 1), since="2026-01-01T00:00:00.000000Z"))


def test_a_personal_access_token_buys_access_and_buys_it_anew_when_it_ends() -> None:
    bought: list[int] = []

    def reply(request: BaseHTTPRequestHandler) -> Reply:
        if request.path == "/api/token/refresh/":
            bought.append(1)
            return 200, json.dumps({"access": f"access{len(bought)}"})
        valid = request.headers["Authorization"] == "Bearer access2"
        return (200, PROJECTS) if valid else (401, "{}")

    with server(reply) as url:
        client = LabelStudioClient(url, PERSONAL)
        for _ in range(3):
            assert client.get("/api/projects", dict[str, object]) == json.loads(PROJECTS)
    assert len(bought) == 2


@pytest.mark.parametrize("reply", [(401, "{}"), (200, "garbage"), (200, "[]")])
def test_a_personal_access_token_that_buys_nothing_is_told(reply: Reply) -> None:
    with (
        server(lambda request: reply if "refresh" in request.path else (401, "{}")) as url,
        pytest.raises(LabelingUnavailable, match="refuses the token"),
    ):
        LabelStudioClient(url, PERSONAL).get("/api/projects", dict[str, object])
