"""Who may come in: every route needs a scope, and whoever asks has a key, a token, or is alone on the machine."""

import hmac
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from al_platform.domain.access import Actor, Scope
from al_platform.errors import Unauthenticated
from al_platform.platform.access import KEY_PREFIX, KeyRing
from al_platform.platform.service import Service
from api.bearer import BearerTokens
from api.errors import Forbidden, TooManyRequests
from api.limits import TokenBuckets

DEV = Actor("dev", Scope.ADMIN)
"""Whoever asks a service whose authentication is off."""

_bearer = HTTPBearer(auto_error=False, description="An API key, or a token of the configured issuer")


class Gate:
    """Decides who a request comes from, and how many a caller may make."""

    def __init__(
        self, keys: KeyRing, *, tokens: BearerTokens | None, dev: bool, requests: TokenBuckets, failures: TokenBuckets
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._dev = dev
        self._requests = requests
        self._failures = failures

    def admit(self, credential: str | None, *, address: str) -> Actor:
        """Give who asks.

        Raises: Unauthenticated; TooManyRequests, for an address that guesses too.
        """
        wait_s = self._failures.wait_for(address)
        if wait_s:
            raise _too_many("this address failed to authenticate too often", wait_s)
        try:
            actor = DEV if self._dev else self._identify(credential)
        except Unauthenticated:
            self._failures.take(address)
            raise
        self.count(actor)
        return actor

    def count(self, actor: Actor) -> None:
        """Count a request of somebody who is in already.

        Raises: TooManyRequests.
        """
        wait_s = self._requests.take(actor.name)
        if wait_s:
            raise _too_many(f"{actor.name}: too many requests", wait_s)

    def admit_secret(self, secret: str, *, expected: str, address: str) -> None:
        """Check the secret of a hook; an empty one is expected of nobody.

        Raises: Unauthenticated; TooManyRequests, for an address that guesses too.
        """
        wait_s = self._failures.wait_for(address)
        if wait_s:
            raise _too_many("this address failed to authenticate too often", wait_s)
        if not (expected and hmac.compare_digest(secret.encode(), expected.encode())):
            self._failures.take(address)
            raise Unauthenticated("X-Hook-Secret: not the ALP_HOOK_SECRET of this service")

    def _identify(self, credential: str | None) -> Actor:
        if not credential:
            raise Unauthenticated("no key: send `Authorization: Bearer KEY`")
        if credential.startswith(KEY_PREFIX) or self._tokens is None:
            key = self._keys.authenticate(credential)
            return Actor(f"key {key.key_id}", key.scope)
        return self._tokens.actor_of(credential)


class Needs:
    """The dependency of a route that only callers of a scope may use."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> None:
        """Admit the caller and remember who it is.

        Raises: Unauthenticated, Forbidden, TooManyRequests.
        """
        gate: Gate = request.app.state.gate
        address = request.client.host if request.client else ""
        actor = gate.admit(credentials.credentials if credentials else None, address=address)
        if not actor.scope.covers(self.scope):
            raise Forbidden(f"{actor.name}: is a {actor.scope}, this needs {self.scope}")
        request.state.actor = replace(actor, request_id=request.state.request_id)


class KnowsHookSecret:
    """The dependency of a route that a labelling tool calls, which has the secret of its hook and no key."""

    async def __call__(self, request: Request, secret: Annotated[str, Header(alias="X-Hook-Secret")] = "") -> None:
        """Admit whoever sends the secret.

        Raises: Unauthenticated, TooManyRequests for an address that guesses.
        """
        service: Service = request.app.state.service
        server = service.platform.settings.label_studio
        gate: Gate = request.app.state.gate
        expected = server.hook.secret if server and server.hook else ""
        gate.admit_secret(secret, expected=expected, address=request.client.host if request.client else "")


HOOK_SECRET = Depends(KnowsHookSecret())
READER = Depends(Needs(Scope.READER))
OPERATOR = Depends(Needs(Scope.OPERATOR))
ADMIN = Depends(Needs(Scope.ADMIN))


def asks_for_a_secret(dependencies: Iterable[object]) -> bool:
    """Say whether these dependencies of a route ask for the secret of a hook."""
    return any(isinstance(getattr(its, "dependency", None), KnowsHookSecret) for its in dependencies)


def scope_of(dependencies: Iterable[object]) -> Scope | None:
    """Give the largest scope that these dependencies of a route ask for, None where they ask for none."""
    used = (getattr(dependency, "dependency", None) for dependency in dependencies)
    asked = [guard.scope for guard in used if isinstance(guard, Needs)]
    return max(asked, key=list(Scope).index, default=None)


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _caller(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


ServiceHere = Annotated[Service, Depends(_service)]
Caller = Annotated[Actor, Depends(_caller)]


def _too_many(what: str, wait_s: float) -> TooManyRequests:
    return TooManyRequests(f"{what}; try again in {wait_s:.1f} s", retry_after_s=wait_s)
