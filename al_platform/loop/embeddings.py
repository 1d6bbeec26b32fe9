"""The embeddings that a strategy or a search asks for, cached: a few are computed here, many by a job.

Those of a pool stay on the disk, whatever its size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.compute.waiting import require_well, run_to_end
from al_platform.domain.hashing import hash_bytes
from al_platform.domain.jobs import Job
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput, NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.models import image_table
from al_platform.models.records import Unreadable
from al_platform.storage.mapped import mapped_rows
from al_platform.training.embedding import KIND, Embedder, EmbeddingModel, open_embedder, write_embedding_job

_FEW = 256
"""So many vectors are computed faster than a process starts."""
_PART_ROWS = 16_384
"""Frames whose vectors are in memory at once."""


@dataclass(frozen=True)
class FrameEmbeddings:
    """One vector a frame, float32 [N, D] for the pool, mapped from the disk, and [L, D] for the labelled frames."""

    pool: NDArray[Any]
    """Rows of frames that cannot be read are zero: whoever picks must leave them out."""
    labelled: NDArray[Any]
    unreadable: Unreadable


def frame_embeddings(
    context: LoopContext, round_: Round, pool: pa.Table, *, labelled: Sequence[str] = ()
) -> FrameEmbeddings:
    """Give the embeddings of a pool, of which item_id and image_hash are read, and of labelled frames.

    Raises: InvalidInput when a labelled frame cannot be read; StorageUnavailable when the disk is full; what ended
        the job.
    """
    with context.catalog.transaction() as tx:
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
        encoder_hash = model_catalog.encoder_blob(tx, ensemble.encoder_id)
        beside = image_table(tx, labelled)
    if encoder_hash is None:
        raise NotFound(f"encoder {ensemble.encoder_id} of ensemble {ensemble.ensemble_id}: not in the catalog")
    model = EmbeddingModel(ensemble.spec, ensemble.ensemble_id, ensemble.weights_hash, encoder_hash)
    name = _name_of(model, pool)
    gathered = context.caches.gathered(name)
    _compute_many(context, model, [*_parts(beside), *(_parts(pool) if gathered is None else [])])
    embedder, unreadable = open_embedder(context.place, model), Unreadable()

    def vectors(frames: pa.Table) -> Iterator[NDArray[Any]]:
        for part in _parts(frames):
            images = part["image_hash"].to_pylist()
            lost = embedder.ensure(images, context.report)
            named = zip(part["item_id"].to_pylist(), images, strict=True)
            unreadable.update({frame_id: lost[image] for frame_id, image in named if image in lost})
            yield _vectors(embedder, images, lost)

    width = embedder.cache.take([]).shape[1]
    known = np.concatenate([np.zeros((0, width), np.float32), *vectors(beside)])
    for frame_id, reason in unreadable.items():
        raise InvalidInput(f"frame {frame_id}: is labelled, but cannot be read ({reason})")
    if gathered is None:
        folder = context.caches.folder / "mapped"
        gathered = mapped_rows(vectors(pool), folder, row_shape=(width,), dtype=np.dtype(np.float32))
        if not unreadable:  # else who repairs a frame is heard
            context.caches.keep_gathered(name, gathered)
    return FrameEmbeddings(gathered, known, unreadable)


def _name_of(model: EmbeddingModel, pool: pa.Table) -> str:
    """Name the embeddings of frames by what they are computed from."""
    images = "\n".join(pool["image_hash"].to_pylist())
    return f"{model.ensemble_id} {hash_bytes(images.encode())}"


def _parts(frames: pa.Table) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = frames.select(["item_id", "image_hash"]).to_batches(max_chunksize=_PART_ROWS)
    return batches


def _vectors(embedder: Embedder, images: Sequence[str], lost: Unreadable) -> NDArray[Any]:
    """[N, D], zeros for what is lost."""
    present = np.array([image not in lost for image in images], np.bool_)
    stored = embedder.cache.take([image for image in images if image not in lost])
    vectors = np.zeros((len(images), stored.shape[1]), np.float32)
    vectors[present] = stored
    return vectors


def _compute_many(context: LoopContext, model: EmbeddingModel, parts: Sequence[pa.RecordBatch]) -> None:
    """Have a job compute what is missing where that is much; what cannot be read is left to whoever asks."""
    cache = open_embedder(context.place, model).cache
    missing = [image for part in parts for image in cache.missing(part["image_hash"].to_pylist())]
    if len(missing) <= _FEW:
        return
    job = write_embedding_job(context.place.files, context.blobs, model, missing)
    work = Job(KIND, job.name, context.workplace)
    require_well(job.embedding_id, run_to_end(context.compute, job.embedding_id, work, report=context.report))
    context.caches.forget()
