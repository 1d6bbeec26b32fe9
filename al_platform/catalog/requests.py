"""Rounds as they were asked for, before and after their pools were frozen."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json
from al_platform.domain.runs import KnownRequest, RoundRequest

_REQUESTS = (
    "(SELECT request_id, request, submitted_by, strftime(submitted_at, '%Y-%m-%d %H:%M:%S.%f') AS submitted_at, "
    "round_id FROM round_requests)"
)


def add_request(tx: Transaction, request: KnownRequest) -> None:
    """Keep a request."""
    tx.execute(
        "INSERT INTO round_requests VALUES (?, ?, ?, ?, ?)",
        [
            request.request_id,
            canonical_json(request.request),
            request.submitted_by,
            request.submitted_at,
            request.round_id,
        ],
    )


def find_request(tx: Transaction, request_id: str) -> KnownRequest | None:
    """Give a request, None for an id that is none of a request."""
    rows = rows_of(tx, f"SELECT * FROM {_REQUESTS} WHERE request_id = ?", [request_id])
    return _request(rows[0]) if rows else None


def link_request(tx: Transaction, request_id: str, round_id: str) -> None:
    """Write which round a request became."""
    tx.execute("UPDATE round_requests SET round_id = ? WHERE request_id = ?", [round_id, request_id])


def newest_request_for(tx: Transaction, round_id: str) -> KnownRequest | None:
    """Give the last request that became this round, None for a round that nobody asked the service for."""
    rows = rows_of(
        tx, f"SELECT * FROM {_REQUESTS} WHERE round_id = ? ORDER BY submitted_at DESC, request_id LIMIT 1", [round_id]
    )
    return _request(rows[0]) if rows else None


def requests_page(tx: Transaction, page: PageRequest) -> Page[KnownRequest]:
    """Give requests, newest first."""
    order = {"submitted_at": str, "request_id": str}
    return page_of(tx, _REQUESTS, page=page, order=order, make=_request, newest_first=True)


def _request(row: Mapping[str, Any]) -> KnownRequest:
    return KnownRequest(**{**row, "request": record_from_json(RoundRequest, row["request"])})
