"""Nobody sees a page without a session; a session is its key's, ends with it, and its forms are its own."""

import base64
import json
import re

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from al_platform.domain.access import Scope
from al_platform.errors import InvalidInput
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.signing import signer_of
from al_platform.settings import ServiceSettings
from api import app as application
from api.dashboard.app import create_dashboard
from api.dashboard.guard import OPEN, OPERATOR, pages_of, require_shown
from api.dashboard.sessions import COOKIE
from tests.api.conftest import GENEROUS, Served, serving
from tests.api.dashboard.conftest import PAGES, form_mark, logged_in, post

SENT = {"pool": "split=pool", "targets": "person"}


def dashboard_of(served: Served) -> FastAPI:
    gate = application.create_app(served.service, GENEROUS).state.gate
    signer = signer_of(served.service.platform.settings.home)
    return create_dashboard(served.service, gate, signer, PictureLinks(signer), dev=False)


def filled(path: str) -> str:
    return PAGES + re.sub(r"{\w+}", "none", path)


def test_without_a_session_every_page_leads_to_the_login_and_no_form_does_anything(empty: Served) -> None:
    with httpx.Client(base_url=empty.url) as nobody:
        pages = pages_of(dashboard_of(empty))
        assert len(pages) > 22
        for route in pages:
            for method in route.methods or ():
                answer = nobody.request(method, filled(str(route.path)))
                if route.path in OPEN:
                    assert answer.status_code in (200, 401)
                elif method == "GET":
                    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGES}/login"), route.path
                else:
                    assert answer.status_code == 401, route.path
        part = nobody.get(f"{PAGES}/rounds", headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["hx-redirect"]) == (401, f"{PAGES}/login")


def test_a_page_or_a_form_that_somebody_forgot_to_guard_is_not_served(empty: Served) -> None:
    forgotten = APIRouter()
    forgotten.add_api_route("/page", lambda: "")
    forgotten.add_api_route("/form", lambda: "", methods=["POST"], dependencies=[OPERATOR])
    pages = dashboard_of(empty)
    pages.include_router(forgotten, prefix="/forgotten")
    page, form = pages_of(pages)[-2:]
    with pytest.raises(InvalidInput, match="page /forgotten/page: needs no session"):
        require_shown([page])
    with pytest.raises(InvalidInput, match="form /forgotten/form: is not checked; take its fields by SentForm"):
        require_shown([form])


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_holds_no_key(empty: Served) -> None:
    key = empty.keys[Scope.READER]
    answer = httpx.post(f"{empty.url}{PAGES}/login", data={"key": key})
    said = answer.headers["set-cookie"]
    assert said.startswith(f"{COOKIE}=")
    for rule in ("HttpOnly", "SameSite=strict", f"Path={PAGES}", "Max-Age=43200"):
        assert rule in said
    assert key not in said
    assert key.rsplit("_", 1)[1] not in base64.urlsafe_b64decode(answer.cookies[COOKIE].partition(".")[0]).decode()


@pytest.mark.parametrize("text", ["", "nonsense", "alp_000000000000_" + "a" * 43, "Ünïcode", "Bearer x"])
def test_texts_that_are_no_keys_open_no_session(empty: Served, text: str) -> None:
    answer = httpx.post(f"{empty.url}{PAGES}/login", data={"key": text})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text


def test_a_cookie_that_was_changed_opens_nothing(empty: Served) -> None:
    with logged_in(empty, Scope.READER) as browser:
        body, _, mark = browser.cookies[COOKIE].partition(".")
    said = json.loads(base64.urlsafe_b64decode(body))
    admin = empty.keys[Scope.ADMIN].split("_")[1]
    for changed in ({**said, "key": admin}, {**said, "until": said["until"] + 1}):
        forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode()
        for cookie in (f"{forged}.{mark}", f"{forged}.", forged, body, f"{body}.{mark[:-1]}", ".", "é"):
            answer = httpx.get(f"{empty.url}{PAGES}/", headers={"Cookie": f"{COOKIE}={cookie}".encode()})
            assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGES}/login")


def test_a_session_ends_with_its_key(served: Served) -> None:
    with logged_in(served, Scope.READER) as browser, served.http() as admin:
        key_id = served.keys[Scope.READER].split("_")[1]
        assert browser.get(f"{PAGES}/").status_code == 200
        mark = admin.get(f"/v1/keys/{key_id}").headers["etag"]
        admin.patch(f"/v1/keys/{key_id}", json={"state": "revoked"}, headers={"If-Match": mark})
        assert browser.get(f"{PAGES}/").status_code == 303


def test_logging_out_takes_the_cookie_back(empty: Served) -> None:
    with logged_in(empty) as browser:
        assert post(browser, "/logout").status_code == 303
        assert COOKIE not in browser.cookies
        assert browser.get(f"{PAGES}/").status_code == 303


def test_forms_without_the_mark_of_their_own_session_do_nothing(empty: Served) -> None:
    with logged_in(empty) as browser, logged_in(empty) as other:
        for mark in ("", "x", form_mark(other), form_mark(browser)[:-1], "é"):
            answer = browser.post(f"{PAGES}/new-round", data={**SENT, "form_mark": mark})
            assert answer.status_code == 401
        assert browser.post(f"{PAGES}/logout").status_code == 401


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_forms_of_other_sites_do_nothing_even_with_the_mark(empty: Served, headers: dict[str, str]) -> None:
    with logged_in(empty) as browser:
        data = {**SENT, "form_mark": form_mark(browser)}
        assert browser.post(f"{PAGES}/new-round", data=data, headers=headers).status_code == 403
    assert httpx.post(f"{empty.url}{PAGES}/login", data={"key": "x"}, headers=headers).status_code == 403


def test_a_reader_sees_pages_and_changes_nothing(empty: Served) -> None:
    with logged_in(empty, Scope.READER) as browser:
        assert "New round" not in browser.get(f"{PAGES}/").text
        assert browser.get(f"{PAGES}/new-round").status_code == 403
        for place in ("/new-round", "/rounds/none/cancel", "/rounds/none/resume"):
            answer = post(browser, place, SENT)
            assert answer.status_code == 403
            assert "your key is a reader, this needs operator" in answer.text


def test_whoever_guesses_keys_is_made_to_wait_as_in_the_rest_of_the_service(tmp_path) -> None:
    with serving(tmp_path / "home", ServiceSettings(failures_per_minute=3)) as served:
        answers = [httpx.post(f"{served.url}{PAGES}/login", data={"key": "guess"}).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]


def test_dev_needs_no_login_but_its_forms_are_checked(tmp_path) -> None:
    with serving(tmp_path / "home", ServiceSettings(dev=True)) as served, httpx.Client(base_url=served.url) as browser:
        assert browser.get(f"{PAGES}/").status_code == 200
        assert browser.post(f"{PAGES}/new-round", data=SENT).status_code == 401
        assert post(browser, "/new-round/estimate", SENT).status_code == 200
