"""Nobody comes in without a key but to ask for health; every key does what its scope allows, and no more."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import Depends

from al_platform.domain.access import Actor, Scope
from al_platform.domain.paging import PageRequest
from al_platform.errors import InvalidInput, Unauthenticated
from al_platform.platform.access import KeyRing
from al_platform.settings import HOOK_PATH, ServiceSettings
from api import app as application
from api.access import Needs, scope_of
from api.app import OPEN, guarded_routes
from tests.api.conftest import ROUND, Served, serving
from tests.fleet import contents

ADMIN = Actor("an admin", Scope.ADMIN)
HEADERS = {"Idempotency-Key": "x", "If-Match": '"1"'}


def routes_of(served: Served) -> list[tuple[str, str, Scope | None]]:
    app = application.create_app(served.service, ServiceSettings())
    return [
        (method, re.sub(r"{\w+}", "none", route.path), route.scope)
        for route in guarded_routes(app)
        for method in route.methods
    ]


def test_every_route_but_health_needs_a_scope_and_the_table_of_the_matrix_holds_every_route(shared: Served) -> None:
    routes = routes_of(shared)
    assert sorted(path for _, path, scope in routes if scope is None) == sorted((*OPEN, HOOK_PATH))
    assert len(routes) > 35
    documented = application.create_app(shared.service, ServiceSettings()).openapi()["paths"]
    assert len(documented) == len({path for _, path, _ in routes}) - 1  # the document itself


def test_a_route_without_a_scope_is_found(shared: Served) -> None:
    app = application.create_app(shared.service, ServiceSettings())
    app.add_api_route("/v1/forgotten", lambda: "")
    unguarded = [route.path for route in guarded_routes(app) if route.scope is None]
    assert sorted(unguarded) == sorted((*OPEN, HOOK_PATH, "/v1/forgotten"))
    with pytest.raises(InvalidInput, match="routes without a scope: /v1/forgotten"):
        application.require_guarded(app)
    assert scope_of([Depends(Needs(Scope.READER)), Depends(Needs(Scope.ADMIN))]) is Scope.ADMIN


def test_every_route_admits_the_scopes_that_cover_its_own_and_nobody_else(shared: Served) -> None:
    clients = {scope: shared.http(scope) for scope in (None, *Scope)}
    for method, path, needed in routes_of(shared):
        for scope, client in clients.items():
            answer = client.request(method, path, headers=HEADERS, json={} if method in ("POST", "PATCH") else None)
            if path == HOOK_PATH:
                assert answer.status_code == 401, "a key is no secret of a hook"
            elif needed is None:
                assert answer.status_code == 200
            elif scope is None:
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
                assert answer.headers["www-authenticate"] == "Bearer"
            elif not scope.covers(needed):
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
            else:
                assert answer.status_code not in (401, 403, 500), (path, answer.text)
    for client in clients.values():
        client.close()


@pytest.mark.parametrize(
    "text", ["", "nonsense", "alp_", "alp_000000000000_" + "a" * 43, "Ünïcode", "alp_../../etc_" + "a" * 43]
)
def test_texts_that_are_no_keys_are_refused(platform_ring: KeyRing, text: str) -> None:
    with pytest.raises(Unauthenticated):
        platform_ring.authenticate(text)


@pytest.fixture
def platform_ring(shared: Served) -> KeyRing:
    return shared.service.keys


def test_a_key_with_another_secret_is_refused(shared: Served) -> None:
    key = shared.keys[Scope.ADMIN]
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert httpx.get(f"{shared.url}/v1/me", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


def test_the_text_of_a_key_is_nowhere_in_the_catalog(served: Served) -> None:
    with served.http() as http:
        made = http.post("/v1/keys", json={"name": "robot", "scope": "operator"}).json()
    everything = str(contents(served.service.platform))
    assert made["key_id"] in everything
    assert made["key"] not in everything
    assert made["key"].split("_", 2)[2] not in everything


def test_a_revoked_key_ends_at_once_even_where_it_was_just_used(served: Served) -> None:
    with served.http() as http, served.http(Scope.READER) as reader:
        me = reader.get("/v1/me").json()["name"].removeprefix("key ")
        mark = http.get(f"/v1/keys/{me}").headers["etag"]
        assert reader.get("/v1/frames").status_code == 200
        revoked = http.patch(f"/v1/keys/{me}", json={"state": "revoked"}, headers={"If-Match": mark})
        assert revoked.json()["revoked_at"]
        assert revoked.json()["last_used_at"] is None or revoked.json()["last_used_at"] < revoked.json()["revoked_at"]
        assert reader.get("/v1/frames").status_code == 401
        again = http.patch(f"/v1/keys/{me}", json={"name": "x"}, headers={"If-Match": revoked.headers["etag"]})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_key_ends_when_it_expires(served: Served) -> None:
    time = ["2026-01-01 00:00:00.000000"]
    ring = KeyRing(served.service.platform.catalog, writing=served.service.writing, now=lambda: time[0])
    _, text = ring.make("short", Scope.READER, actor=ADMIN, expires_at="2026-01-01T02:00:00+01:00")
    assert ring.authenticate(text).scope is Scope.READER
    time[0] = "2026-01-01 01:00:00.000000"
    with pytest.raises(Unauthenticated):
        ring.authenticate(text)
    with pytest.raises(InvalidInput, match="is past"):
        ring.make("late", Scope.READER, actor=ADMIN, expires_at="2025-01-01")
    with pytest.raises(InvalidInput, match="write a time"):
        ring.make("late", Scope.READER, actor=ADMIN, expires_at="soon")


def test_the_last_use_of_a_key_outlives_the_process(served: Served) -> None:
    key = served.service.keys.authenticate(served.keys[Scope.OPERATOR])
    assert key.last_used_at is None
    served.service.keys.save_last_uses()
    fresh = KeyRing(served.service.platform.catalog, writing=served.service.writing)
    assert fresh.named(key.key_id).last_used_at is not None


def test_the_first_start_makes_an_admin_key_and_the_second_none(served: Served) -> None:
    assert served.service.keys.make_first() is None
    with served.service.platform.catalog.transaction() as tx:
        tx.execute("DELETE FROM api_keys")
    text = served.service.keys.make_first()
    assert text is not None
    assert served.service.keys.authenticate(text).scope is Scope.ADMIN
    assert served.service.keys.make_first() is None


def test_every_change_is_logged_with_who_and_in_which_request(served: Served) -> None:
    with served.http() as http:
        made = http.post("/v1/keys", json={"name": "robot"}, headers={"X-Request-ID": "req-7"})
        assert made.headers["x-request-id"] == "req-7"
        newest = http.get("/v1/changes?limit=1").json()["items"][0]
    assert (newest["action"], newest["target"], newest["request_id"]) == ("key.made", made.json()["key_id"], "req-7")
    assert newest["actor"].startswith("key ")


def test_a_change_needs_the_version_that_it_was_meant_for(served: Served) -> None:
    with served.http() as http:
        made = http.post("/v1/keys", json={"name": "robot"})
        path = f"/v1/keys/{made.json()['key_id']}"
        missing = http.patch(path, json={"name": "a"})
        assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")
        first = http.patch(path, json={"name": "a"}, headers={"If-Match": made.headers["etag"]})
        assert first.status_code == 200
        stale = http.patch(path, json={"name": "b"}, headers={"If-Match": made.headers["etag"]})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")
        assert http.get(path).json()["name"] == "a"


def test_without_authentication_only_loopback_is_served() -> None:
    with pytest.raises(InvalidInput, match=re.escape("--dev on 0.0.0.0")):
        ServiceSettings(host="0.0.0.0", dev=True)


def test_in_dev_nobody_needs_a_key_but_names_that_lead_here_from_elsewhere_are_refused(home: Path) -> None:
    with serving(home, ServiceSettings(dev=True)) as served, served.http(None) as http:
        assert http.get("/v1/me").json() == {"name": "dev", "scope": "admin"}
        assert http.get("/v1/me", headers={"Host": "evil.example"}).status_code == 400


def test_who_asks_too_much_waits_and_who_guesses_too(home: Path) -> None:
    with serving(home, ServiceSettings(requests_per_second=0.001, burst=3)) as served:
        with served.http() as http:
            assert [http.get("/v1/me").status_code for _ in range(4)] == [200, 200, 200, 429]
            refused = http.get("/v1/me")
            assert refused.json()["code"] == "too-many-requests"
            assert int(refused.headers["retry-after"]) >= 1
        with served.http(None) as http:
            codes = [http.get("/v1/me").status_code for _ in range(30)]
        assert codes[:10] == [401] * 10
        assert codes[-1] == 429


def test_a_body_beyond_the_limit_is_refused_whether_it_says_so_or_not(home: Path) -> None:
    with serving(home, ServiceSettings(largest_body=1000)) as served, served.http() as http:
        told = http.post("/v1/rounds", json={**ROUND, "pool": "x" * 2000}, headers=HEADERS)
        assert (told.status_code, told.json()["code"]) == (413, "body-too-large")

        def chunks() -> "list[bytes]":
            return [b'{"pool": "', *[b"x" * 500] * 10, b'"}']

        untold = http.post(
            "/v1/rounds", content=iter(chunks()), headers={**HEADERS, "Content-Type": "application/json"}
        )
        assert (untold.status_code, untold.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/frames/..%2F..%2Fcatalog.duckdb/image",
        "/v1/frames/http:%2F%2F127.0.0.1%2F/image",
        "/v1/experiments/..%2F..%2F..%2Fetc/report",
        "/v1/experiments/%2e%2e/summary",
        "/v1/labels/..%2Fsealed",
    ],
)
def test_no_address_leads_out_of_the_stores(shared: Served, path: str) -> None:
    with shared.http() as http:
        assert http.get(path).status_code == 404


def test_keys_are_listed_page_by_page(served: Served) -> None:
    found = served.service.keys.page(PageRequest(limit=2))
    rest = served.service.keys.page(PageRequest(limit=2, after=found.after))
    assert [key.scope for key in (*found.items, *rest.items)] == list(Scope)
    assert rest.after is None
