"""Judgements that were asked of the service."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.judgements import Judgement, JudgementState
from al_platform.domain.records import record_from_json


def save_judgement(tx: Transaction, judgement: Judgement) -> None:
    """Keep a judgement as it is now."""
    tx.execute(
        "INSERT OR REPLACE INTO judgements VALUES (?, ?, ?, ?)",
        [judgement.judgement_id, judgement.state.value, canonical_json(judgement), judgement.asked_at],
    )


def find_judgement(tx: Transaction, judgement_id: str) -> Judgement | None:
    """Give a judgement, None for an id that nobody asked for."""
    rows = rows_of(tx, "SELECT record FROM judgements WHERE judgement_id = ?", [judgement_id])
    return _judgement(rows[0]) if rows else None


def judgements_in(tx: Transaction, state: JudgementState, *, limit: int) -> list[Judgement]:
    """Give at most so many judgements in a state, in the order in which they were asked for."""
    sql = "SELECT record FROM judgements WHERE state = ? ORDER BY asked_at, judgement_id LIMIT ?"
    return [_judgement(row) for row in rows_of(tx, sql, [state.value, limit])]


def _judgement(row: Mapping[str, Any]) -> Judgement:
    return record_from_json(Judgement, row["record"])
