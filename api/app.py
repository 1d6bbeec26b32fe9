"""The application: every route, every one guarded, every error a problem."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from al_platform.errors import CatalogBusy, StorageUnavailable, Unauthenticated
from al_platform.platform.service import Service
from al_platform.settings import LOOPBACK, ServiceSettings
from api import errors
from api.access import READER, Gate, scope_of
from api.bearer import BearerTokens
from api.errors import Forbidden, TooManyRequests, problem_responses
from api.limits import Clock, TokenBuckets
from api.metrics import Metrics
from api.observing import Observed, log
from api.routes import datasets, experiments, frames, health, keys, models, queues, rounds
from api.schemas.base import ProblemDetails

OPEN = ("/health", "/v1/health", "/ready")
"""All that can be had without a key."""

_ROUTERS = (health, frames, datasets, models, rounds, queues, experiments, keys)
_FAILURES_PER_MINUTE = 20
_SAVE_USES_EVERY_S = 60.0


def create_app(service: Service, settings: ServiceSettings, *, clock: Clock = time.monotonic) -> FastAPI:
    """Give the application over a running service.

    Raises: InvalidInput for an issuer whose keys cannot be read.
    """
    app = FastAPI(
        title="al-platform",
        version="1",
        summary="Which driving data is worth a label.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        responses=problem_responses(Unauthenticated, Forbidden, TooManyRequests),
    )
    app.state.service = service
    app.state.metrics = Metrics()
    app.state.gate = _gate(service, settings, clock)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_api_route(
        "/v1/openapi.json", _openapi, operation_id="get_openapi", dependencies=[READER], include_in_schema=False
    )
    errors.install(app)
    app.add_middleware(Observed, metrics=app.state.metrics, largest_body=settings.largest_body)
    if settings.dev:
        # a page elsewhere must not reach a service that asks for no key, through a name that leads here
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.openapi = _described(app)  # type: ignore[method-assign]  # FastAPI's own way to change the schema
    return app


def guarded_routes(app: FastAPI) -> list[tuple[APIRoute, Any]]:
    """Give every route and the scope that it needs, None for the open ones."""
    return [(route, scope_of(route.dependencies)) for route in app.routes if isinstance(route, APIRoute)]


def _gate(service: Service, settings: ServiceSettings, clock: Clock) -> Gate:
    return Gate(
        service.keys,
        tokens=BearerTokens(settings.oidc) if settings.oidc else None,
        dev=settings.dev,
        requests=TokenBuckets(per_second=settings.requests_per_second, burst=settings.burst, clock=clock),
        failures=TokenBuckets(per_second=_FAILURES_PER_MINUTE / 60, burst=_FAILURES_PER_MINUTE, clock=clock),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_save_uses, app.state.service)
        yield
        tasks.cancel_scope.cancel()


async def _save_uses(service: Service) -> None:
    while True:
        await anyio.sleep(_SAVE_USES_EVERY_S)
        try:
            await run_in_threadpool(service.keys.save_last_uses)
        except (CatalogBusy, StorageUnavailable) as error:
            log.warning("last uses of keys were not written", reason=str(error))


def _openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    plain = app.openapi

    def described() -> dict[str, Any]:
        """Give the schema with the problem document among its components."""
        schema = plain()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        if "ProblemDetails" not in schemas:
            problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs", {}))
            schemas["ProblemDetails"] = problem
        return schema

    return described
