"""Scoring frames: read, decoded, encoded, and asked of the ensemble, a shard at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from al_platform.domain.models import ModelSpec
from al_platform.domain.scores import ScoringJob, UnreadableItem
from al_platform.errors import InvalidInput, NonFiniteScore
from al_platform.models.families import family_named
from al_platform.models.records import ContentRecords, frame_reader
from al_platform.models.weights import weights_from_bytes
from al_platform.scoring.devices import batch_size, make_forward
from al_platform.scoring.measures import MEASURES, PoolMeasures, no_measures
from al_platform.scoring.pipeline import MeasuredBatch, Pipeline, measured_batches, open_pipeline
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.shards import ScoredShard
from al_platform.scoring.stages import StageClock
from al_platform.storage.pools import read_pool


class FrameScorer:
    """Scores shards of a pool of frames by one ensemble."""

    def __init__(self, place: ScoringPlace, job: ScoringJob, pipeline: Pipeline) -> None:
        self._place, self._job, self._pipeline = place, job, pipeline

    @property
    def clock(self) -> StageClock:
        """What is busy, and for how long."""
        return self._pipeline.clock

    def score(self, shard: int, scored: Callable[[int], None]) -> ScoredShard:
        """Score a shard; `scored` hears of every batch how many rows it had.

        Raises: NonFiniteScore naming the first frame and class whose score is NaN or infinite.
        """
        job = self._job
        first, count = job.rows_of(shard)
        columns = ["item_id", "session", "timestamp_s", "image_hash"]
        items = read_pool(self._place.blobs, job.pool_manifest_hash, columns, first=first, rows=count)
        measures = no_measures(count, len(job.model.classes))
        unreadable: dict[int, str] = {}
        for batch in measured_batches(self._pipeline, items["image_hash"].to_pylist()):
            _require_finite(batch, items, job.model.classes)
            for name, values in measures.items():
                values[batch.places] = getattr(batch.measures, name)
            unreadable.update(batch.unreadable)
            scored(batch.count)
        kept = np.array([place for place in range(count) if place not in unreadable], np.int64)
        return ScoredShard(
            shard=shard,
            rows=first + kept,
            sessions=items["session"].to_numpy()[kept],
            timestamps_s=items["timestamp_s"].to_numpy()[kept],
            measures=PoolMeasures(*(getattr(measures, name)[kept] for name in MEASURES)),
            unreadable=tuple(
                UnreadableItem(first + place, items["item_id"][place].as_py(), reason)
                for place, reason in sorted(unreadable.items())
            ),
        )


@contextmanager
def open_frame_scorer(place: ScoringPlace, job: ScoringJob, spec: ModelSpec) -> Iterator[FrameScorer]:
    """Load the ensemble of a job."""
    family = family_named(spec.family)
    encoder = family.load_encoder(spec, place.blobs.get(_encoder_of(job)))
    weights = weights_from_bytes(family, spec, place.blobs.get(job.weights_hash))
    records = ContentRecords(encoder, frame_reader(place.blobs, spec.grid), place.caches)
    forward = make_forward(family, spec, weights, np.asarray(job.temperatures, np.float32))
    with open_pipeline(records, forward, batch=batch_size()) as pipeline:
        yield FrameScorer(place, job, pipeline)


def _encoder_of(job: ScoringJob) -> str:
    if job.encoder_hash is None:
        raise InvalidInput(f"scores {job.score_id}: the job names no encoder; run its round again")
    return job.encoder_hash


def _require_finite(batch: MeasuredBatch, items: pa.Table, classes: tuple[str, ...]) -> None:
    for name, values in batch.measures.items():
        if not np.isfinite(values).all():
            place, column = np.argwhere(~np.isfinite(values))[0]
            frame_id = items["item_id"][int(batch.places[place])].as_py()
            raise NonFiniteScore(
                f"{name} of frame {frame_id} for class {classes[column]} is {values[place, column]}: the "
                "ensemble's weights or its inputs are broken; nothing was selected. Train with a lower learning rate"
            )
