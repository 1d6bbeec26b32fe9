"""One vector a frame, for diversity: from the encoder's records, cached; those of a pool stay on the disk."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, ensure_records, frame_records, image_table, load_ensemble
from al_platform.models.batches import in_fixed_batches
from al_platform.models.families import family_named
from al_platform.models.records import ContentRecords, Unreadable
from al_platform.models.scoring import make_embedder
from al_platform.storage.mapped import mapped_rows
from al_platform.storage.records import RecordCache
from al_platform.training.frames import KeyedRows

_EMBED_BATCH = 64
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
    """Give the embeddings of a pool, of which frame_id and image_hash are read, and of labelled frames.

    Raises: InvalidInput when a labelled frame cannot be read; StorageUnavailable when the disk is full.
    """
    with context.catalog.transaction() as tx:
        beside = image_table(tx, labelled)
    source, unreadable = _source(context, round_), Unreadable()

    def vectors(frames: pa.Table) -> Iterator[NDArray[Any]]:
        for part in frames.select(["frame_id", "image_hash"]).to_batches(max_chunksize=_PART_ROWS):
            images = dict(zip(part["frame_id"].to_pylist(), part["image_hash"].to_pylist(), strict=True))
            lost = ensure_records(context, source.records, images)
            unreadable.update(lost)
            yield source.take(images.values(), {images[frame_id] for frame_id in lost})

    known = np.concatenate([np.zeros((0, source.width), np.float32), *vectors(beside)])
    for frame_id, reason in unreadable.items():
        raise InvalidInput(f"frame {frame_id}: is labelled, but cannot be read ({reason})")
    folder, row_shape = context.caches.folder / "mapped", (source.width,)
    mapped = mapped_rows(vectors(pool), folder, row_shape=row_shape, dtype=np.dtype(np.float32))
    return FrameEmbeddings(mapped, known, unreadable)


@dataclass(frozen=True)
class _Source:
    """The cache of vectors, and what fills it."""

    records: ContentRecords
    cache: RecordCache
    embed: Callable[[Any], NDArray[Any]]
    width: int

    def take(self, images: Collection[str], lost: Collection[str]) -> NDArray[Any]:
        """Give the vectors of these images, zeros for what is lost; what is new is embedded, a batch at a time."""
        readable = [image for image in images if image not in lost]
        missing, encoder = self.cache.missing(readable), self.records.encoder
        if missing:
            records = KeyedRows(missing, self.records.take, shape=encoder.shape, dtype=encoder.dtype)
            self.cache.add(missing, self.embed(records).astype(np.float32))
        present = np.array([image not in lost for image in images], np.bool_)
        vectors = np.zeros((len(images), self.width), np.float32)
        vectors[present] = self.cache.take(readable)
        return vectors


def _source(context: LoopContext, round_: Round) -> _Source:
    """The cache outlives the ensemble where the weights play no part."""
    spec, family = round_.spec.model, family_named(round_.spec.model.family)
    with context.catalog.transaction() as tx:
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
    encoder = ensure_encoder(context, spec, round_.spec.pool_id)
    embedder, parameters = make_embedder(family, spec), load_ensemble(context, ensemble).parameters
    embed = in_fixed_batches(lambda batch: embedder(parameters, jnp.asarray(batch)), _EMBED_BATCH)
    width = embed(np.zeros((1, *encoder.shape), encoder.dtype)).shape[1]
    named = ensemble.ensemble_id if family.embeds_with_weights else encoder.key
    cache = context.caches.cache("embeddings", named, shape=(width,), dtype=np.dtype(np.float32))
    return _Source(frame_records(context, spec, encoder), cache, embed, width)
