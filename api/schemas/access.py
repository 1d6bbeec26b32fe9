"""Keys and the log of changes."""

from typing import Annotated, Any, Literal

from pydantic import Field

from al_platform.domain.access import Scope
from api.schemas.base import In, Out

KeyName = Annotated[str, Field(min_length=1, max_length=100, examples=["nightly loop"])]


class KeyIn(In):
    """A key to be made."""

    name: KeyName
    scope: Scope = Scope.READER
    expires_at: Annotated[str, Field(max_length=40, examples=["2027-12-31T23:59:59Z"])] | None = None


class KeyChange(In):
    """Another name, or `revoked`, for good."""

    name: KeyName | None = None
    state: Literal["revoked"] | None = None


class KeyOut(Out):
    """A key, without its text. Times are UTC."""

    key_id: str
    name: str
    scope: Scope
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    revision: int


class NewKeyOut(KeyOut):
    """A key that was just made: its text is shown this once."""

    key: str


class CallerOut(Out):
    """Who asks, and what they may do."""

    name: str = Field(examples=["key 5f0c8a2b1d3e"])
    scope: Scope


class ChangeOut(Out):
    """A logged change: who did what to which object, when (UTC), in which request."""

    number: int
    happened_at: str
    actor: str
    action: str = Field(examples=["round.submitted"])
    target: str
    request_id: str
    detail: dict[str, Any]
