"""Every error as RFC 9457 problem details, from one table. The only place that knows the status of an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from al_platform import errors

MEDIA_TYPE = "application/problem+json"


class Forbidden(Exception):
    """Whoever asks is known, and may not."""


class TooManyRequests(Exception):
    """The key has used up what it may ask for at once."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PreconditionRequired(Exception):
    """A change without an If-Match header."""


@dataclass(frozen=True)
class Problem:
    """What an error is to a client: its status, and a code and title that never change."""

    status: int
    code: str
    title: str


PROBLEMS: Mapping[type[Exception], Problem] = {
    errors.InvalidInput: Problem(422, "invalid-input", "A value cannot be used"),
    errors.NotFound: Problem(404, "not-found", "Nothing of this id or name is there"),
    errors.Conflict: Problem(409, "conflict", "This does not fit the state of the object"),
    errors.StaleVersion: Problem(412, "stale-version", "The object was changed since it was read"),
    errors.IdempotencyMismatch: Problem(422, "idempotency-mismatch", "The idempotency key came with another request"),
    errors.Unauthenticated: Problem(401, "unauthenticated", "A valid key or token is needed"),
    errors.CatalogLocked: Problem(503, "catalog-locked", "Another process owns the catalog"),
    errors.CatalogBusy: Problem(503, "catalog-busy", "Another change was under way"),
    errors.CatalogTooNew: Problem(500, "catalog-too-new", "The catalog was written by a newer version"),
    errors.StorageUnavailable: Problem(503, "storage-unavailable", "Storage cannot be read or written"),
    errors.LabelingUnavailable: Problem(503, "labeling-unavailable", "The labelling tool does not answer"),
    errors.ComputeUnavailable: Problem(503, "compute-unavailable", "The cluster that computes does not answer"),
    errors.CorruptBlob: Problem(500, "corrupt-blob", "Stored bytes are not what they were"),
    errors.BrokenRecording: Problem(422, "broken-recording", "A recording cannot be used"),
    errors.CorruptScores: Problem(500, "corrupt-scores", "A file of scores is not what it was"),
    errors.NonFiniteScore: Problem(500, "non-finite-score", "A score was NaN or infinite"),
    errors.TrainingDiverged: Problem(500, "training-diverged", "A training never got anywhere"),
    errors.JobFailed: Problem(500, "job-failed", "A process that computed died"),
    errors.MissingExtra: Problem(501, "missing-extra", "An optional part is not installed"),
    errors.Stopped: Problem(409, "stopped", "The work was told to stop"),
    errors.Closing: Problem(503, "closing", "The service is ending"),
    Forbidden: Problem(403, "forbidden", "The key may not do this"),
    TooManyRequests: Problem(429, "too-many-requests", "Too many requests at once"),
    PreconditionRequired: Problem(428, "precondition-required", "A change needs an If-Match header"),
    RequestValidationError: Problem(422, "invalid-request", "The request does not fit the schema"),
}
"""Kind of an error to its problem; a kind that is not here is its nearest base that is."""

BY_STATUS: Mapping[int, Problem] = {
    404: Problem(404, "no-such-route", "There is no such address"),
    405: Problem(405, "method-not-allowed", "The address does not take this method"),
    413: Problem(413, "body-too-large", "The body of the request is too large"),
    415: Problem(415, "unsupported-media-type", "The body must be JSON"),
    500: Problem(500, "internal", "Something went wrong that nobody foresaw"),
}
"""Problems that the web framework reports by their status."""

BUSY = (errors.CatalogBusy, errors.CatalogLocked, errors.StorageUnavailable)
_RETRY_AFTER_S = 1


def problem_of(kind: type[BaseException]) -> Problem:
    """Give the problem of a kind of error: its own, else that of its nearest base; `internal` for the unforeseen."""
    return next((PROBLEMS[base] for base in kind.__mro__ if base in PROBLEMS), BY_STATUS[500])


def problem_body(problem: Problem, *, detail: str, request_id: str, **more: object) -> dict[str, object]:
    """Give the members of a problem document."""
    return {
        "type": f"urn:al-platform:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
        "request_id": request_id,
        **more,
    }


def install(app: FastAPI) -> None:
    """Answer every error of the table, and the unforeseen, with problem details."""
    for kind in PROBLEMS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(errors.PlatformError, _known)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_exception_handler(Exception, _unforeseen)


def problem_responses(*kinds: type[Exception]) -> dict[int | str, dict[str, Any]]:
    """Give the OpenAPI entries of the problems that a route can answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for problem in (problem_of(kind) for kind in kinds):
        known = found.get(problem.status)
        text = f"{problem.title} (`{problem.code}`)"
        found[problem.status] = {
            "description": f"{known['description']}; {text}" if known else text,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                    "example": problem_body(problem, detail=problem.title, request_id="5f0c"),
                }
            },
        }
    return found


def _known(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(type(error))
    headers: dict[str, str] = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, BUSY):
        headers["Retry-After"] = str(_RETRY_AFTER_S)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RequestValidationError):
        found = [_place(entry) for entry in error.errors()]
        detail = "; ".join(f"{entry['at']}: {entry['message']}" for entry in found)
        return _answer(request, problem, detail=detail, headers=headers, errors=found)
    return _answer(request, problem, detail=str(error), headers=headers)


def _place(entry: Mapping[str, Any]) -> dict[str, str]:
    location: Sequence[object] = entry["loc"]
    return {"at": ".".join(str(part) for part in location), "message": str(entry["msg"])}


def _from_framework(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = HTTPStatus(status).phrase
    problem = BY_STATUS.get(status, Problem(status, title.lower().replace(" ", "-"), title))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    detail = str(error.detail) if isinstance(error, HTTPException) else title
    return _answer(request, problem, detail=detail, headers=headers)


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    detail = f"{type(error).__name__}; the log tells more under this request id"
    return _answer(request, BY_STATUS[500], detail=detail, headers={})


def _answer(
    request: Request, problem: Problem, *, detail: str, headers: Mapping[str, str], **more: object
) -> JSONResponse:
    request_id = str(getattr(request.state, "request_id", ""))
    body = problem_body(problem, detail=detail, request_id=request_id, **more)
    return JSONResponse(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers))
