"""Tokens of an issuer are believed where its published key signed them, and for nothing else."""

import datetime
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from al_platform.domain.access import Scope
from al_platform.errors import InvalidInput, Unauthenticated
from al_platform.settings import OidcSettings, ServiceSettings
from api.bearer import BearerTokens
from tests.api.conftest import serving

ISSUER, AUDIENCE = "https://issuer.example", "alp"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(key: Any = KEY, *, kid: str = "one", algorithm: str = "RS256", **claims: Any) -> str:
    now = datetime.datetime.now(datetime.UTC)
    known = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "exp": now + datetime.timedelta(minutes=5),
        "scope": "alp:reader",
    }
    given = {name: value for name, value in {**known, **claims}.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def jwks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}))
    return path


@pytest.fixture
def tokens(jwks: Path) -> BearerTokens:
    return BearerTokens(OidcSettings(ISSUER, AUDIENCE, str(jwks)))


@pytest.fixture(scope="module")
def published(jwks: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(jwks.parent))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
        server.shutdown()
        thread.join()


def test_the_largest_scope_that_a_token_names_counts(tokens: BearerTokens) -> None:
    assert tokens.actor_of(token()).scope is Scope.READER
    assert tokens.actor_of(token(scope="openid alp:operator alp:reader")).scope is Scope.OPERATOR
    assert tokens.actor_of(token(scope=None, roles=["alp:admin"])).scope is Scope.ADMIN
    assert tokens.actor_of(token()).name == f"{ISSUER}#ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
        {"scope": "reader"},
        {"scope": "openid"},
        {"kid": "two"},
        {"key": OTHER},
        {"key": "x" * 64, "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
    ],
    ids="-".join,
)
def test_tokens_that_do_not_hold_are_refused(tokens: BearerTokens, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="token"):
        tokens.actor_of(token(**claims))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "alp_x", "ü.ü.ü"])
def test_texts_that_are_no_tokens_are_refused(tokens: BearerTokens, text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.actor_of(text)


def test_keys_are_fetched_from_their_address(published: str) -> None:
    assert BearerTokens(OidcSettings(ISSUER, AUDIENCE, published)).actor_of(token()).scope is Scope.READER


@pytest.mark.parametrize("where", ["/nowhere/jwks.json", "http://keys.example/jwks.json"])
def test_keys_that_cannot_be_had_or_trusted_are_named(where: str) -> None:
    with pytest.raises(InvalidInput, match="keys"):
        BearerTokens(OidcSettings(ISSUER, AUDIENCE, where))


def test_a_server_takes_tokens_beside_keys(home: Path, jwks: Path) -> None:
    settings = ServiceSettings(oidc=OidcSettings(ISSUER, AUDIENCE, str(jwks)))
    with serving(home, settings) as served, served.http(None) as http, served.http(Scope.READER) as keyed:
        headers = {"Authorization": f"Bearer {token(scope='alp:operator')}"}
        assert http.get("/v1/me", headers=headers).json() == {"name": f"{ISSUER}#ada", "scope": "operator"}
        assert http.get("/v1/keys", headers=headers).status_code == 403
        assert keyed.get("/v1/me").json()["scope"] == "reader"
