"""From content hashes to measures: read, decode, encode, forward, all at once on different batches.

What is in flight is bounded by AHEAD batches, whatever the pool: memory does not grow with it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition import FrameMeasures
from al_platform.models.batches import pad_frames
from al_platform.models.records import UNREADABLE, ContentRecords, Unreadable
from al_platform.scoring.ahead import ahead
from al_platform.scoring.devices import Forward
from al_platform.scoring.measures import PoolMeasures, on_host
from al_platform.scoring.stages import StageClock

AHEAD = 3
"""Batches that are read and encoded before the devices ask for them."""

IN_FLIGHT = AHEAD + 3
"""Batches that exist at once at most: those ahead, the one taken, two on the devices."""

READ_THREADS = 8
DECODE_THREADS = os.cpu_count() or 1


@dataclass(frozen=True)
class Pipeline:
    """What every batch goes through; made once a process."""

    records: ContentRecords
    forward: Forward
    batch: int
    readers: ThreadPoolExecutor
    decoders: ThreadPoolExecutor
    encoder: ThreadPoolExecutor
    clock: StageClock = field(default_factory=lambda: StageClock({"read": READ_THREADS, "decode": DECODE_THREADS}))


@dataclass(frozen=True)
class MeasuredBatch:
    """The measures of the readable items of a batch: places in the order asked for, measures [len(places), K]."""

    first: int
    count: int
    places: NDArray[Any]
    measures: PoolMeasures
    unreadable: Mapping[int, str]
    """Place to reason."""


@dataclass(frozen=True)
class _Loading:
    first: int
    hashes: Sequence[str]
    decoded: Mapping[str, "Future[NDArray[Any]]"]


@dataclass(frozen=True)
class _Prepared:
    first: int
    count: int
    places: NDArray[Any]
    inputs: NDArray[Any]
    unreadable: Mapping[int, str]


@contextmanager
def open_pipeline(records: ContentRecords, forward: Forward, *, batch: int) -> Iterator[Pipeline]:
    """Give a pipeline whose threads end with it; what is in flight then is dropped."""
    with ExitStack() as stack:
        readers, decoders, encoder = (ThreadPoolExecutor(threads) for threads in (READ_THREADS, DECODE_THREADS, 1))
        for threads in (readers, decoders, encoder):
            stack.callback(threads.shutdown, cancel_futures=True)
        yield Pipeline(records, forward, batch, readers, decoders, encoder)


def measured_batches(pipeline: Pipeline, hashes: Sequence[str]) -> Iterator[MeasuredBatch]:
    """Give the measures of the items of these content hashes, batch by batch, in order.

    An item that cannot be read is named with its reason. The batch after this one is on the devices already.

    Raises: StorageUnavailable when the storage itself fails.
    """
    starts = range(0, len(hashes), pipeline.batch)
    loading = (_load(pipeline, hashes[start : start + pipeline.batch], first=start) for start in starts)
    before: tuple[_Prepared, FrameMeasures] | None = None
    for prepared in ahead(partial(_prepare, pipeline), loading, executor=pipeline.encoder, depth=AHEAD):
        with pipeline.clock.busy("forward"):
            dispatched = pipeline.forward(prepared.inputs)
        if before is not None:
            yield _measured(pipeline, *before)
        before = prepared, dispatched
    if before is not None:
        yield _measured(pipeline, *before)


def _load(pipeline: Pipeline, hashes: Sequence[str], *, first: int) -> _Loading:
    """Begin to read and decode what has no record yet."""
    decoded = {}
    for content_hash in pipeline.records.missing(hashes):
        content = pipeline.readers.submit(_read, pipeline, content_hash)
        decoded[content_hash] = pipeline.decoders.submit(_decode, pipeline, content)
    return _Loading(first, hashes, decoded)


def _read(pipeline: Pipeline, content_hash: str) -> bytes:
    with pipeline.clock.busy("read"):
        return pipeline.records.reader.read(content_hash)


def _decode(pipeline: Pipeline, content: "Future[bytes]") -> NDArray[Any]:
    encoded = content.result()
    with pipeline.clock.busy("decode"):
        return pipeline.records.reader.decode(encoded)


def _prepare(pipeline: Pipeline, loading: _Loading) -> _Prepared:
    """Encode what was decoded, and gather the batch."""
    lost: Unreadable = {}
    decoded: dict[str, NDArray[Any]] = {}
    for content_hash, future in loading.decoded.items():
        try:
            decoded[content_hash] = future.result()
        except UNREADABLE as error:
            lost[content_hash] = str(error)
    fresh = pipeline.records.missing(list(decoded))  # a batch before this one may have held the same content
    with pipeline.clock.busy("encode"):
        pipeline.records.keep({content_hash: decoded[content_hash] for content_hash in fresh})
    places = [place for place, content_hash in enumerate(loading.hashes) if content_hash not in lost]
    with pipeline.clock.busy("read"):
        inputs = pad_frames(pipeline.records.take([loading.hashes[place] for place in places]), pipeline.batch)
    return _Prepared(
        first=loading.first,
        count=len(loading.hashes),
        places=loading.first + np.asarray(places, np.int64),
        inputs=inputs,
        unreadable={loading.first + place: lost[name] for place, name in enumerate(loading.hashes) if name in lost},
    )


def _measured(pipeline: Pipeline, prepared: _Prepared, dispatched: FrameMeasures) -> MeasuredBatch:
    with pipeline.clock.busy("forward"):
        measures = on_host(dispatched, len(prepared.places))
    return MeasuredBatch(prepared.first, prepared.count, prepared.places, measures, prepared.unreadable)
