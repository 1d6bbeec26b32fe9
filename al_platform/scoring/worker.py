"""A scorer: takes shard after shard, its own share first, then what the others have not finished."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from al_platform.domain.progress import Progress, ReportProgress
from al_platform.domain.scores import ScoringJob, Share, UnreadableItem
from al_platform.errors import InvalidInput, NonFiniteScore
from al_platform.models.families import family_named
from al_platform.models.records import ContentRecords, frame_reader
from al_platform.models.weights import weights_from_bytes
from al_platform.scoring.devices import batch_size, make_forward
from al_platform.scoring.job import FORMULA
from al_platform.scoring.markers import finished_marker, finished_markers
from al_platform.scoring.measures import MEASURES, PoolMeasures, no_measures
from al_platform.scoring.pipeline import MeasuredBatch, Pipeline, measured_batches, open_pipeline
from al_platform.scoring.shards import ScoredShard, write_shard
from al_platform.scoring.stages import StageClock
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.pools import read_pool
from al_platform.storage.records import RecordCaches

STAGE = "score"


@dataclass(frozen=True)
class ScoringPlace:
    """Where a scorer reads and writes; every scorer of a job has the same storage, none needs the same caches."""

    blobs: BlobStore
    caches: RecordCaches

    @property
    def files(self) -> NamedFiles:
        """Give the files of scores, beside the blobs."""
        return NamedFiles(self.blobs.url)


def run_scorer(place: ScoringPlace, job: ScoringJob, *, share: Share, report: ReportProgress) -> None:
    """Score every shard of a job that is not finished yet.

    Raises: NonFiniteScore naming the first frame and class whose score is NaN or infinite; CorruptScores for
        files that are not what they should be; InvalidInput for a job of another formula; StorageUnavailable.
    """
    if job.formula != FORMULA:
        raise InvalidInput(
            f"scores {job.score_id}: of formula {job.formula}, this version computes {FORMULA}; finish it with the "
            "version that began it"
        )
    finished = finished_markers(place.files, job)
    done = sum(marker.rows for marker in finished.values())
    report(Progress(STAGE, done, job.frames))
    if len(finished) == job.shards:
        return
    with _open(place, job) as pipeline, ThreadPoolExecutor(1) as writer:
        speed, writing = _Speed(job.frames, done, pipeline.clock, report), list[Future[None]]()
        for shard in claim_order(job.shards, share):
            if shard in finished:
                continue
            if finished_marker(place.files, job, shard) is not None:
                speed.found(job.rows_of(shard)[1])
                continue
            before = pipeline.clock.seconds()
            scored = _score_shard(place.blobs, job, pipeline, shard=shard, speed=speed)
            spent = pipeline.clock.seconds_since(before)
            while writing:  # one shard is written while the next is scored, and no more
                writing.pop().result()
            writing.append(writer.submit(_write, place.files, job, pipeline.clock, scored, spent))
        while writing:
            writing.pop().result()


def claim_order(shards: int, share: Share) -> list[int]:
    """Give every shard in the order in which one of several scorers takes them.

    Its own first; then those of the next scorer, and so on round, each from its end, which its owner reaches last.
    """
    order = list(range(share.number - 1, shards, share.of))
    for step in range(1, share.of):
        order += reversed(range((share.number - 1 + step) % share.of, shards, share.of))
    return order


class _Speed:
    """Says how far the job is, how fast this scorer goes, and which stage holds it up."""

    def __init__(self, total: int, done: int, clock: StageClock, report: ReportProgress) -> None:
        self._total, self._done, self._clock, self._report = total, done, clock, report
        self._scored, self._started = 0, time.perf_counter()

    def found(self, rows: int) -> None:
        """Count rows that another scorer finished."""
        self._done += rows

    def scored(self, rows: int) -> None:
        """Count rows that were scored here, and report."""
        self._done += rows
        self._scored += rows
        rate = self._scored / (time.perf_counter() - self._started)
        note = f"{rate:,.0f} frames/s, limit {self._clock.limit()}"
        done = min(self._done, self._total)
        self._report(Progress(STAGE, done, self._total, note, (self._total - done) / rate))


@contextmanager
def _open(place: ScoringPlace, job: ScoringJob) -> Iterator[Pipeline]:
    family, spec = family_named(job.model.family), job.model
    encoder = family.load_encoder(spec, place.blobs.get(job.encoder_hash))
    weights = weights_from_bytes(family, spec, place.blobs.get(job.weights_hash))
    records = ContentRecords(encoder, frame_reader(place.blobs, spec.grid), place.caches)
    forward = make_forward(family, spec, weights, np.asarray(job.temperatures, np.float32))
    with open_pipeline(records, forward, batch=batch_size()) as pipeline:
        yield pipeline


def _score_shard(blobs: BlobStore, job: ScoringJob, pipeline: Pipeline, *, shard: int, speed: _Speed) -> ScoredShard:
    first, count = job.rows_of(shard)
    columns = ["item_id", "session", "timestamp_s", "image_hash"]
    items = read_pool(blobs, job.pool_manifest_hash, columns, first=first, rows=count)
    measures = no_measures(count, len(job.model.classes))
    unreadable: dict[int, str] = {}
    for batch in measured_batches(pipeline, items["image_hash"].to_pylist()):
        _require_finite(batch, items, job.model.classes)
        for name, values in measures.items():
            values[batch.places] = getattr(batch.measures, name)
        unreadable.update(batch.unreadable)
        speed.scored(batch.count)
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


def _write(
    files: NamedFiles, job: ScoringJob, clock: StageClock, scored: ScoredShard, stage_seconds: dict[str, float]
) -> None:
    with clock.busy("write"):
        write_shard(files, job, scored, stage_seconds)


def _require_finite(batch: MeasuredBatch, items: pa.Table, classes: tuple[str, ...]) -> None:
    for name, values in batch.measures.items():
        if not np.isfinite(values).all():
            place, column = np.argwhere(~np.isfinite(values))[0]
            frame_id = items["item_id"][int(batch.places[place])].as_py()
            raise NonFiniteScore(
                f"{name} of frame {frame_id} for class {classes[column]} is {values[place, column]}: the "
                "ensemble's weights or its inputs are broken; nothing was selected. Train with a lower learning rate"
            )
