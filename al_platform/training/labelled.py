"""Labelled frames as a blob: what a trainer reads instead of the catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from al_platform.domain.data import Frame
from al_platform.domain.hashing import canonical_json
from al_platform.domain.labels import Annotation
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore

_SCHEMA = pa.schema(
    [
        ("frame_id", pa.string()),
        ("session_id", pa.string()),
        ("frame_number", pa.int64()),
        ("image_hash", pa.string()),
        ("annotation", pa.string()),
        ("weight", pa.float64()),
        ("loss_weight", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Labelled:
    """Frames with the labels that were bought for them, row by row.

    `weights` [N] of the draw and `loss_weights` [N] of the loss, in [0, 1]; None for all alike.
    """

    frame_ids: tuple[str, ...]
    session_ids: tuple[str, ...]
    frame_numbers: tuple[int, ...]
    images: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    weights: NDArray[Any] | None = None
    loss_weights: NDArray[Any] | None = None


def labelled_of(
    frames: Sequence[Frame], annotations: Sequence[Annotation], weights: NDArray[Any] | None = None
) -> Labelled:
    """Give frames and their labels as a trainer reads them."""
    return Labelled(
        frame_ids=tuple(frame.frame_id for frame in frames),
        session_ids=tuple(frame.session_id for frame in frames),
        frame_numbers=tuple(frame.frame_number for frame in frames),
        images=tuple(frame.image.hash for frame in frames),
        annotations=tuple(annotations),
        weights=weights,
    )


def write_labelled(blobs: BlobStore, labelled: Labelled) -> str:
    """Store labelled frames in their order; gives the hash of the Parquet blob."""
    rows = len(labelled.frame_ids)
    columns = [
        labelled.frame_ids,
        labelled.session_ids,
        labelled.frame_numbers,
        labelled.images,
        [canonical_json(annotation) for annotation in labelled.annotations],
        [None] * rows if labelled.weights is None else labelled.weights,
        [None] * rows if labelled.loss_weights is None else labelled.loss_weights,
    ]
    table = pa.table([pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)], _SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return blobs.put(sink.getvalue().to_pybytes(), media_type="application/vnd.apache.parquet").hash


def read_labelled(blobs: BlobStore, labelled_hash: str) -> Labelled:
    """Give the labelled frames of a blob.

    Raises: NotFound for an unknown blob, CorruptBlob where it is none of labelled frames.
    """
    content = blobs.get(labelled_hash)
    try:
        table = pq.read_table(pa.BufferReader(content), schema=_SCHEMA)
    except pa.ArrowInvalid as error:
        raise CorruptBlob(f"labelled frames {labelled_hash} in {blobs.url}: {error}") from error
    columns = {name: table[name].to_pylist() for name in _SCHEMA.names}
    return Labelled(
        frame_ids=tuple(columns["frame_id"]),
        session_ids=tuple(columns["session_id"]),
        frame_numbers=tuple(columns["frame_number"]),
        images=tuple(columns["image_hash"]),
        annotations=tuple(record_from_json(Annotation, text) for text in columns["annotation"]),
        weights=_numbers(table["weight"]),
        loss_weights=_numbers(table["loss_weight"]),
    )


def _numbers(column: pa.ChunkedArray) -> NDArray[Any] | None:
    """The numbers of a column, None where it has none."""
    return np.array(column.to_pylist(), np.float64) if column.null_count < len(column) else None
