"""Label Studio over HTTP: one request, one checked answer."""

import base64
import json
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from al_platform.errors import LabelingUnavailable

Record = TypeVar("Record")
_SHOWN = 200
"""Characters of an unexpected answer that a message repeats."""


class LabelStudioClient:
    """Talks to one server with one token, a legacy token or a personal access token."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 120.0) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            auth=_authentication(self.url, token),
            timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),  # few and long requests; nothing is left to close
        )

    def get(self, path: str, kind: type[Record], **parameters: str | int) -> Record:
        """Read something. Raises: LabelingUnavailable."""
        return self._asked("GET", path, kind, parameters=parameters)

    def post(self, path: str, body: object, kind: type[Record]) -> Record:
        """Make something. Raises: LabelingUnavailable."""
        return self._asked("POST", path, kind, body=body)

    def patch(self, path: str, body: object) -> bool:
        """Change something; False where the server finds the change invalid. Raises: LabelingUnavailable."""
        response = self._sent("PATCH", path, body, {})
        if response.status_code == httpx.codes.BAD_REQUEST:
            return False
        self._require_success(response)
        return True

    def find(self, path: str, kind: type[Record]) -> Record | None:
        """Read something that may be gone. Raises: LabelingUnavailable."""
        response = self._sent("GET", path, None, {})
        return None if response.status_code == httpx.codes.NOT_FOUND else self._checked(response, kind)

    def delete(self, path: str) -> None:
        """Remove something; gone already is as good. Raises: LabelingUnavailable."""
        response = self._sent("DELETE", path, None, {})
        if response.status_code != httpx.codes.NOT_FOUND:
            self._require_success(response)

    def _asked(
        self, method: str, path: str, kind: type[Record], *, body: object = None, parameters: Mapping[str, Any] = {}
    ) -> Record:
        return self._checked(self._sent(method, path, body, parameters), kind)

    def _checked(self, response: httpx.Response, kind: type[Record]) -> Record:
        self._require_success(response)
        try:
            return TypeAdapter(kind).validate_python(response.json())
        except (ValueError, ValidationError) as error:
            reason = f"{error.error_count()} fields are wrong" if isinstance(error, ValidationError) else "no JSON"
            request = f"{response.request.method} {response.request.url.path}"
            raise self._unavailable(
                f"answered {request} with what it should not ({reason}): {response.text[:_SHOWN]!r}"
            ) from error

    def _sent(self, method: str, path: str, body: object, parameters: Mapping[str, Any]) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body, params=dict(parameters))
        except httpx.TimeoutException as error:
            raise self._unavailable(f"did not answer {method} {path} in {self._http.timeout.read:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(f"cannot be reached ({error})") from error

    def _require_success(self, response: httpx.Response) -> None:
        request = f"{response.request.method} {response.request.url.path}"
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self._unavailable(
                f"refuses the token at {request} ({response.status_code}); set ALP_LABEL_STUDIO_TOKEN to a personal "
                "access token, or start the server with --enable-legacy-api-token"
            )
        if not response.is_success:
            raise self._unavailable(f"answered {request} with {response.status_code}: {response.text[:_SHOWN]!r}")

    def _unavailable(self, what: str) -> LabelingUnavailable:
        return LabelingUnavailable(
            f"Label Studio at {self.url}: {what}. The tasks wait and nothing is lost; run it again"
        )


class _PersonalToken(httpx.Auth):
    """A personal access token buys access tokens that live for minutes; a new one is bought when one is refused."""

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self._refresh_url = f"{url}/api/token/refresh/"
        self._token = token
        self._access = ""

    @property
    def _header(self) -> str:
        """Without access the server is asked all the same: its refusal says what is wrong."""
        return f"Bearer {self._access or 'none'}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request, with a new access token where there is none or it has ended."""
        if not self._access:
            yield from self._renewed()
        request.headers["Authorization"] = self._header
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._renewed()
            request.headers["Authorization"] = self._header
            yield request

    def _renewed(self) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", self._refresh_url, json={"refresh": self._token})
        try:
            answer = response.json() if response.is_success else {}
        except ValueError:
            answer = {}
        self._access = str(answer.get("access", "")) if isinstance(answer, dict) else ""


class _LegacyToken(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._header = f"Token {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


def _authentication(url: str, token: str) -> httpx.Auth:
    return _PersonalToken(url, token) if _is_web_token(token) else _LegacyToken(token)


def _is_web_token(token: str) -> bool:
    """Personal access tokens are JSON web tokens; legacy ones are forty hexadecimal characters."""
    head, dot, _ = token.partition(".")
    if not dot:
        return False
    try:
        return "alg" in json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return False
