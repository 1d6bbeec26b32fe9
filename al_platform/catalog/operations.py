"""What was asked of the service about policies."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.operations import Operation, OperationState
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json

_OPERATIONS = "(SELECT operation_id, record, strftime(asked_at, '%Y-%m-%d %H:%M:%S.%f') AS asked_at FROM operations)"


def save_operation(tx: Transaction, operation: Operation) -> None:
    """Keep an operation as it is now."""
    tx.execute(
        "INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?)",
        [operation.operation_id, operation.state.value, canonical_json(operation), operation.asked_at],
    )


def find_operation(tx: Transaction, operation_id: str) -> Operation | None:
    """Give an operation, None for an id that nobody asked for."""
    rows = rows_of(tx, "SELECT record FROM operations WHERE operation_id = ?", [operation_id])
    return _operation(rows[0]) if rows else None


def operations_in(tx: Transaction, state: OperationState, *, limit: int) -> list[Operation]:
    """Give at most so many operations in a state, in the order in which they were asked for."""
    sql = "SELECT record FROM operations WHERE state = ? ORDER BY asked_at, operation_id LIMIT ?"
    return [_operation(row) for row in rows_of(tx, sql, [state.value, limit])]


def operations_page(tx: Transaction, kind: str, page: PageRequest) -> Page[Operation]:
    """Give what was asked for under ids of a kind, such as `cmw`, newest first."""
    where = Condition("starts_with(operation_id, ? || '_')", (kind,))
    order = {"asked_at": str, "operation_id": str}
    return page_of(tx, _OPERATIONS, page=page, order=order, make=_operation, where=where, newest_first=True)


def _operation(row: Mapping[str, Any]) -> Operation:
    return record_from_json(Operation, row["record"])
