"""Rounds: what was asked for, how far each is, what each step gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import Round, RoundSpec, RoundState
from al_platform.errors import NotFound

_COLUMNS = "round_id, spec, state, ensemble_id, score_id, dataset_version_id, message"


@dataclass(frozen=True)
class StepRun:
    """One finished step: when (UTC), how long (s), whether its result was there already, what it gave."""

    step: str
    started_at: str
    seconds: float
    cached: bool
    outputs: Mapping[str, str | int | float]
    environment: Mapping[str, str]

    @property
    def ended_at(self) -> datetime:
        """When it was finished (UTC)."""
        return datetime.fromisoformat(self.started_at) + timedelta(seconds=self.seconds)


def plan_round(tx: Transaction, round_id: str, spec: RoundSpec, *, loop_id: str | None, now: str) -> Round:
    """Enter a round as PLANNED, or give it as far as it is when it was entered before."""
    insert_missing(
        tx,
        "rounds",
        {
            "round_id": [round_id],
            "loop_id": [loop_id],
            "state": [RoundState.PLANNED.value],
            "spec": [canonical_json(spec)],
            "message": [""],
            "created_at": [now],
        },
    )
    return round_named(tx, round_id)


def round_named(tx: Transaction, round_id: str) -> Round:
    """Give a round.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, f"SELECT {_COLUMNS} FROM rounds WHERE round_id = ?", [round_id])
    if not rows:
        raise NotFound(f"round {round_id}: not in the catalog; `alp round list` shows what there is")
    return _round(rows[0])


def spec_of_scores(tx: Transaction, score_id: str) -> RoundSpec | None:
    """Give the specification of a round that asked for these scores, None where none did."""
    rows = rows_of(tx, f"SELECT {_COLUMNS} FROM rounds WHERE score_id = ? ORDER BY created_at LIMIT 1", [score_id])
    return _round(rows[0]).spec if rows else None


def all_rounds(tx: Transaction, *, loop_id: str | None = None) -> list[Round]:
    """Give all rounds, or those of one loop, oldest first."""
    rows = rows_of(
        tx,
        f"SELECT {_COLUMNS} FROM rounds WHERE ? IS NULL OR loop_id = ? ORDER BY created_at, round_id",
        [loop_id, loop_id],
    )
    return [_round(row) for row in rows]


def save_round(tx: Transaction, round_: Round) -> None:
    """Write the state of a round and what its steps produced."""
    tx.execute(
        "UPDATE rounds SET state = ?, ensemble_id = ?, score_id = ?, dataset_version_id = ?, message = ? "
        "WHERE round_id = ?",
        [
            round_.state.value,
            round_.ensemble_id,
            round_.score_id,
            round_.dataset_version_id,
            round_.message,
            round_.round_id,
        ],
    )


def record_step(tx: Transaction, round_id: str, run: StepRun) -> None:
    """Keep the record of a finished step; a step has one."""
    insert_missing(
        tx,
        "step_runs",
        {
            "round_id": [round_id],
            "step": [run.step],
            "started_at": [run.started_at],
            "seconds": [run.seconds],
            "cached": [run.cached],
            "outputs": [canonical_json(run.outputs)],
            "environment": [canonical_json(run.environment)],
        },
    )


def steps_of(tx: Transaction, round_id: str) -> list[StepRun]:
    """Give the finished steps of a round, in order."""
    rows = rows_of(
        tx,
        "SELECT step, strftime(started_at, '%Y-%m-%d %H:%M:%S.%f') AS started_at, seconds, cached, outputs, "
        "environment FROM step_runs WHERE round_id = ? ORDER BY started_at, step",
        [round_id],
    )
    return [record_from_json(StepRun, _step_json(row)) for row in rows]


def _round(row: Mapping[str, str]) -> Round:
    return Round(
        round_id=row["round_id"],
        spec=record_from_json(RoundSpec, row["spec"]),
        state=RoundState(row["state"]),
        ensemble_id=row["ensemble_id"],
        score_id=row["score_id"],
        dataset_version_id=row["dataset_version_id"],
        message=row["message"],
    )


def _step_json(row: Mapping[str, object]) -> str:
    plain = {name: row[name] for name in ("step", "started_at", "seconds", "cached")}
    body = canonical_json(plain)[:-1]
    return f'{body},"outputs":{row["outputs"]},"environment":{row["environment"]}}}'
