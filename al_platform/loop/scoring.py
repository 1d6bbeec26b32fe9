"""QUERY: every frame of a pool scored by an ensemble, into one Parquet blob."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acquisition import FrameMeasures
from al_platform.catalog.manifests import read_table, write_table
from al_platform.domain.models import ModelSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import NonFiniteScore
from al_platform.models.base import ModelFamily
from al_platform.models.batches import padded_batches
from al_platform.models.scoring import make_scorer
from al_platform.storage.blobs import BlobStore
from al_platform.training.ensemble import TrainedEnsemble
from al_platform.training.inputs import FrameRecords

FORMULA = "bernoulli-mi-reference/2"
"""Names the formulas behind the numbers; raised whenever a number could come out otherwise."""

SCORE_BATCH = 64


@dataclass(frozen=True)
class PoolMeasures:
    """`acquisition.FrameMeasures` of N frames and K classes on the host, each [N, K]; their meaning is told there."""

    mi_sum: NDArray[Any]
    mi_mean: NDArray[Any]
    mi_max: NDArray[Any]
    mi_top: NDArray[Any]
    entropy_sum: NDArray[Any]
    expected_entropy_sum: NDArray[Any]
    variance_sum: NDArray[Any]
    mass_sum: NDArray[Any]
    aleatoric_share: NDArray[Any]

    def items(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Give each measure with its name."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def spread_over(self, present: NDArray[Any]) -> "PoolMeasures":
        """Give the measures of all rows of a pool: those of the rows marked present, in order, zeros elsewhere."""
        spread = {name: np.zeros((len(present), values.shape[1]), values.dtype) for name, values in self.items()}
        for name, values in self.items():
            spread[name][present] = values
        return PoolMeasures(**spread)


def score_frames(
    family: ModelFamily,
    spec: ModelSpec,
    trained: TrainedEnsemble,
    *,
    records: FrameRecords,
    frame_ids: Sequence[str],
    report: ReportProgress,
) -> PoolMeasures:
    """Give the frame measures [N, K] of every frame, streamed: no probability map is ever kept.

    Raises: NonFiniteScore naming the first frame and class whose score is NaN or infinite.
    """
    score = make_scorer(family, spec)
    parts: list[PoolMeasures] = []
    for start in range(0, len(frame_ids), SCORE_BATCH):
        report(Progress("score", start, len(frame_ids)))
        inputs = records.take(frame_ids[start : start + SCORE_BATCH])
        for batch, count in padded_batches(inputs, SCORE_BATCH):
            measured = score(trained.parameters, jnp.asarray(trained.temperatures), jnp.asarray(batch))
            parts.append(_on_host(measured, count))
    report(Progress("score", len(frame_ids), len(frame_ids)))
    names = [field.name for field in fields(PoolMeasures)]
    measures = PoolMeasures(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    _require_finite(measures, frame_ids, spec.classes)
    return measures


def write_scores(blobs: BlobStore, measures: PoolMeasures, frame_ids: Sequence[str], classes: Sequence[str]) -> str:
    """Store measures as one Parquet blob of a row per frame and class; gives its hash."""
    columns = {name: pa.array(values.reshape(-1)) for name, values in measures.items()}
    frame_column = pa.array(np.repeat(np.asarray(frame_ids, object), len(classes)), pa.string())
    class_column = pa.array(list(classes) * len(frame_ids), pa.string())
    return write_table(blobs, pa.table({"frame_id": frame_column, "class_name": class_column, **columns}))


def read_scores(blobs: BlobStore, blob_hash: str, classes: Sequence[str]) -> tuple[list[str], PoolMeasures]:
    """Give back frame ids and measures [N, K] of these classes."""
    table = read_table(blobs, blob_hash)
    stored = list(dict.fromkeys(table["class_name"].to_pylist()))
    frame_ids = table["frame_id"].to_pylist()[:: len(stored)]
    columns = [stored.index(name) for name in classes]
    names = [field.name for field in fields(PoolMeasures)]
    shape = (len(frame_ids), len(stored))
    return frame_ids, PoolMeasures(*(table[name].to_numpy().reshape(shape)[:, columns] for name in names))


def _on_host(measured: FrameMeasures, count: int) -> PoolMeasures:
    names = [field.name for field in fields(PoolMeasures)]
    return PoolMeasures(*(np.asarray(getattr(measured, name))[:count] for name in names))


def _require_finite(measures: PoolMeasures, frame_ids: Sequence[str], classes: Sequence[str]) -> None:
    for name, values in measures.items():
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise NonFiniteScore(
                f"{name} of frame {frame_ids[row]} for class {classes[column]} is {values[row, column]}: the "
                "ensemble's weights or its inputs are broken; nothing was selected. Train with a lower learning rate"
            )
