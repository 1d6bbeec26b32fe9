"""Bearer tokens of an OpenID Connect issuer: verified against its published keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from al_platform.domain.access import Actor, Scope
from al_platform.errors import InvalidInput, Unauthenticated
from al_platform.settings import LOOPBACK, OidcSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Public-key signatures alone: a key that verifies must not be able to sign."""

_ROLE = "alp:"
_LEEWAY_S = 30
_TIMEOUT_S = 5.0


class BearerTokens:
    """Verifies tokens of one issuer. Its keys are read from a file, or fetched by URL and kept for a while."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._fetched = _fetched_keys(settings.jwks)
        self._known = None if self._fetched else _keys_of_file(settings.jwks)

    def actor_of(self, token: str) -> Actor:
        """Give who a token speaks for: its subject, with the largest of `alp:reader`, `alp:operator`, `alp:admin`
        among its `scope` and `roles`.

        Raises: Unauthenticated for a token that is forged, expired, of another issuer or for another audience, or
            that names no scope of this service.
        """
        try:
            claims = jwt.decode(
                token,
                self._key_of(token),
                algorithms=ALGORITHMS,
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated(f"token: {error}") from error
        return Actor(f"{self._settings.issuer}#{claims['sub']}", _scope_of(claims))

    def _key_of(self, token: str) -> jwt.PyJWK:
        if self._fetched is not None:
            return self._fetched.get_signing_key_from_jwt(token)
        name = jwt.get_unverified_header(token).get("kid")
        for key in self._known.keys if self._known else ():
            if key.key_id == name:
                return key
        raise Unauthenticated(f"token: signed with key {name!r}, which the issuer does not publish")


def _scope_of(claims: Mapping[str, Any]) -> Scope:
    named = str(claims.get("scope", "")).split() + [str(role) for role in claims.get("roles") or ()]
    held = [scope for scope in Scope if f"{_ROLE}{scope.value}" in named]
    if not held:
        raise Unauthenticated("token: names none of alp:reader, alp:operator, alp:admin in scope or roles")
    return held[-1]


def _fetched_keys(where: str) -> jwt.PyJWKClient | None:
    address = urlsplit(where)
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK):
        return jwt.PyJWKClient(where, cache_jwk_set=True, lifespan=300, timeout=_TIMEOUT_S)
    if address.scheme == "http":
        raise InvalidInput(f"keys {where}: would come over http; use https or a file")
    return None


def _keys_of_file(where: str) -> jwt.PyJWKSet:
    try:
        return jwt.PyJWKSet.from_dict(json.loads(Path(where).read_text(encoding="utf-8")))
    except (OSError, ValueError, jwt.PyJWTError) as error:
        raise InvalidInput(f"keys {where}: {error}; name the issuer's JWKS, a file or an https URL") from error
