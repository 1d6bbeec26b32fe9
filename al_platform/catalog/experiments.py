"""Experiments: what was compared, and the points of every curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import NotFound

_EXPERIMENTS = (
    "(SELECT experiment_id, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f') AS created_at, (SELECT count(*) "
    "FROM experiment_points p WHERE p.experiment_id = e.experiment_id) AS points FROM experiments e)"
)


@dataclass(frozen=True)
class ExperimentSummary:
    """An experiment, how many points its curves have so far, and when it began (UTC)."""

    experiment_id: str
    created_at: str
    points: int


def add_experiment(tx: Transaction, experiment_id: str, spec_json: str, *, now: str) -> None:
    """Enter an experiment; entering it again changes nothing."""
    insert_missing(tx, "experiments", {"experiment_id": [experiment_id], "spec": [spec_json], "created_at": [now]})


def add_points(
    tx: Transaction,
    experiment_id: str,
    *,
    arm: str,
    seed: int,
    points: Sequence[tuple[int, str | None, str]],
) -> None:
    """Keep points (round index, round id, JSON) of one arm and seed; those known already stay."""
    insert_missing(
        tx,
        "experiment_points",
        {
            "experiment_id": [experiment_id] * len(points),
            "arm": [arm] * len(points),
            "seed": [seed] * len(points),
            "round_index": [point[0] for point in points],
            "round_id": [point[1] for point in points],
            "point": [point[2] for point in points],
        },
    )


def points_of(tx: Transaction, experiment_id: str) -> list[str]:
    """Give the points of an experiment as JSON, by arm, seed and round."""
    rows = rows_of(
        tx,
        "SELECT point FROM experiment_points WHERE experiment_id = ? ORDER BY arm, seed, round_index",
        [experiment_id],
    )
    return [row["point"] for row in rows]


def arm_is_done(tx: Transaction, experiment_id: str, *, arm: str, seed: int) -> bool:
    """Say whether the points of an arm and seed are kept; they are kept all at once."""
    rows = tx.execute(
        "SELECT count(*) FROM experiment_points WHERE experiment_id = ? AND arm = ? AND seed = ?",
        [experiment_id, arm, seed],
    ).fetchall()
    return bool(rows[0][0])


def rounds_of_experiment(tx: Transaction, experiment_id: str, *, seed: int) -> list[tuple[str, int, str]]:
    """Give (arm, round index, round id) of one seed, by arm and round; the reference points have no round."""
    rows = rows_of(
        tx,
        "SELECT arm, round_index, round_id FROM experiment_points "
        "WHERE experiment_id = ? AND seed = ? AND round_id IS NOT NULL ORDER BY arm, round_index",
        [experiment_id, seed],
    )
    return [(row["arm"], row["round_index"], row["round_id"]) for row in rows]


def experiment_spec(tx: Transaction, experiment_id: str) -> str:
    """Give the specification of an experiment as JSON.

    Raises: NotFound for an unknown id.
    """
    rows = tx.execute("SELECT spec FROM experiments WHERE experiment_id = ?", [experiment_id]).fetchall()
    if not rows:
        raise NotFound(f"experiment {experiment_id}: not in the catalog; `alp experiments` shows what there is")
    return str(rows[0][0])


def experiments_page(tx: Transaction, page: PageRequest) -> Page[ExperimentSummary]:
    """Give experiments, newest first."""
    order = {"created_at": str, "experiment_id": str}
    return page_of(tx, _EXPERIMENTS, page=page, order=order, make=_summary, newest_first=True)


def _summary(row: Mapping[str, Any]) -> ExperimentSummary:
    return ExperimentSummary(**row)


def all_experiments(tx: Transaction) -> list[dict[str, object]]:
    """Give id, number of points and date of every experiment, newest first."""
    return rows_of(
        tx,
        "SELECT experiment_id, created_at, (SELECT count(*) FROM experiment_points p "
        "WHERE p.experiment_id = e.experiment_id) AS points FROM experiments e "
        "ORDER BY created_at DESC, experiment_id",
    )
