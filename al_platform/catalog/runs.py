"""Rounds that were given to the service, and the idempotency keys they came with."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import rows_of
from al_platform.domain.runs import TO_BE_RUN, RoundRun, RunState

_COLUMNS = (
    "round_id, state, submitted_by, strftime(submitted_at, '%Y-%m-%d %H:%M:%S.%f') AS submitted_at, "
    "attempts, stop_requested, message"
)


def save_run(tx: Transaction, run: RoundRun) -> None:
    """Write a run as it is now, known or new."""
    tx.execute(
        "INSERT INTO round_runs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, "
        "attempts = excluded.attempts, stop_requested = excluded.stop_requested, message = excluded.message",
        [
            run.round_id,
            run.state.value,
            run.submitted_by,
            run.submitted_at,
            run.attempts,
            run.stop_requested,
            run.message,
        ],
    )


def drop_run(tx: Transaction, round_id: str) -> None:
    """Forget a run."""
    tx.execute("DELETE FROM round_runs WHERE round_id = ?", [round_id])


def find_run(tx: Transaction, round_id: str) -> RoundRun | None:
    """Give the run of a round, None where the service was never asked for it."""
    rows = rows_of(tx, f"SELECT {_COLUMNS} FROM round_runs WHERE round_id = ?", [round_id])
    return _run(rows[0]) if rows else None


def runs_of(tx: Transaction, round_ids: Sequence[str]) -> dict[str, RoundRun]:
    """Give the runs of these rounds; a round without one is left out."""
    if not round_ids:
        return {}
    marks = ", ".join("?" * len(round_ids))
    rows = rows_of(tx, f"SELECT {_COLUMNS} FROM round_runs WHERE round_id IN ({marks})", round_ids)
    return {row["round_id"]: _run(row) for row in rows}


def unfinished_runs(tx: Transaction) -> list[RoundRun]:
    """Give what is queued or was being run, in the order of submission."""
    return runs_in(tx, TO_BE_RUN)


def runs_in(tx: Transaction, states: Sequence[RunState]) -> list[RoundRun]:
    """Give the runs in these states, in the order of submission."""
    marks = ", ".join("?" * len(states))
    rows = rows_of(
        tx,
        f"SELECT {_COLUMNS} FROM round_runs WHERE state IN ({marks}) ORDER BY round_runs.submitted_at, round_id",
        [state.value for state in states],
    )
    return [_run(row) for row in rows]


def round_at_pool(tx: Transaction, pool_filter: str, targets: Sequence[str]) -> str:
    """Give a round that is queued, running or waiting for labels, on a pool of this filter, for one of these classes.

    Empty where there is none.
    """
    states = ", ".join(f"'{state.value}'" for state in TO_BE_RUN)
    rows = tx.execute(
        "SELECT round_id FROM round_runs JOIN rounds USING (round_id) JOIN pools ON pool_id = spec->>'$.pool_id' "
        f"WHERE round_runs.state IN ({states}) AND filter = ? "
        "AND list_has_any(from_json(spec->'$.targets', '[\"VARCHAR\"]'), ?) ORDER BY submitted_at, round_id LIMIT 1",
        [pool_filter, list(targets)],
    ).fetchall()
    return str(rows[0][0]) if rows else ""


def count_runs(tx: Transaction) -> dict[RunState, int]:
    """Give how many rounds are in each state."""
    rows = tx.execute("SELECT state, count(*) FROM round_runs GROUP BY state").fetchall()
    return {**dict.fromkeys(RunState, 0), **{RunState(state): count for state, count in rows}}


def keep_idempotency_key(tx: Transaction, *, actor: str, key: str, request_hash: str, target: str, now: str) -> None:
    """Remember what came of a request."""
    tx.execute("INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?)", [actor, key, request_hash, target, now])


def known_request(tx: Transaction, *, actor: str, key: str) -> tuple[str, str] | None:
    """Give (hash of the request, what came of it) for a key that this actor used before, else None."""
    rows = tx.execute(
        "SELECT request_hash, target FROM idempotency_keys WHERE actor = ? AND key = ?", [actor, key]
    ).fetchall()
    return (rows[0][0], rows[0][1]) if rows else None


def _run(row: Mapping[str, Any]) -> RoundRun:
    return RoundRun(**{**row, "state": RunState(row["state"])})


def past_steps(tx: Transaction, step: str, *, limit: int = 20) -> list[tuple[float, Mapping[str, Any]]]:
    """Give (seconds, outputs) of the newest runs of a step that were computed, not found."""
    rows = tx.execute(
        "SELECT seconds, outputs FROM step_runs WHERE step = ? AND NOT cached ORDER BY started_at DESC LIMIT ?",
        [step, limit],
    ).fetchall()
    return [(seconds, json.loads(outputs)) for seconds, outputs in rows]
