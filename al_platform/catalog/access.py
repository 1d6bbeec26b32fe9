"""Keys of the service and the log of every change."""

import json
from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.access import Actor, ApiKey, AuditEntry, Scope
from al_platform.domain.hashing import canonical_json
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import NotFound

_TIME = "'%Y-%m-%d %H:%M:%S.%f'"
_KEYS = (
    "(SELECT key_id, name, scope, created_by, revision, "
    + ", ".join(
        f"strftime({name}, {_TIME}) AS {name}" for name in ("created_at", "expires_at", "revoked_at", "last_used_at")
    )
    + " FROM api_keys)"
)
_ENTRIES = (
    f"(SELECT number, strftime(happened_at, {_TIME}) AS happened_at, actor, action, target, request_id, detail "
    "FROM audit_log)"
)


def add_key(tx: Transaction, key: ApiKey, *, secret_hash: str) -> None:
    """Keep a new key by the hash of its secret."""
    tx.execute(
        "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",
        [key.key_id, key.name, key.scope.value, secret_hash, key.created_at, key.created_by, key.expires_at, 1],
    )


def key_named(tx: Transaction, key_id: str) -> ApiKey:
    """Give a key.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, f"SELECT * FROM {_KEYS} WHERE key_id = ?", [key_id])
    if not rows:
        raise NotFound(f"key {key_id}: not in the catalog")
    return _key(rows[0])


def secret_hash_of(tx: Transaction, key_id: str) -> str | None:
    """Give the hash of a key's secret, None for an unknown key."""
    rows = tx.execute("SELECT secret_hash FROM api_keys WHERE key_id = ?", [key_id]).fetchall()
    return str(rows[0][0]) if rows else None


def keys_page(tx: Transaction, page: PageRequest) -> Page[ApiKey]:
    """Give keys, oldest first, revoked ones too."""
    return page_of(tx, _KEYS, page=page, order={"created_at": str, "key_id": str}, make=_key)


def count_keys(tx: Transaction) -> int:
    """Give how many keys there ever were."""
    return int(tx.execute("SELECT count(*) FROM api_keys").fetchall()[0][0])


def save_key(tx: Transaction, key: ApiKey) -> None:
    """Write what may change of a key: name, expiry, revocation; counts the change."""
    tx.execute(
        "UPDATE api_keys SET name = ?, expires_at = ?, revoked_at = ?, revision = revision + 1 WHERE key_id = ?",
        [key.name, key.expires_at, key.revoked_at, key.key_id],
    )


def save_last_use(tx: Transaction, used_at: Mapping[str, str]) -> None:
    """Write when keys were last used, {key id: time}."""
    for key_id, at in used_at.items():
        tx.execute("UPDATE api_keys SET last_used_at = ? WHERE key_id = ?", [at, key_id])


def record_change(
    tx: Transaction, actor: Actor, action: str, target: str, *, now: str, detail: Mapping[str, object] | None = None
) -> None:
    """Log a change, in the transaction that makes it."""
    tx.execute(
        "INSERT INTO audit_log (happened_at, actor, action, target, request_id, detail) VALUES (?, ?, ?, ?, ?, ?)",
        [now, actor.name, action, target, actor.request_id, canonical_json(detail or {})],
    )


def changes_page(tx: Transaction, page: PageRequest) -> Page[AuditEntry]:
    """Give logged changes, newest first."""
    return page_of(tx, _ENTRIES, page=page, order={"number": int}, make=_entry, newest_first=True)


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(**{**row, "scope": Scope(row["scope"])})


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**row, "detail": json.loads(row["detail"])})
