"""What was asked of the service about policies."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.judgements import Judgement, JudgementState
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json

_JUDGEMENTS = "(SELECT judgement_id, record, strftime(asked_at, '%Y-%m-%d %H:%M:%S.%f') AS asked_at FROM judgements)"


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


def judgements_page(tx: Transaction, kind: str, page: PageRequest) -> Page[Judgement]:
    """Give what was asked for under ids of a kind, such as `cmw`, newest first."""
    where = Condition("starts_with(judgement_id, ? || '_')", (kind,))
    order = {"asked_at": str, "judgement_id": str}
    return page_of(tx, _JUDGEMENTS, page=page, order=order, make=_judgement, where=where, newest_first=True)


def _judgement(row: Mapping[str, Any]) -> Judgement:
    return record_from_json(Judgement, row["record"])
