"""Around every request: its id, the limit of its body, a line in the log, and what is measured."""

import json
import re
import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BY_STATUS, MEDIA_TYPE, problem_body
from api.metrics import Metrics

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNKNOWN_ROUTE = "unknown"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

log = structlog.get_logger("api")


class _TooLarge(Exception):
    """The body went past the limit while it was read."""


class Observed:
    """The outermost layer of the service; streams pass through it as they come."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, largest_body: int) -> None:
        self._app = app
        self._metrics = metrics
        self._largest_body = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything else that servers ask for goes straight on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(REQUEST_ID.lower(), "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        exchange = _Exchange(receive, send, request_id=request_id, largest_body=self._largest_body)
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            if exchange.announces_too_much(headers):
                await exchange.refuse()
            else:
                await self._serve(scope, exchange)
        finally:
            self._tell(scope, exchange.status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except _TooLarge:
            await exchange.refuse()

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", _UNKNOWN_ROUTE)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.observe(method=method, route=route, status=status, seconds=seconds)
        actor = scope["state"].get("actor")
        log.info(
            "request",
            method=method,
            path=scope["path"],
            route=route,
            status=status,
            milliseconds=round(1000 * seconds, 2),
            actor=actor.name if actor else None,
        )


class _Exchange:
    """One request and its answer: counts the body, notes the status, marks the answer with the id."""

    def __init__(self, receive: Receive, send: Send, *, request_id: str, largest_body: int) -> None:
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._largest_body = largest_body
        self._read = 0
        self.status = 0

    def announces_too_much(self, headers: dict[str, str]) -> bool:
        length = headers.get("content-length", "")
        return length.isdecimal() and int(length) > self._largest_body

    async def receive(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._largest_body:
            raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            extra = [
                (REQUEST_ID.lower().encode(), self._request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await self._send(message)

    async def refuse(self) -> None:
        detail = f"the body is larger than {self._largest_body} bytes"
        body = problem_body(BY_STATUS[413], detail=detail, request_id=self._request_id)
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": 413, "headers": headers})
        await self.send({"type": "http.response.body", "body": json.dumps(body).encode()})
