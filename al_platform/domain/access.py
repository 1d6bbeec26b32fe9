"""Who may do what, and who did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do; each may do what those before it may."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        """Say whether this scope suffices where `needed` is asked for."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Actor:
    """Who makes a request: the id of a key, the subject of a token, or `dev`."""

    name: str
    scope: Scope
    request_id: str = ""


@dataclass(frozen=True)
class ApiKey:
    """A key as the catalog knows it. Times are UTC as text; `revision` counts its changes."""

    key_id: str
    name: str
    scope: Scope
    created_at: str
    created_by: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None
    revision: int = 1


@dataclass(frozen=True)
class AuditEntry:
    """One change: who did what to which object, when, in which request."""

    number: int
    happened_at: str
    actor: str
    action: str
    target: str
    request_id: str
    detail: Mapping[str, object] = field(default_factory=dict)
