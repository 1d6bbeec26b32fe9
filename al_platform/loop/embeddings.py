"""One vector a frame, for diversity: from the encoder's records, cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.models import EnsembleVersion, ModelSpec
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, image_hashes, load_ensemble
from al_platform.models.base import Encoder
from al_platform.models.batches import in_fixed_batches
from al_platform.models.families import family_named
from al_platform.models.records import ContentRecords, Unreadable
from al_platform.models.scoring import make_embedder
from al_platform.storage.records import RecordCache
from al_platform.training.place import ensure_records, frame_records

_EMBED_BATCH = 64


@dataclass(frozen=True)
class FrameEmbeddings:
    """One vector a frame, float32 [N, D] for the pool and [L, D] for the labelled frames."""

    pool: NDArray[Any]
    """Rows of frames that cannot be read are zero: whoever picks must leave them out."""
    labelled: NDArray[Any]
    unreadable: Unreadable


def frame_embeddings(
    context: LoopContext, round_: Round, pool: Sequence[str], labelled: Sequence[str]
) -> FrameEmbeddings:
    """Give the embeddings of pool and labelled frames.

    Raises: InvalidInput when a labelled frame cannot be read.
    """
    spec = round_.spec
    with context.catalog.transaction() as tx:
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
        images = image_hashes(frames_by_id(tx, [*pool, *labelled]))
    encoder = ensure_encoder(context, spec.model, spec.pool_id)
    records = frame_records(context.place, spec.model, encoder)
    unreadable = ensure_records(records, images, context.report)
    lost = [frame_id for frame_id in labelled if frame_id in unreadable]
    if lost:
        raise InvalidInput(f"frame {lost[0]}: is labelled, but cannot be read ({unreadable[lost[0]]})")
    readable = [image for frame_id, image in images.items() if frame_id not in unreadable]
    cache = _embedded(context, spec.model, ensemble, encoder=encoder, records=records, images=readable)
    present = np.array([frame_id not in unreadable for frame_id in pool])
    vectors = cache.take([images[frame_id] for frame_id in pool if frame_id not in unreadable])
    embeddings = np.zeros((len(pool), vectors.shape[1]), np.float32)
    embeddings[present] = vectors
    return FrameEmbeddings(embeddings, cache.take([images[frame_id] for frame_id in labelled]), unreadable)


def _embedded(
    context: LoopContext,
    spec: ModelSpec,
    ensemble: EnsembleVersion,
    *,
    encoder: Encoder,
    records: ContentRecords,
    images: Sequence[str],
) -> RecordCache:
    """The cache of vectors, filled for these images; it outlives the ensemble where the weights play no part."""
    family = family_named(spec.family)
    embedder, parameters = make_embedder(family, spec), load_ensemble(context, ensemble).parameters
    embed = in_fixed_batches(lambda batch: embedder(parameters, jnp.asarray(batch)), _EMBED_BATCH)
    width = embed(np.zeros((1, *encoder.shape), encoder.dtype)).shape[1]
    source = ensemble.ensemble_id if family.embeds_with_weights else encoder.key
    cache = context.caches.cache("embeddings", source, shape=(width,), dtype=np.dtype(np.float32))
    missing = cache.missing(images)
    if missing:
        cache.add(missing, embed(records.take(missing)).astype(np.float32))
    return cache
