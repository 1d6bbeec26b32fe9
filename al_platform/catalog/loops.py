"""Loops: what was asked for, what the service does about each, and what its rounds showed."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.loops import LoopRound, LoopRun, LoopSpec, LoopState
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json
from al_platform.errors import NotFound

_TIME = "'%Y-%m-%d %H:%M:%S.%f'"
_RUNS = (
    f"(SELECT loop_id, state, created_by, strftime(created_at, {_TIME}) AS created_at, message, "
    f"strftime(next_at, {_TIME}) AS next_at FROM loop_runs)"
)


def add_loop(tx: Transaction, loop_id: str, spec: LoopSpec, *, now: str) -> None:
    """Enter a loop; entering it again changes nothing."""
    insert_missing(tx, "loops", {"loop_id": [loop_id], "spec": [canonical_json(spec)], "created_at": [now]})


def loop_named(tx: Transaction, loop_id: str) -> LoopSpec:
    """Give what was asked for.

    Raises: NotFound for an unknown id.
    """
    rows = tx.execute("SELECT spec FROM loops WHERE loop_id = ?", [loop_id]).fetchall()
    if not rows:
        raise NotFound(f"loop {loop_id}: not in the catalog; `alp loop list` shows what there is")
    return record_from_json(LoopSpec, rows[0][0])


def find_loop_run(tx: Transaction, loop_id: str) -> LoopRun | None:
    """Give what the service does about a loop, None where it was never given to it."""
    rows = rows_of(tx, f"SELECT * FROM {_RUNS} WHERE loop_id = ?", [loop_id])
    return _run(rows[0]) if rows else None


def loop_run_named(tx: Transaction, loop_id: str) -> LoopRun:
    """Give what the service does about a loop.

    Raises: NotFound for a loop that was never given to it.
    """
    run = find_loop_run(tx, loop_id)
    if run is None:
        raise NotFound(f"loop {loop_id}: was never given to a service; `alp loop list` shows what was")
    return run


def save_loop_run(tx: Transaction, run: LoopRun) -> None:
    """Write what the service does about a loop, known or new."""
    tx.execute(
        "INSERT INTO loop_runs VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, "
        "message = excluded.message, next_at = excluded.next_at",
        [run.loop_id, run.state.value, run.created_by, run.created_at, run.message, run.next_at],
    )


def loop_runs_page(tx: Transaction, state: str, page: PageRequest) -> Page[LoopRun]:
    """Give loops, newest first, in one state or, where it is empty, in any."""
    return page_of(
        tx,
        _RUNS,
        page=page,
        order={"created_at": str, "loop_id": str},
        make=_run,
        where=Condition("? = '' OR state = ?", (state, state)),
        newest_first=True,
    )


def open_loops(tx: Transaction) -> list[str]:
    """Give the loops that are active or paused, oldest first."""
    rows = tx.execute(
        "SELECT loop_id FROM loop_runs WHERE state IN (?, ?) ORDER BY created_at, loop_id",
        [LoopState.ACTIVE.value, LoopState.PAUSED.value],
    ).fetchall()
    return [row[0] for row in rows]


def rounds_of_loop(tx: Transaction, loop_id: str) -> list[LoopRound]:
    """Give the rounds of a loop, oldest first."""
    rows = tx.execute("SELECT record FROM loop_rounds WHERE loop_id = ? ORDER BY number", [loop_id]).fetchall()
    return [record_from_json(LoopRound, row[0]) for row in rows]


def save_loop_round(tx: Transaction, loop_id: str, round_: LoopRound) -> None:
    """Write a round of a loop, known or new."""
    tx.execute(
        "INSERT INTO loop_rounds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
        [loop_id, round_.number, canonical_json(round_)],
    )


def loop_of_round(tx: Transaction, round_id: str) -> str | None:
    """Give the loop that a round belongs to, None for a round of its own."""
    rows = tx.execute("SELECT loop_id FROM rounds WHERE round_id = ?", [round_id]).fetchall()
    return rows[0][0] if rows else None


def _run(row: Mapping[str, Any]) -> LoopRun:
    return LoopRun(**{**row, "state": LoopState(row["state"])})
