"""What every method of the client stands on: one connection, pages followed, problems as errors."""

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from al_platform.domain.records import record_from_json
from al_platform.errors import PlatformError

Record = TypeVar("Record")
TIMEOUT_S = 60.0
_ATTEMPTS = 3


class ServiceProblem(PlatformError):
    """What the service answered instead; `code` is stable, the message says what to do."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Connection:
    """A service at `url`, asked with a key; to be closed, or used by `with`."""

    def __init__(self, url: str, *, key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.HTTPTransport(retries=_ATTEMPTS)
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _pages(self, kind: type[Record], path: str, asked: Mapping[str, str], *, page: int) -> Iterator[Record]:
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {**asked, "limit": page}
            if cursor is not None:
                params["cursor"] = cursor
            found = self._ask("GET", path, params=params).json()
            yield from (record(kind, item) for item in found["items"])
            cursor = found["next_cursor"]
            if cursor is None:
                return

    def _list(self, kind: type[Record], path: str) -> list[Record]:
        return [record(kind, item) for item in self._ask("GET", path).json()]

    def _one(
        self,
        kind: type[Record],
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Record:
        return record(kind, self._ask(method, path, params=params, body=body, headers=headers).json())

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, params=params, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise ServiceProblem(
                f"server {self._url}: {error}; see that `alp serve` runs there", code="unreachable", status=0
            ) from error
        if answer.is_error:
            raise problem(answer)
        return answer


def record(kind: type[Record], plain: object) -> Record:
    """Give what was answered as the record that it is."""
    return record_from_json(kind, json.dumps(plain))


def problem(answer: httpx.Response) -> ServiceProblem:
    """Give the error that an answer tells of."""
    try:
        found = answer.json()
        return ServiceProblem(str(found["detail"]), code=str(found["code"]), status=answer.status_code)
    except (ValueError, KeyError, TypeError):
        text = f"server answered {answer.status_code}, and no problem document; is it `alp serve`?"
        return ServiceProblem(text, code="no-service", status=answer.status_code)


def part(text: str) -> str:
    """Give a text as one part of an address."""
    return quote(text, safe="")
