"""Every error is a problem document with a code that is its own."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from al_platform import errors as platform_errors
from al_platform.errors import PlatformError
from api import errors
from api.errors import BY_STATUS, PROBLEMS, problem_of
from tests.api.conftest import Served

KINDS = [
    kind
    for kind in vars(platform_errors).values()
    if isinstance(kind, type) and issubclass(kind, PlatformError) and kind is not PlatformError
]


def answer_to(error: Exception) -> httpx.Response:
    """What an application with our handlers answers where a route raises this."""
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_platform_is_a_problem_of_its_own(kind: type[PlatformError]) -> None:
    assert kind in PROBLEMS
    answer = answer_to(kind("budget 0: must be at least 1"))
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == PROBLEMS[kind].status == answer.json()["status"]
    assert answer.json()["code"] == PROBLEMS[kind].code
    assert answer.json()["detail"] == "budget 0: must be at least 1"
    assert ("retry-after" in answer.headers) == issubclass(kind, errors.BUSY)


def test_codes_are_told_apart() -> None:
    codes = [problem.code for problem in (*PROBLEMS.values(), *BY_STATUS.values())]
    assert len(set(codes)) == len(codes)


def test_an_error_that_nobody_foresaw_says_nothing_of_what_is_inside() -> None:
    answer = answer_to(RuntimeError("password is swordfish"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "swordfish" not in answer.text


def test_a_kind_that_is_not_in_the_table_is_its_nearest_base() -> None:
    class Odd(platform_errors.NotFound):
        pass

    assert problem_of(Odd) == PROBLEMS[platform_errors.NotFound]
    assert problem_of(KeyError) == BY_STATUS[500]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no-such-route"),
        ("DELETE", "/v1/frames", 405, "method-not-allowed"),
        ("GET", "/v1/frames?limit=0", 422, "invalid-request"),
        ("GET", "/v1/frames?filter=speed%3D3", 422, "invalid-input"),
        ("GET", "/v1/frames?cursor=nonsense", 422, "invalid-input"),
        ("GET", "/v1/frames?cursor=WzFd", 422, "invalid-input"),
        ("GET", "/v1/rounds/rnd_none", 404, "not-found"),
        ("GET", "/v1/lineage/frm_none", 404, "not-found"),
        ("GET", "/v1/rounds/rnd_none/events", 404, "not-found"),
        ("POST", "/v1/rounds", 422, "invalid-request"),
    ],
)
def test_what_cannot_be_asked_is_told_by_its_code(
    shared: Served, method: str, path: str, status: int, code: str
) -> None:
    with shared.http() as http:
        answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_request_that_does_not_fit_says_where(shared: Served) -> None:
    with shared.http() as http:
        answer = http.get("/v1/frames?limit=9999").json()
    assert answer["errors"] == [{"at": "query.limit", "message": "Input should be less than or equal to 500"}]
