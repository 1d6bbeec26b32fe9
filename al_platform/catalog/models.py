"""Encoders, ensembles and their metrics."""

import math
from collections.abc import Mapping

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.models import EnsembleVersion
from al_platform.domain.records import record_from_json
from al_platform.errors import NotFound


def add_encoder(tx: Transaction, encoder_id: str, *, family: str, pool_id: str, blob_hash: str, now: str) -> None:
    """Keep a fitted encoder: which family, fitted on which pool, in which blob."""
    insert_missing(
        tx,
        "encoders",
        {
            "encoder_id": [encoder_id],
            "family": [family],
            "pool_id": [pool_id],
            "blob_hash": [blob_hash],
            "created_at": [now],
        },
    )


def encoder_blob(tx: Transaction, encoder_id: str) -> str | None:
    """Give the blob of an encoder, None where there is no such encoder yet."""
    rows = tx.execute("SELECT blob_hash FROM encoders WHERE encoder_id = ?", [encoder_id]).fetchall()
    return rows[0][0] if rows else None


def add_ensemble(tx: Transaction, ensemble: EnsembleVersion, *, now: str) -> None:
    """Keep a trained ensemble."""
    insert_missing(
        tx,
        "ensembles",
        {
            "ensemble_id": [ensemble.ensemble_id],
            "dataset_version_id": [ensemble.dataset_version_id],
            "encoder_id": [ensemble.encoder_id],
            "weights_hash": [ensemble.weights_hash],
            "ensemble": [canonical_json(ensemble)],
            "created_at": [now],
        },
    )


def find_ensemble(tx: Transaction, ensemble_id: str) -> EnsembleVersion | None:
    """Give an ensemble, None where there is none of this id."""
    rows = tx.execute("SELECT ensemble FROM ensembles WHERE ensemble_id = ?", [ensemble_id]).fetchall()
    return record_from_json(EnsembleVersion, rows[0][0]) if rows else None


def ensemble_named(tx: Transaction, ensemble_id: str) -> EnsembleVersion:
    """Give an ensemble.

    Raises: NotFound for an unknown id.
    """
    ensemble = find_ensemble(tx, ensemble_id)
    if ensemble is None:
        raise NotFound(f"ensemble {ensemble_id}: not in the catalog")
    return ensemble


def add_metrics(
    tx: Transaction, ensemble_id: str, test_version_id: str, metrics: Mapping[str, Mapping[str, float]]
) -> None:
    """Keep the metrics {metric: {class: value}} of an ensemble on a frozen test set; NaN is left out."""
    rows = [
        (metric, class_name, value)
        for metric, by_class in metrics.items()
        for class_name, value in by_class.items()
        if math.isfinite(value)
    ]
    insert_missing(
        tx,
        "metrics",
        {
            "ensemble_id": [ensemble_id] * len(rows),
            "test_version_id": [test_version_id] * len(rows),
            "metric": [row[0] for row in rows],
            "class_name": [row[1] for row in rows],
            "value": [row[2] for row in rows],
        },
    )


def metrics_of(tx: Transaction, ensemble_id: str, test_version_id: str) -> dict[str, dict[str, float]]:
    """Give {metric: {class: value}} of an ensemble on a test set; empty where it was not measured."""
    found: dict[str, dict[str, float]] = {}
    for row in rows_of(
        tx,
        "SELECT metric, class_name, value FROM metrics WHERE ensemble_id = ? AND test_version_id = ? "
        "ORDER BY metric, class_name",
        [ensemble_id, test_version_id],
    ):
        found.setdefault(row["metric"], {})[row["class_name"]] = row["value"]
    return found
