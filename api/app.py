"""The application: every route, every one guarded, every error a problem."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount

from al_platform.domain.access import Scope
from al_platform.errors import CatalogBusy, InvalidInput, StorageUnavailable, Unauthenticated
from al_platform.platform.picture_links import FOLDER, PictureLinks
from al_platform.platform.service import Service
from al_platform.platform.signing import signer_of
from al_platform.platform.taking_on import take_on_operations
from al_platform.settings import LOOPBACK, ServiceSettings
from api import errors
from api.access import READER, Gate, asks_for_a_secret, scope_of
from api.bearer import BearerTokens
from api.dashboard.app import create_dashboard
from api.dashboard.pages import BASE
from api.errors import Forbidden, TooManyRequests, problem_responses
from api.limits import Clock, TokenBuckets
from api.metrics import Metrics
from api.observing import Observed, log
from api.pictures import create_pictures
from api.routes import (
    datasets,
    experiments,
    fixes,
    frames,
    health,
    hooks,
    imports,
    judging,
    keys,
    licences,
    loops,
    models,
    policies,
    queues,
    rounds,
    scenarios,
    similar,
)
from api.schemas.base import ProblemDetails

OPEN = ("/health", "/v1/health", "/ready")
"""All that can be had without a key."""

_ROUTERS = (
    health,
    frames,
    imports,
    scenarios,
    datasets,
    models,
    rounds,
    loops,
    queues,
    similar,
    experiments,
    policies,
    judging,
    fixes,
    licences,
    keys,
    hooks,
)
_SAVE_USES_EVERY_S = 60.0
_TAKE_ON_EVERY_S = 1.0


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
    require_guarded(app)
    _mount_pages(app, service, settings)
    errors.install(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.largest_body)
    app.add_middleware(Observed, metrics=app.state.metrics)
    if settings.dev:
        # a page elsewhere must not reach a service that asks for no key, through a name that leads here
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.openapi = _described(app)  # type: ignore[method-assign]  # FastAPI's own way to change the schema
    return app


@dataclass(frozen=True)
class GuardedRoute:
    """An address, its methods, and the scope that it needs: None where nobody is asked for a key."""

    path: str
    methods: tuple[str, ...]
    scope: Scope | None
    secret: bool = False
    """Whether it is for whoever knows the secret of a hook."""


def guarded_routes(app: FastAPI) -> list[GuardedRoute]:
    """Give every route of the application."""
    return [
        GuardedRoute(
            str(route.path),
            tuple(sorted(route.methods or ())),
            scope_of(route.dependencies),
            asks_for_a_secret(route.dependencies),
        )
        for route in iter_route_contexts([route for route in app.routes if not isinstance(route, Mount)])
    ]


def require_guarded(app: FastAPI) -> None:
    """Refuse to serve a route that somebody forgot to guard.

    Raises: InvalidInput naming it.
    """
    guarded = guarded_routes(app)
    forgotten = [its.path for its in guarded if its.scope is None and not its.secret and its.path not in OPEN]
    if forgotten:
        raise InvalidInput(f"routes without a scope: {', '.join(forgotten)}; give each READER, OPERATOR or ADMIN")


def _mount_pages(app: FastAPI, service: Service, settings: ServiceSettings) -> None:
    """Pages and pictures have guards of their own: sessions, and addresses that are signed."""
    signer = signer_of(service.platform.settings.home)
    links = PictureLinks(signer)
    app.mount(BASE, create_dashboard(service, app.state.gate, signer, links, dev=settings.dev))
    app.mount(FOLDER, create_pictures(service, links))


def _gate(service: Service, settings: ServiceSettings, clock: Clock) -> Gate:
    guesses = settings.failures_per_minute
    return Gate(
        service.keys,
        tokens=BearerTokens(settings.oidc) if settings.oidc else None,
        dev=settings.dev,
        requests=TokenBuckets(per_second=settings.requests_per_second, burst=settings.burst, clock=clock),
        failures=TokenBuckets(per_second=guesses / 60, burst=guesses, clock=clock),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_save_uses, app.state.service)
        tasks.start_soon(_take_on, app.state.service)
        yield
        tasks.cancel_scope.cancel()


async def _save_uses(service: Service) -> None:
    while True:
        await anyio.sleep(_SAVE_USES_EVERY_S)
        try:
            await run_in_threadpool(service.keys.save_last_uses)
        except (CatalogBusy, StorageUnavailable) as error:
            log.warning("last uses of keys were not written", reason=str(error))


async def _take_on(service: Service) -> None:
    """Take on what was asked for, also by whoever never looks again."""
    while True:
        await anyio.sleep(_TAKE_ON_EVERY_S)
        try:
            await run_in_threadpool(take_on_operations, service)
        except (CatalogBusy, StorageUnavailable) as error:
            log.warning("operations were not taken on", reason=str(error))


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
