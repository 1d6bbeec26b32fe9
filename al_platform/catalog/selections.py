"""Selections: what each round's picks followed from."""

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing
from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.domain.selections import SelectionRecord
from al_platform.errors import NotFound


def add_selection(tx: Transaction, record: SelectionRecord, *, now: str) -> None:
    """Keep what a round's picks followed from; a round has one such record."""
    insert_missing(
        tx, "selections", {"round_id": [record.round_id], "record": [canonical_json(record)], "created_at": [now]}
    )


def selection_of(tx: Transaction, round_id: str) -> SelectionRecord:
    """Give what a round's picks followed from.

    Raises: NotFound for a round that has picked nothing yet.
    """
    rows = tx.execute("SELECT record FROM selections WHERE round_id = ?", [round_id]).fetchall()
    if not rows:
        raise NotFound(f"round {round_id}: has selected nothing yet; run it first")
    return record_from_json(SelectionRecord, rows[0][0])
