"""Around every request: its id, a line in the log, and what is measured."""

import json
import re
import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BY_STATUS, MEDIA_TYPE, problem_body
from api.metrics import Metrics

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UNKNOWN_ROUTE = "unknown"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_TOO_LARGE_HEADERS = ((b"content-type", MEDIA_TYPE.encode()),)

log = structlog.get_logger("api")


class Observed:
    """The outermost layer of the service; streams pass through it as they come."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything else that servers ask for goes straight on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(REQUEST_ID.lower().encode(), b"")
        request_id = given.decode() if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [
                    (REQUEST_ID.lower().encode(), request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                kept = _TOO_LARGE_HEADERS if status == 413 else message.get("headers", ())
                message = {**message, "headers": [*kept, *extra]}
            elif status == 413:  # the framework says it in plain text
                message = {**message, "body": _too_large(request_id), "more_body": False}
            await send(message)

        try:
            await self._app(scope, receive, marked)
        finally:
            self._tell(scope, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        known = getattr(scope.get("route"), "path", None)
        route = _UNKNOWN_ROUTE if known is None else scope.get("root_path", "") + known
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


def _too_large(request_id: str) -> bytes:
    detail = "the body is larger than the service takes; ALP_LARGEST_BODY sets how much"
    return json.dumps(problem_body(BY_STATUS[413], detail=detail, request_id=request_id)).encode()
